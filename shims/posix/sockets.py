"""Sockets: making, naming and connecting them."""

from __future__ import annotations

import errno
import select
import socket as host_names
import struct
from collections.abc import Mapping
from typing import Final

from compat.abi.flags import Constant, FlagSet
from compat.abi.handles import Buffer, Pointer
from compat.abi.structs import Record
from shims.posix.addresses import (
    check,
    family_of,
    host_address,
    is_any,
    read_address,
    to_guest,
    unnamed,
    write_address,
)
from shims.posix.openfiles import OpenFile
from shims.posix.socketfiles import (
    FAMILIES,
    TYPES,
    Paused,
    PrivateSocket,
    Socket,
    find_socket,
    has_network,
    no_way,
    nonblocking_host,
    pause,
)
from shims.posix.state import PosixThread
from shims.posix.transfers import nonblocking
from shims.posix.unix_names import bind_unix

__all__ = [
    "accept", "accept_with", "bind", "connect", "getpeername", "getsockname", "listen", "shutdown", "socket",
    "socketpair",
]  # fmt: skip

_HOW: Final[Mapping[str, int]] = {"SHUT_RD": 0, "SHUT_WR": 1, "SHUT_RDWR": 2}
_KINDS: Final = frozenset(("SOCK_STREAM", "SOCK_DGRAM", "SOCK_SEQPACKET", "SOCK_RAW"))
_MARKS: Final = frozenset(("SOCK_CLOEXEC", "SOCK_NONBLOCK"))
_OTHER_KINDS: Final = frozenset(("SOCK_RDM", "SOCK_DCCP", "SOCK_PACKET"))
_EPHEMERAL: Final = range(32768, 61000)  # net.ipv4.ip_local_port_range
_UNSPECIFIED: Final = struct.pack("@H14x", 0)


def socket(thread: PosixThread, family: Constant, type: FlagSet, protocol: int) -> int:
    """socket(2): of the families AF_UNIX, AF_INET, AF_INET6, and AF_PACKET with a network."""
    kind = _kind(type)
    _check_family(thread, family, kind)
    thread.process.files.free_number()
    number = _swap_protocol(thread, protocol) if family == "AF_PACKET" else protocol
    fd = thread.host.socket(FAMILIES[family], TYPES[kind] | _nonblock(type), number)
    isolated = family != "AF_UNIX" and not has_network(thread)
    return _install(thread, fd, Socket(str(family), kind, protocol, isolated=isolated), type)


def _kind(type: FlagSet) -> str:
    """The socket's type by name; raises OSError EINVAL as __sys_socket() and __sock_create()."""
    kinds = type & (_KINDS | _OTHER_KINDS)
    if type.unknown or len(kinds) != 1 or type - kinds - _MARKS:
        raise OSError(errno.EINVAL, "type")
    (kind,) = kinds
    return kind


def _check_family(thread: PosixThread, family: Constant, kind: str) -> None:
    if family not in FAMILIES:
        raise OSError(errno.EAFNOSUPPORT, f"no sockets of the family {family}")
    if kind in _OTHER_KINDS or (kind == "SOCK_SEQPACKET" and family != "AF_UNIX"):
        raise OSError(errno.ESOCKTNOSUPPORT, "type")
    if (family == "AF_PACKET" or (kind == "SOCK_RAW" and family != "AF_UNIX")) and not has_network(thread):
        raise OSError(errno.EPERM, "raw packets")


def _swap_protocol(thread: PosixThread, protocol: int) -> int:
    """That of packet(7) is a 16-bit number in network order, however the CPU reads it."""
    found: int = struct.unpack("=H", struct.pack(thread.abi.cpu.order + "H", protocol & 0xFFFF))[0]
    return found


def _nonblock(type: FlagSet) -> int:
    return host_names.SOCK_NONBLOCK if "SOCK_NONBLOCK" in type else 0


def _install(thread: PosixThread, fd: int, kind: Socket, type: frozenset[str]) -> int:
    """Give the host's socket *fd* a number of the guest; it is closed again where there is none."""
    try:
        file = OpenFile(thread.host, fd, kind=kind)
        return thread.process.files.add(file, close_on_exec="SOCK_CLOEXEC" in type)
    except BaseException:
        thread.host.close(fd)
        raise


def socketpair(thread: PosixThread, family: Constant, type: FlagSet, protocol: int, ends: Pointer[Record]) -> None:
    """socketpair(2): only AF_UNIX has it."""
    kind, files = _kind(type), thread.process.files
    _check_family(thread, family, kind)
    if family != "AF_UNIX":
        raise OSError(errno.EOPNOTSUPP, "family")
    files.free_number(files.free_number() + 1)
    made = thread.host.socketpair(FAMILIES[family], TYPES[kind] | _nonblock(type), protocol)
    first, second = (_install(thread, fd, Socket(str(family), kind, protocol), type) for fd in made)
    try:
        ends.write({"first": first, "second": second})
    except BaseException:
        files.close(first)
        files.close(second)
        raise


def bind(thread: PosixThread, fd: int, addr: Buffer, size: int) -> None:
    """bind(2)."""
    file, kind = find_socket(thread, fd)
    raw = read_address(addr)
    if isinstance(kind, PrivateSocket):
        kind.bind(thread, raw)
        return
    if kind.family == "AF_UNIX":
        bind_unix(thread, file, kind, raw)
        return
    check(thread, kind, raw)
    if kind.isolated:
        _bind_isolated(thread, kind, raw)
        return
    with host_address(thread, kind, raw) as address:
        thread.host.bind(file.fd, address)


def _bind_isolated(thread: PosixThread, kind: Socket, raw: bytes) -> None:
    """Without a network the machine has no address but "any"; the name is remembered and means nothing."""
    if kind.name:
        raise OSError(errno.EINVAL, "bound already")
    if not is_any(kind, raw):
        raise OSError(errno.EADDRNOTAVAIL, "no network")
    port = int.from_bytes(raw[2:4], "big")
    if not port:
        port = _EPHEMERAL[int.from_bytes(thread.host.getrandom(4), "little") % len(_EPHEMERAL)]
    kind.name = raw[:2] + port.to_bytes(2, "big") + raw[4 : 16 if kind.family == "AF_INET" else 28]


def listen(thread: PosixThread, fd: int, backlog: int) -> None:
    """listen(2)."""
    file, kind = find_socket(thread, fd)
    if kind.isolated and kind.type == "SOCK_STREAM":
        raise OSError(errno.EADDRNOTAVAIL, "no network to listen on")
    thread.host.listen(file.fd, backlog)


def accept(thread: PosixThread, fd: int, addr: int, size: Pointer[int] | None) -> int:
    """accept(2)."""
    return accept_with(thread, fd, addr, size, FlagSet())


def accept_with(thread: PosixThread, fd: int, addr: int, size: Pointer[int] | None, flags: FlagSet) -> int:
    """accept(2) with SOCK_CLOEXEC and SOCK_NONBLOCK."""
    file, kind = find_socket(thread, fd)
    thread.process.files.free_number()
    try:
        with nonblocking_host(file):
            made, peer = thread.host.accept4(file.fd, _nonblock(flags))
    except BlockingIOError:
        pause(thread, file, reading=True)
    number = _install(thread, made, Socket(kind.family, kind.type, kind.protocol, name=kind.name), flags)
    try:
        write_address(thread, to_guest(thread, kind, peer), addr, size)
    except BaseException:
        thread.process.files.close(number)
        raise
    return number


def connect(thread: PosixThread, fd: int, addr: Buffer, size: int) -> None:
    """connect(2)."""
    file, kind = find_socket(thread, fd)
    raw = read_address(addr)
    if isinstance(kind, PrivateSocket):
        kind.connect(thread, raw)
        return
    if isinstance(thread.resume, Paused) and kind.family != "AF_UNIX":
        _finish(thread, file)
        return
    if family_of(thread, raw) == "AF_UNSPEC":
        thread.host.connect(file.fd, _UNSPECIFIED)
        return
    check(thread, kind, raw)
    if kind.isolated:
        raise no_way(kind)
    with host_address(thread, kind, raw) as address:
        _connect(thread, file, kind, address)


def _connect(thread: PosixThread, file: OpenFile, kind: Socket, address: bytes) -> None:
    try:
        with nonblocking_host(file):
            thread.host.connect(file.fd, address)
    except BlockingIOError as error:
        if error.errno == errno.EAGAIN:  # a full backlog of AF_UNIX
            pause(thread, file, reading=False, polled=False)
        if nonblocking(file):
            raise
        _wait_for_connection(thread, file, error)


def _wait_for_connection(thread: PosixThread, file: OpenFile, error: BlockingIOError) -> None:
    """EINPROGRESS and EALREADY: wait until the host has an answer; SO_SNDTIMEO ends it with EINPROGRESS."""
    try:
        pause(thread, file, reading=False)
    except BlockingIOError:
        raise BlockingIOError(errno.EINPROGRESS, "connecting") from error


def _finish(thread: PosixThread, file: OpenFile) -> None:
    """The connection that was waited for stands or has failed."""
    if not thread.host.poll([(file.fd, select.POLLOUT)], 0):
        _wait_for_connection(thread, file, BlockingIOError(errno.EINPROGRESS, "connecting"))
    raw = thread.host.getsockopt(file.fd, host_names.SOL_SOCKET, host_names.SO_ERROR, 4)
    (number,) = struct.unpack("@i", raw)
    if number:
        raise OSError(number, "connect")


def getsockname(thread: PosixThread, fd: int, addr: int, size: Pointer[int]) -> None:
    """getsockname(2)."""
    file, kind = find_socket(thread, fd)
    name = kind.own_name(thread) if isinstance(kind, PrivateSocket) else kind.name
    if not name:
        name = unnamed(thread, kind) if kind.family == "AF_UNIX" else b""
    if not name:
        name = to_guest(thread, kind, thread.host.getsockname(file.fd))
    _give(thread, name, addr, size)


def getpeername(thread: PosixThread, fd: int, addr: int, size: Pointer[int]) -> None:
    """getpeername(2)."""
    file, kind = find_socket(thread, fd)
    if isinstance(kind, PrivateSocket):
        name = kind.peer_name(thread)
    else:
        name = to_guest(thread, kind, thread.host.getpeername(file.fd))
    _give(thread, name, addr, size)


def _give(thread: PosixThread, name: bytes, addr: int, size: Pointer[int]) -> None:
    """move_addr_to_user(), which takes NULL for an address that can't be written."""
    if not addr and size.read() > 0:
        raise OSError(errno.EFAULT, "addr")
    write_address(thread, name, addr, size)


def shutdown(thread: PosixThread, fd: int, how: Constant) -> None:
    """shutdown(2)."""
    file, _ = find_socket(thread, fd)
    if how not in _HOW:
        raise OSError(errno.EINVAL, "how")
    thread.host.shutdown(file.fd, _HOW[how])
