"""Host calls on sockets have names for their numbers, and addresses a person can read."""

from __future__ import annotations

import socket
import struct

import pytest

from compat.trace.events import HostCall
from compat.trace.hostcalls import show_host_call

INTERNET = struct.pack("=H", socket.AF_INET) + (80).to_bytes(2, "big") + bytes([127, 0, 0, 1]) + bytes(8)
INTERNET_6 = struct.pack("=H", socket.AF_INET6) + (80).to_bytes(2, "big") + bytes(4) + bytes(15) + b"\1" + bytes(4)
UNIX = struct.pack("=H", socket.AF_UNIX) + b"/run/name"
RECEIVED = {
    "data": b"x", "flags": socket.MSG_TRUNC, "address": INTERNET, "size": 5,
    "control": [{"level": socket.SOL_SOCKET, "type": 1, "data": b"\3\0\0\0"}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("call", "arguments", "result", "shown"),
    [
        ("socket", [socket.AF_INET, socket.SOCK_STREAM, 0], 3, "socket(AF_INET, SOCK_STREAM, 0) = 3"),
        ("bind", [3, INTERNET], None, "bind(3, {AF_INET, 127.0.0.1:80})"),
        ("connect", [3, INTERNET_6], None, "connect(3, {AF_INET6, [::1]:80})"),
        ("getsockname", [3], UNIX, 'getsockname(3) = {AF_UNIX, "/run/name"}'),
        ("accept4", [3, socket.SOCK_NONBLOCK], [4, UNIX[:2]], "accept4(3, SOCK_NONBLOCK) = [4, {AF_UNIX}]"),
        ("sendto", [3, b"x", socket.MSG_DONTWAIT, b""], 1, 'sendto(3, "x", MSG_DONTWAIT, NULL) = 1'),
        ("setsockopt", [3, 1, socket.SO_REUSEADDR, b"\1"], None, r'setsockopt(3, SOL_SOCKET, SO_REUSEADDR, "\x01")'),
        ("setsockopt", [3, 999, 998, b"\1"], None, r'setsockopt(3, 999, 998, "\x01")'),
        ("shutdown", [3, 1], None, "shutdown(3, SHUT_WR)"),
        (
            "recvmsg", [3, 1, 0, 64], RECEIVED,
            r'recvmsg(3, 1, 0, 64) = {"x", MSG_TRUNC, from {AF_INET, 127.0.0.1:80}, '
            r'SOL_SOCKET/SCM_RIGHTS "\x03\0\0\0"}, 5',
        ),
        ("pwritev", [3, [b"x"], -1, 8], 1, 'pwritev(3, ["x"], -1, RWF_NOWAIT) = 1'),
        ("fcntl", [3, 4, 0o4002], 0, "fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0"),
    ],
)  # fmt: skip
def test_calls(call: str, arguments: list[object], result: object, shown: str) -> None:
    assert show_host_call(HostCall(call, arguments, result)) == shown
