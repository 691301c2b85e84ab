"""AF_NETLINK: questions to the kernel about links, addresses and routes (rtnetlink(7)), and sockets (sock_diag(7)).

Without a network the guest's socket is one end of a pair of the host's; the answers are put into the other end. Where
possible it is a pair of netlink sockets, so that mq_notify(2) can use the guest's.
"""

from __future__ import annotations

import errno

from compat.abi.flags import FlagSet
from shims.linux.netlink_answers import Request, answer, diagnose, requests
from shims.linux.state import LinuxThread
from shims.posix.openfiles import OpenFile
from shims.posix.socketfiles import FAMILIES, TYPES, PrivateSocket, has_network
from shims.posix.state import PosixThread

__all__ = ["NetlinkSocket", "check_kernel", "guest_name", "open_socket", "parse_name"]

_ROUTE, _SOCK_DIAG = 0, 4  # NETLINK_* of linux/netlink.h
_KINDS = frozenset(("SOCK_RAW", "SOCK_DGRAM"))
_FLAGS = frozenset(("SOCK_NONBLOCK", "SOCK_CLOEXEC"))


class NetlinkSocket(PrivateSocket):
    """*port* is the guest's own address, *groups* the multicast groups that it listens to, in which nothing is ever
    said; *end* is the host's descriptor of the other end, owned by the open file."""

    def __init__(self, type: str, protocol: int, end: int) -> None:
        super().__init__("AF_NETLINK", type, protocol)
        self.end = end
        self.port = 0
        self.groups = 0

    def bind(self, thread: PosixThread, raw: bytes) -> None:
        """Raises OSError: EINVAL for another port than before."""
        port, groups = parse_name(thread, raw)
        if self.port and port not in (0, self.port):
            raise OSError(errno.EINVAL, "bound already")
        self.port = port or self.port or thread.process.pid
        self.groups = groups

    def connect(self, thread: PosixThread, raw: bytes) -> None:
        """Only the kernel can be talked to; raises OSError ECONNREFUSED, EPERM."""
        check_kernel(*parse_name(thread, raw))
        self.port = self.port or thread.process.pid

    def own_name(self, thread: PosixThread) -> bytes:
        return guest_name(thread, self.port, self.groups)

    def peer_name(self, thread: PosixThread) -> bytes:
        return guest_name(thread, 0, 0)

    def set_option(self, thread: PosixThread, name: str, value: int) -> None:
        """Groups beyond those of struct sockaddr_nl are not kept: nothing is said in them either."""
        if name not in ("NETLINK_ADD_MEMBERSHIP", "NETLINK_DROP_MEMBERSHIP"):
            raise OSError(errno.ENOPROTOOPT, f"option {name}")
        if not 0 < value <= _MOST_GROUPS:
            raise OSError(errno.EINVAL, "group")
        bit = 1 << (value - 1) & 0xFFFF_FFFF
        self.groups = self.groups | bit if name == "NETLINK_ADD_MEMBERSHIP" else self.groups & ~bit

    def send(self, thread: PosixThread, data: bytes, raw: bytes) -> int:
        """Answer the requests in *data*. Raises OSError ENOBUFS where the answers find no room."""
        if raw:
            check_kernel(*parse_name(thread, raw))
        self.port = self.port or thread.process.pid
        for request in requests(thread.abi.cpu.order, data):
            for piece in _answers(thread, self.protocol, request, self.port):
                try:
                    thread.host.sendto(self.end, piece, _DONTWAIT)
                except BlockingIOError:
                    raise OSError(errno.ENOBUFS, "answers that nobody read") from None
        return len(data)


_DONTWAIT = 0x40  # MSG_DONTWAIT
_MOST_GROUPS = 64  # as many as RTNLGRP_* of linux/rtnetlink.h may become


def _answers(thread: PosixThread, protocol: int, request: Request, port: int) -> list[bytes]:
    assert isinstance(thread, LinuxThread)
    return answer(thread, request, port) if protocol == _ROUTE else diagnose(thread, request, port)


def parse_name(thread: PosixThread, raw: bytes) -> tuple[int, int]:
    """Port and groups of a struct sockaddr_nl; raises OSError EINVAL."""
    layout = thread.abi.layout("SockaddrNl")
    if len(raw) < layout.size:
        raise OSError(errno.EINVAL, "size")
    fields = layout.unpack(raw[: layout.size])
    if thread.abi.constants("AddressFamily").decode(fields.int("family")) != "AF_NETLINK":
        raise OSError(errno.EINVAL, "family")
    return fields.int("pid"), fields.int("groups")


def check_kernel(port: int, groups: int) -> None:
    if groups:
        raise OSError(errno.EPERM, "to multicast groups")
    if port:
        raise OSError(errno.ECONNREFUSED, "no other program")


def guest_name(thread: PosixThread, port: int, groups: int) -> bytes:
    family = thread.abi.constants("AddressFamily").encode("AF_NETLINK")
    return thread.abi.layout("SockaddrNl").pack({"family": family, "pid": port, "groups": groups})


def open_socket(thread: LinuxThread, type: FlagSet, protocol: int) -> int:
    """socket(2) of AF_NETLINK. Raises OSError: ESOCKTNOSUPPORT, EPROTONOSUPPORT for all but NETLINK_ROUTE and
    NETLINK_SOCK_DIAG, EMFILE."""
    kinds = type - _FLAGS
    if len(kinds) != 1 or not kinds <= _KINDS:
        raise OSError(errno.ESOCKTNOSUPPORT, "type")
    if protocol not in (_ROUTE, _SOCK_DIAG):
        raise OSError(errno.EPROTONOSUPPORT, f"netlink protocol {protocol}")
    thread.process.files.free_number()
    (kind,) = kinds
    if has_network(thread):
        from shims.linux.netlink_host import open_host_socket  # rarely needed

        file = open_host_socket(thread, kind, protocol)
    else:
        file = _open_pair(thread, kind, protocol)
    thread.host.set_blocking(file.fd, "SOCK_NONBLOCK" not in type)
    return thread.process.files.add(file, close_on_exec="SOCK_CLOEXEC" in type)


def _open_pair(thread: LinuxThread, kind: str, protocol: int) -> OpenFile:
    try:
        own, end = thread.host.netlink_pair()
    except OSError:  # a host without netlink
        own, end = thread.host.socketpair(FAMILIES["AF_UNIX"], TYPES["SOCK_SEQPACKET"], 0)
    file = OpenFile(thread.host, own, kind=NetlinkSocket(kind, protocol, end))
    file.copies.append(end)
    return file
