"""Socket addresses: the guest's struct sockaddr to the host's and back, names of AF_UNIX sockets included."""

from __future__ import annotations

import errno
import stat
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from compat.abi.handles import Buffer, Pointer
from compat.host import O_PATH, unix_address, unix_name
from shims.posix.socketfiles import FAMILIES, PrivateSocket, Socket
from shims.posix.state import PosixThread

__all__ = [
    "abstract_name", "check", "family_of", "host_address", "internet_to_guest", "is_any", "read_address", "to_guest",
    "unix_path", "unix_token", "unnamed", "write_address",
]  # fmt: skip

_LONGEST: Final = 128  # struct sockaddr_storage
_LEAST: Final[dict[str, int]] = {"AF_INET": 16, "AF_INET6": 24, "AF_PACKET": 20}  # SIN6_LEN_RFC2133 of net/ipv6.h
_LONGEST_PATH: Final = 110  # struct sockaddr_un
_LONGEST_NAME: Final = 108
_DIGEST_MARK: Final = b"\0\0compat\0"


def read_address(address: Buffer) -> bytes:
    """The guest's struct sockaddr; raises OSError EINVAL for a size that none has, as move_addr_to_kernel()."""
    if not 0 <= _signed(address.size) <= _LONGEST:
        raise OSError(errno.EINVAL, "size")
    return address.read()


def _signed(size: int) -> int:
    return size - (1 << 32) if size >> 31 else size


def family_of(thread: PosixThread, raw: bytes) -> str:
    """The name of its address family; raises OSError EINVAL where *raw* is too short to have one."""
    if len(raw) < 2:
        raise OSError(errno.EINVAL, "size")
    order = thread.abi.cpu.endian
    return thread.abi.constants("AddressFamily").decode(int.from_bytes(raw[:2], "big" if order == "big" else "little"))


def check(thread: PosixThread, kind: Socket, raw: bytes) -> None:
    """Raise OSError EINVAL for a size that the socket's family does not take, EAFNOSUPPORT for another family."""
    if len(raw) < _LEAST.get(kind.family, 3 if kind.family == "AF_UNIX" else 2):
        raise OSError(errno.EINVAL, "size")
    if family_of(thread, raw) != kind.family:
        raise OSError(errno.EINVAL if kind.family == "AF_UNIX" else errno.EAFNOSUPPORT, "family")
    if kind.family == "AF_UNIX" and len(raw) > _LONGEST_PATH:
        raise OSError(errno.EINVAL, "size")


def is_any(kind: Socket, raw: bytes) -> bool:
    """Whether an Internet address stands for every address of the machine."""
    return not any(raw[4:8] if kind.family == "AF_INET" else raw[8:24])


@contextmanager
def host_address(thread: PosixThread, kind: Socket, raw: bytes) -> Iterator[bytes]:
    """The host's address for the one that *raw* names, to connect or send to.

    Raises:
        OSError: EINVAL, EAFNOSUPPORT; for a path, as path_resolution(7), ECONNREFUSED where it is no socket, EACCES
        where its mount is read-only: what listens there would act for a guest that must not change anything.
    """
    check(thread, kind, raw)
    if kind.family != "AF_UNIX":
        yield _internet(thread, raw)
    elif raw[2] == 0:
        yield unix_address(abstract_name(thread, raw[3:]))
    else:
        with _existing(thread, unix_path(raw)) as link:
            yield unix_address(link)


def unix_path(raw: bytes) -> bytes:
    """The path in a struct sockaddr_un of the guest."""
    return raw[2:].partition(b"\0")[0]


@contextmanager
def _existing(thread: PosixThread, path: bytes) -> Iterator[bytes]:
    """The kernel's link to the very socket at *path*: nothing can take its place between the look and the use."""
    process = thread.process
    with process.view.resolve(path, process.directory) as place:
        opened = place.open(O_PATH)
    try:
        if opened.node is not None or not stat.S_ISSOCK(thread.host.fstat(opened.fd).st_mode):
            raise OSError(errno.ECONNREFUSED, "no socket")
        if opened.mount is not None and opened.mount.read_only and not process.options.trust:
            raise OSError(errno.EACCES, "a socket in a read-only mount")
        yield b"/proc/self/fd/%d" % opened.fd
    finally:
        thread.host.close(opened.fd)


def unix_token(thread: PosixThread) -> bytes:
    """What stands before the guest's abstract names; nothing where the whole host is the guest's."""
    return b"" if thread.process.options.trust else thread.process.socket_names.token


def abstract_name(thread: PosixThread, name: bytes) -> bytes:
    """What the host calls the abstract *name*, with the NUL before it; a digest stands for one that is too long with
    the token."""
    token = b"\0" + unix_token(thread)
    if len(token + name) <= _LONGEST_NAME or len(name) >= _LONGEST_NAME:
        return token + name
    from hashlib import blake2b  # rarely needed

    short = token + _DIGEST_MARK + blake2b(name, digest_size=16).digest()
    thread.process.socket_names.remember(short, name)
    return short


def _internet(thread: PosixThread, raw: bytes) -> bytes:
    """Ports and addresses are in network order already; only the family and an IPv6 scope are not."""
    if family_of(thread, raw) == "AF_PACKET":
        return struct.pack("@H", FAMILIES["AF_PACKET"]) + _swap_link(raw, thread.abi.cpu.order, "=")
    layout = thread.abi.layout("SockaddrIn" if family_of(thread, raw) == "AF_INET" else "SockaddrIn6")
    fields = layout.unpack(raw[: layout.size].ljust(layout.size, b"\0"))
    host = struct.pack("@H", FAMILIES[family_of(thread, raw)]) + raw[2 : layout.size]
    return host[:24] + struct.pack("@I", fields.int("scope_id")) if layout.size > 16 else host


def to_guest(thread: PosixThread, kind: Socket, host: bytes) -> bytes:
    """The guest's struct sockaddr for one of the host; no bytes for none. A socket outside the run seems to have no
    name, unless a mount shows the path that it was bound to."""
    if isinstance(kind, PrivateSocket):
        return kind.name_from(thread, host)
    if len(host) < 2:
        return b""
    if kind.family == "AF_UNIX":
        return unnamed(thread, kind) + _guest_name(thread, unix_name(host))
    return internet_to_guest(thread, host)


def internet_to_guest(thread: PosixThread, host: bytes) -> bytes:
    """The guest's struct sockaddr for one of the host of a family with networks; zero bytes where it names none."""
    number = int.from_bytes(host[:2], sys.byteorder)
    name = next((name for name, each in FAMILIES.items() if each == number), "AF_UNSPEC")
    if name == "AF_UNSPEC":
        return bytes(len(host))
    head = _family(thread, name)
    if name == "AF_PACKET":
        return head + _swap_link(host, "=", thread.abi.cpu.order)
    if name == "AF_INET":
        return head + host[2:16]
    return head + host[2:24] + struct.pack(thread.abi.cpu.order + "I", *struct.unpack("=I", host[24:28]))


def _swap_link(raw: bytes, order: str, other: str) -> bytes:
    """What follows the family in struct sockaddr_ll; the protocol is in network order (packet(7))."""
    index, hardware = struct.unpack(order + "iH", raw[4:10])
    return raw[2:4] + struct.pack(other + "iH", index, hardware) + raw[10:]


def unnamed(thread: PosixThread, kind: Socket) -> bytes:
    """An address of nothing but the family."""
    return _family(thread, kind.family)


def _family(thread: PosixThread, name: str) -> bytes:
    number = thread.abi.constants("AddressFamily").encode(name)
    return number.to_bytes(2, "big" if thread.abi.cpu.endian == "big" else "little")


def _guest_name(thread: PosixThread, name: bytes) -> bytes:
    token = b"\0" + unix_token(thread)
    if name.startswith(token + _DIGEST_MARK):
        return b"\0" + thread.process.socket_names.path(name)
    if name.startswith(token):
        return b"\0" + name[len(token) :]
    if name.startswith(b"\0") or not name:
        return b""
    process = thread.process
    known = process.socket_names.path(name) or (name if process.options.trust else process.view.shown(name))
    return known + b"\0" if known else b""


def write_address(thread: PosixThread, raw: bytes, place: int, size: Pointer[int] | None) -> None:
    """Give the guest *raw*, cut to its buffer at *place*, and the whole size, as move_addr_to_user(); EINVAL for a
    negative size. A *place* of 0 wants no address."""
    if not place:
        return
    if size is None:
        raise OSError(errno.EFAULT, "size")
    room = size.read()
    if room < 0:
        raise OSError(errno.EINVAL, "size")
    thread.memory.write(place, raw[:room])
    size.write(len(raw))
