"""Sockets. Addresses travel as the bytes of this host's struct sockaddr; nothing here resolves a name."""

from __future__ import annotations

import errno
import struct
from typing import Final, NamedTuple

from compat.host.libc import WithLibc

_MESSAGE: Final = struct.Struct("@PIPNPNi")  # struct msghdr: name, namelen, iov, iovlen, control, controllen, flags
_VECTOR: Final = struct.Struct("@PN")
_LENGTH: Final = struct.Struct("@I")
_LONGEST_NAME: Final = 128  # struct sockaddr_storage
_LONGEST_PATH: Final = 108  # UNIX_PATH_MAX of linux/un.h
_SOCK_CLOEXEC: Final = 0o2000000


class Received(NamedTuple):
    """What recvmsg(2) gave: *flags* are MSG_* of the host, *address* is empty where the sender has none."""

    data: bytes
    flags: int
    address: bytes


class Sockets(WithLibc):
    """The calls on sockets; flags and options are the host's numbers."""

    def socket(self, family: int, kind: int, protocol: int) -> int:
        return self._libc.call("socket", "iii", family, kind | _SOCK_CLOEXEC, protocol)

    def socketpair(self, family: int, kind: int, protocol: int) -> tuple[int, int]:
        room = self._libc.buffer(8)
        self._libc.call("socketpair", "iiip", family, kind | _SOCK_CLOEXEC, protocol, room)
        first, second = struct.unpack("@2i", room.raw)
        return first, second

    def bind(self, fd: int, address: bytes) -> None:
        self._libc.call("bind", "isi", fd, address, len(address))

    def connect(self, fd: int, address: bytes) -> None:
        self._libc.call("connect", "isi", fd, address, len(address))

    def listen(self, fd: int, backlog: int) -> None:
        self._libc.call("listen", "ii", fd, backlog)

    def accept4(self, fd: int, flags: int) -> tuple[int, bytes]:
        """The new descriptor and the address of its peer."""
        name, size = self._libc.buffer(_LONGEST_NAME), self._libc.buffer(_LENGTH.size)
        size.raw = _LENGTH.pack(_LONGEST_NAME)
        made = self._libc.call("accept4", "ippi", fd, name, size, flags | _SOCK_CLOEXEC)
        return made, _named(name.raw, size.raw)

    def getsockname(self, fd: int) -> bytes:
        return self._ask_name("getsockname", fd)

    def getpeername(self, fd: int) -> bytes:
        return self._ask_name("getpeername", fd)

    def _ask_name(self, call: str, fd: int) -> bytes:
        name, size = self._libc.buffer(_LONGEST_NAME), self._libc.buffer(_LENGTH.size)
        size.raw = _LENGTH.pack(_LONGEST_NAME)
        self._libc.call(call, "ipp", fd, name, size)
        return _named(name.raw, size.raw)

    def shutdown(self, fd: int, how: int) -> None:
        self._libc.call("shutdown", "ii", fd, how)

    def getsockopt(self, fd: int, level: int, option: int, size: int) -> bytes:
        """The option's value, at most *size* bytes of it."""
        room, length = self._libc.buffer(size), self._libc.buffer(_LENGTH.size)
        length.raw = _LENGTH.pack(size)
        self._libc.call("getsockopt", "iiipp", fd, level, option, room, length)
        return _named(room.raw, length.raw)

    def setsockopt(self, fd: int, level: int, option: int, value: bytes) -> None:
        self._libc.call("setsockopt", "iiisi", fd, level, option, value, len(value))

    def sendto(self, fd: int, data: bytes, flags: int, address: bytes = b"") -> int:
        """Send *data*, to *address* where there is one; returns bytes taken."""
        return self._libc.call("sendto", "iszisi", fd, data, len(data), flags, address or None, len(address))

    def recvmsg(self, fd: int, size: int, flags: int) -> Received:
        """Receive at most *size* bytes. Descriptors that come along are let go of: MSG_CTRUNC tells."""
        libc = self._libc
        room, name, vector = libc.buffer(max(size, 1)), libc.buffer(_LONGEST_NAME), libc.buffer(_VECTOR.size)
        vector.raw = _VECTOR.pack(libc.address(room), size)
        message = libc.buffer(_MESSAGE.size + 8)
        header = _MESSAGE.pack(libc.address(name), _LONGEST_NAME, libc.address(vector), 1, 0, 0, 0)
        message.raw = header.ljust(_MESSAGE.size + 8, b"\0")
        count = libc.call("recvmsg", "ipi", fd, message, flags)
        _, length, _, _, _, _, told = _MESSAGE.unpack(message.raw[: _MESSAGE.size])
        return Received(room.raw[: min(count, size)], told, name.raw[: min(length, _LONGEST_NAME)])


def _named(room: bytes, length: bytes) -> bytes:
    (size,) = _LENGTH.unpack(length)
    return room[:size]


def unix_address(name: bytes) -> bytes:
    """struct sockaddr_un of this host for *name*: a path, an abstract name after a NUL, or nothing.

    Raises:
        OSError: ENAMETOOLONG for more than its 108 bytes.
    """
    if len(name) > _LONGEST_PATH:
        raise OSError(errno.ENAMETOOLONG, "a socket's name longer than 108 bytes")
    return struct.pack("@H", 1) + name


def unix_name(address: bytes) -> bytes:
    """The name in a struct sockaddr_un of this host; a path without the NUL that may end it."""
    name = address[2:]
    return name if name.startswith(b"\0") else name.partition(b"\0")[0]
