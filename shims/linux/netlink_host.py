"""AF_NETLINK where the network was granted: the host's own socket, whose messages are turned into the guest's.

It is opened without capabilities, so that the host's kernel answers every question and refuses every change (EPERM).
"""

from __future__ import annotations

import errno
import socket as host_names
import struct
import sys
from typing import Final

from compat.host import Received
from shims.linux.netlink import check_kernel, guest_name, parse_name
from shims.linux.netlink_swap import SOCK_DIAG, swap
from shims.linux.state import LinuxThread
from shims.posix.openfiles import OpenFile
from shims.posix.optionnumbers import number_of
from shims.posix.socketfiles import NOWAIT, PrivateSocket
from shims.posix.state import PosixThread

__all__ = ["HostNetlink", "open_host_socket"]

_AF_NETLINK: Final = 16
_NAME: Final = struct.Struct("@HHII")  # struct sockaddr_nl: family, pad, pid, groups
_HEADER: Final = "IHHII"  # struct nlmsghdr: len, type, flags, seq, pid
_SIZE: Final = 16
_ERROR: Final = 2  # NLMSG_ERROR of linux/netlink.h
_NOTHING: Final = 0x7FFF  # a type that no protocol has: EOPNOTSUPP, or EINVAL of sock_diag
_LARGEST: Final = 1 << 18
_SOL_NETLINK: Final = 270


class HostNetlink(PrivateSocket):
    """*fd* is the host's socket, the open file's own."""

    def __init__(self, type: str, protocol: int, fd: int) -> None:
        super().__init__("AF_NETLINK", type, protocol)
        self.fd = fd

    def bind(self, thread: PosixThread, raw: bytes) -> None:
        thread.host.bind(self.fd, _NAME.pack(_AF_NETLINK, 0, *parse_name(thread, raw)))

    def connect(self, thread: PosixThread, raw: bytes) -> None:
        port, groups = parse_name(thread, raw)
        check_kernel(port, groups)
        thread.host.connect(self.fd, _NAME.pack(_AF_NETLINK, 0, port, groups))

    def own_name(self, thread: PosixThread) -> bytes:
        return self.name_from(thread, thread.host.getsockname(self.fd))

    def peer_name(self, thread: PosixThread) -> bytes:
        return self.name_from(thread, thread.host.getpeername(self.fd))

    def name_from(self, thread: PosixThread, host: bytes) -> bytes:
        _, _, port, groups = _NAME.unpack(host)
        return guest_name(thread, port, groups)

    def set_option(self, thread: PosixThread, name: str, value: int) -> None:
        thread.host.setsockopt(self.fd, _SOL_NETLINK, number_of(name), struct.pack("@i", value))

    def send(self, thread: PosixThread, data: bytes, raw: bytes) -> int:
        if raw:
            check_kernel(*parse_name(thread, raw))
        sent = data if _is_alike(thread) else _translate(self.protocol, data, thread.abi.cpu.order, "=", asked=True)
        thread.host.sendto(self.fd, sent, NOWAIT)
        return len(data)

    def receive(self, thread: PosixThread, file: OpenFile, room: int, flags: int, beside: int) -> Received:
        if _is_alike(thread):
            return thread.host.recvmsg(file.fd, room, flags | host_names.MSG_DONTWAIT, beside)
        found = thread.host.recvmsg(file.fd, _LARGEST, flags | host_names.MSG_DONTWAIT, beside)
        data = _translate(self.protocol, found.data, "=", thread.abi.cpu.order, thread=thread)
        cut = host_names.MSG_TRUNC if len(data) > room else 0
        size = len(data) if flags & host_names.MSG_TRUNC else min(len(data), room)
        return found._replace(data=data[:room], size=size, flags=found.flags | cut)


def open_host_socket(thread: LinuxThread, kind: str, protocol: int) -> OpenFile:
    """The host's socket; raises its OSError, and EPROTONOSUPPORT where it has no netlink."""
    number: int = getattr(host_names, kind)
    try:
        fd = thread.host.unprivileged_socket(_AF_NETLINK, number, protocol)
    except OSError as error:
        if error.errno == errno.EAFNOSUPPORT:
            raise OSError(errno.EPROTONOSUPPORT, "netlink") from None
        raise
    return OpenFile(thread.host, fd, kind=HostNetlink(kind, protocol, fd))


def _is_alike(thread: PosixThread) -> bool:
    """Whether the guest's messages are the host's: byte order and the numbers of errors."""
    abi = thread.abi
    return (abi.cpu.endian == sys.byteorder) and abi.host_errors.get(errno.EOPNOTSUPP) == errno.EOPNOTSUPP


def _translate(
    protocol: int, packet: bytes, order: str, other: str, *, asked: bool = False, thread: PosixThread | None = None
) -> bytes:
    """A packet of messages in the byte order *order* as one in *other*; those of *thread*'s guest get its errors.
    *asked*: by the guest, which may ask what can't be turned into the host's order."""
    pieces = list[bytes]()
    while len(packet) >= _SIZE:
        length, kind, flags, sequence, port = struct.unpack_from(order + _HEADER, packet)
        if not _SIZE <= length <= len(packet):
            break
        body, packet = packet[_SIZE:length], packet[-(-length // 4) * 4 :]
        if kind == _ERROR:
            body = _error(protocol, body, order, other, thread)
        else:
            try:
                body = swap(_kind(protocol, kind), body, order, other, asked=asked)
            except KeyError:
                kind = _NOTHING
        head = struct.pack(other + _HEADER, _SIZE + len(body), kind, flags, sequence, port)
        pieces.append((head + body).ljust(-(-len(head + body) // 4) * 4, b"\0"))
    return b"".join(pieces) + packet


def _kind(protocol: int, kind: int) -> int:
    """What `swap` calls a type of message: those below 16 mean the same everywhere."""
    return SOCK_DIAG if protocol and kind >= _SIZE else kind


def _error(protocol: int, body: bytes, order: str, other: str, thread: PosixThread | None) -> bytes:
    """NLMSG_ERROR: the error's number, then the message that it answers, whole or its header alone."""
    (code,) = struct.unpack_from(order + "i", body)
    if thread is not None and code:
        code = -thread.abi.host_errors.get(-code, thread.abi.errors["EIO"])
    return struct.pack(other + "i", code) + _translate(protocol, body[4:], order, other)
