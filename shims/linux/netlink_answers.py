"""The kernel's part of rtnetlink(7) and sock_diag(7) on a machine whose only interface is a loopback that is down."""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from shims.linux.netlink_swap import attribute, body_size
from shims.linux.state import LinuxThread

__all__ = ["Request", "answer", "diagnose", "requests"]

_HEADER: Final = "IHHII"  # struct nlmsghdr: len, type, flags, seq, pid
_SIZE: Final = 16
_ERROR, _DONE = 2, 3  # NLMSG_* of linux/netlink.h
_REQUEST, _MULTI, _ACK, _DUMP = 1, 2, 4, 0x300  # NLM_F_*
_NEWLINK, _GETLINK, _GETADDR, _GETROUTE, _GETNEIGH, _GETRULE = 16, 18, 22, 26, 30, 34  # RTM_* of linux/rtnetlink.h
_ASKED: Final = frozenset((_GETLINK, _GETADDR, _GETROUTE, _GETNEIGH, _GETRULE))
_AF_BRIDGE: Final = 7
_DIAG_BY_FAMILY: Final = 20  # SOCK_DIAG_BY_FAMILY of linux/sock_diag.h


class Request(NamedTuple):
    """One message of the guest, its *data* with the header."""

    type: int
    flags: int
    sequence: int
    data: bytes


def requests(order: str, data: bytes) -> Iterator[Request]:
    """The messages in *data*, up to one that is malformed: netlink_rcv_skb()."""
    while len(data) >= _SIZE:
        length, kind, flags, sequence, _ = struct.unpack_from(order + _HEADER, data)
        if not _SIZE <= length <= len(data):
            return
        if flags & _REQUEST and kind >= _SIZE:
            yield Request(kind, flags, sequence, data[:length])
        data = data[-(-length // 4) * 4 :]


def answer(thread: LinuxThread, request: Request, port: int) -> list[bytes]:
    """What the kernel sends back: packets of one or more messages."""
    order = thread.abi.cpu.order
    if request.type % 4 != 2:  # RTM_GET… are the third of four
        return [_error(thread, request, port, errno.EPERM)]
    if request.type not in _ASKED:
        return [_error(thread, request, port, errno.EOPNOTSUPP)]
    if len(request.data) <= _SIZE:
        return [_error(thread, request, port, errno.EINVAL)]
    if request.flags & _DUMP == _DUMP:
        links = request.type == _GETLINK and request.data[_SIZE] != _AF_BRIDGE
        found = [_loopback(order, request, port, _MULTI)] if links else []
        return [*found, _message(order, _DONE, _MULTI, request.sequence, port, bytes(4))]
    number = _refusal(order, request)
    if number or request.flags & _ACK:
        return [_error(thread, request, port, number)]
    return [_loopback(order, request, port, 0)]


def diagnose(thread: LinuxThread, request: Request, port: int) -> list[bytes]:
    """What sock_diag sends back: there are no sockets but those of AF_UNIX, which are not listed."""
    if request.type != _DIAG_BY_FAMILY or len(request.data) <= _SIZE:
        return [_error(thread, request, port, errno.EINVAL)]
    if request.flags & _DUMP == _DUMP:
        return [_message(thread.abi.cpu.order, _DONE, _MULTI, request.sequence, port, bytes(4))]
    return [_error(thread, request, port, errno.ENOENT)]


def _message(order: str, kind: int, flags: int, sequence: int, port: int, body: bytes) -> bytes:
    return struct.pack(order + _HEADER, _SIZE + len(body), kind, flags, sequence, port) + body


def _error(thread: LinuxThread, request: Request, port: int, number: int) -> bytes:
    """NLMSG_ERROR, with the guest's own number; 0 acknowledges."""
    order = thread.abi.cpu.order
    code = -thread.abi.host_errors.get(number, thread.abi.errors["EIO"]) if number else 0
    return _message(order, _ERROR, 0, request.sequence, port, struct.pack(order + "i", code) + request.data)


def _refusal(order: str, request: Request) -> int:
    """Why there is no single answer; 0 for the loopback interface."""
    if request.type != _GETLINK:
        return errno.ENETUNREACH if request.type == _GETROUTE else errno.EOPNOTSUPP
    body = request.data[_SIZE:].ljust(body_size(_GETLINK), b"\0")
    (index,) = struct.unpack_from(order + "i", body, 4)
    named = attribute(order, 3, b"lo\0") in request.data  # IFLA_IFNAME
    return 0 if index == 1 or (named and not index) else errno.ENODEV


def _loopback(order: str, request: Request, port: int, flags: int) -> bytes:
    """RTM_NEWLINK of `lo`: ARPHRD_LOOPBACK, IFF_LOOPBACK and not IFF_UP."""
    number = order + "I"
    attributes = (
        (3, b"lo\0"),  # IFLA_IFNAME
        (13, struct.pack(number, 1000)),  # TXQLEN
        (16, b"\2"),  # OPERSTATE: IF_OPER_DOWN
        (17, b"\0"),  # LINKMODE
        (4, struct.pack(number, 65536)),  # MTU
        (27, bytes(4)),  # GROUP
        (30, bytes(4)),  # PROMISCUITY
        (31, struct.pack(number, 1)),  # NUM_TX_QUEUES
        (32, struct.pack(number, 1)),  # NUM_RX_QUEUES
        (33, b"\1"),  # CARRIER
        (6, b"noop\0"),  # QDISC
        (1, bytes(6)),  # ADDRESS
        (2, bytes(6)),  # BROADCAST
        (23, bytes(24 * 8)),  # STATS64
        (7, bytes(24 * 4)),  # STATS
    )
    body = struct.pack(order + "BxHiII", 0, 772, 1, 8, 0)
    body += b"".join(attribute(order, kind, data) for kind, data in attributes)
    return _message(order, _NEWLINK, flags, request.sequence, port, body)
