"""Sockets. Addresses travel as the bytes of this host's struct sockaddr; nothing here resolves a name."""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from compat.host.libc import WithLibc

_MESSAGE: Final = struct.Struct("@PIPNPNi")  # struct msghdr: name, namelen, iov, iovlen, control, controllen, flags
_VECTOR: Final = struct.Struct("@PN")
_LENGTH: Final = struct.Struct("@I")
_LONGEST_NAME: Final = 128  # struct sockaddr_storage
_LONGEST_PATH: Final = 108  # UNIX_PATH_MAX of linux/un.h
_SIOCGIFCONF: Final = 0x8912
_CONFIGURATION: Final = struct.Struct("@iP")  # struct ifconf: len, buf
_INTERFACE: Final = struct.Struct("@16s16s8x")  # struct ifreq: name, addr
_MOST_INTERFACES: Final = 512
_SOL_SOCKET: Final = 1
_SO_GET_FILTER: Final = 26  # asm-generic/socket.h
_FILTER: Final = struct.Struct("@HP")  # struct sock_fprog: len, filter
_INSTRUCTION: Final = 8  # bytes of struct sock_filter
_CAPABILITY_VERSION: Final = 0x20080522  # _LINUX_CAPABILITY_VERSION_3 of linux/capability.h
_CAPABILITY_HEADER: Final = struct.Struct("@Ii")
_CAPABILITY_SETS: Final = struct.Struct("@6I")  # effective, permitted, inheritable, and the upper words of the three
_AF_NETLINK, _SOCK_RAW, _NETLINK_USERSOCK = 16, 3, 2  # linux/netlink.h
_NETLINK_NAME: Final = struct.Struct("@HHII")  # struct sockaddr_nl: family, pad, pid, groups
_SOCK_CLOEXEC: Final = 0o2000000
_MSG_CMSG_CLOEXEC: Final = 0x40000000
_CONTROL: Final = struct.Struct("@Nii")  # struct cmsghdr: len, level, type
_WORD: Final = struct.calcsize("@N")


class ControlMessage(NamedTuple):
    """One struct cmsghdr with its data, in the host's numbers and order."""

    level: int
    type: int
    data: bytes


class Received(NamedTuple):
    """What recvmsg(2) gave: *flags* are MSG_* of the host, *address* is empty where the sender has none. Descriptors in
    *control* belong to the caller. *size* is what the call returned: with MSG_TRUNC more than the bytes of *data*."""

    data: bytes
    flags: int
    address: bytes
    control: tuple[ControlMessage, ...]
    size: int


class Sockets(WithLibc):
    """The calls on sockets; flags and options are the host's numbers."""

    def socket(self, family: int, kind: int, protocol: int) -> int:
        return self._libc.call("socket", "iii", family, kind | _SOCK_CLOEXEC, protocol)

    def unprivileged_socket(self, family: int, kind: int, protocol: int) -> int:
        """A socket as this user would open it without capabilities(7): its file remembers that there were none."""
        header, sets = self._libc.buffer(_CAPABILITY_HEADER.size), self._libc.buffer(_CAPABILITY_SETS.size)
        header.raw = _CAPABILITY_HEADER.pack(_CAPABILITY_VERSION, 0)
        self._libc.call("capget", "pp", header, sets)
        had = sets.raw
        words = _CAPABILITY_SETS.unpack(had[: _CAPABILITY_SETS.size])
        sets.raw = _CAPABILITY_SETS.pack(0, *words[1:3], 0, *words[4:])
        self._libc.call("capset", "pp", header, sets)
        try:
            return self.socket(family, kind, protocol)
        finally:
            sets.raw = had
            self._libc.call("capset", "pp", header, sets)

    def socketpair(self, family: int, kind: int, protocol: int) -> tuple[int, int]:
        room = self._libc.buffer(8)
        self._libc.call("socketpair", "iiip", family, kind | _SOCK_CLOEXEC, protocol, room)
        first, second = struct.unpack("@2i", room.raw)
        return first, second

    def netlink_pair(self) -> tuple[int, int]:
        """Two sockets of AF_NETLINK that hear each other and no other program: what one sends, the other receives."""
        first = self.socket(_AF_NETLINK, _SOCK_RAW, _NETLINK_USERSOCK)
        second = -1
        try:
            second = self.socket(_AF_NETLINK, _SOCK_RAW, _NETLINK_USERSOCK)
            for fd in (first, second):
                self.bind(fd, _NETLINK_NAME.pack(_AF_NETLINK, 0, 0, 0))
            self.connect(first, self.getsockname(second))
            self.connect(second, self.getsockname(first))
        except OSError:
            os.close(first)
            if second >= 0:
                os.close(second)
            raise
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

    def interface_addresses(self, fd: int) -> list[tuple[bytes, bytes]]:
        """Name and struct sockaddr of each IPv4 address: SIOCGIFCONF of netdevice(7)."""
        room, conf = self._libc.buffer(_INTERFACE.size * _MOST_INTERFACES), self._libc.buffer(_CONFIGURATION.size)
        conf.raw = _CONFIGURATION.pack(len(room), self._libc.address(room))
        self._libc.call("ioctl", "ilp", fd, _SIOCGIFCONF, conf)
        size, _ = _CONFIGURATION.unpack(conf.raw)
        return [(name.partition(b"\0")[0], raw) for name, raw in _INTERFACE.iter_unpack(room.raw[:size])]

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

    def attach_filter(self, fd: int, option: int, program: bytes) -> None:
        """Give *program*, structs sock_filter of this host, by *option*: SO_ATTACH_FILTER or one like it."""
        room = self._libc.buffer(len(program))
        room.raw = program
        value = _FILTER.pack(len(program) // _INSTRUCTION, self._libc.address(room))
        self._libc.call("setsockopt", "iiisi", fd, _SOL_SOCKET, option, value, len(value))

    def attached_filter(self, fd: int) -> bytes:
        """The filter as attach_filter takes it; no bytes for none."""
        length = self._libc.buffer(_LENGTH.size)
        self._libc.call("getsockopt", "iiipp", fd, _SOL_SOCKET, _SO_GET_FILTER, None, length)
        (count,) = _LENGTH.unpack(length.raw)
        room = self._libc.buffer(max(1, count * _INSTRUCTION))
        self._libc.call("getsockopt", "iiipp", fd, _SOL_SOCKET, _SO_GET_FILTER, room, length)
        return _named(room.raw, _LENGTH.pack(count * _INSTRUCTION))

    def sendto(self, fd: int, data: bytes, flags: int, address: bytes = b"") -> int:
        """Send *data*, to *address* where there is one; returns bytes taken."""
        return self._libc.call("sendto", "iszisi", fd, data, len(data), flags, address or None, len(address))

    def sendmsg(
        self, fd: int, data: bytes, flags: int, address: bytes = b"", control: Iterable[ControlMessage] = ()
    ) -> int:
        """sendto with control messages."""
        libc, ancillary = self._libc, _pack_control(control)
        room, name, beside = (libc.buffer(len(each) + 1) for each in (data, address, ancillary))
        room.raw, name.raw, beside.raw = data + b"\0", address + b"\0", ancillary + b"\0"
        message, _kept = self._message((room, len(data)), (name, len(address)), (beside, len(ancillary)))
        return libc.call("sendmsg", "ipi", fd, message, flags)

    def recvmsg(self, fd: int, size: int, flags: int, control: int = 0) -> Received:
        """Receive at most *size* bytes, and *control* bytes of control messages. Descriptors for which there is no room
        are let go of: MSG_CTRUNC tells. *flags* must have MSG_CMSG_CLOEXEC where descriptors may come."""
        libc = self._libc
        room, name, beside = libc.buffer(max(size, 1)), libc.buffer(_LONGEST_NAME), libc.buffer(max(control, 1))
        message, _kept = self._message((room, size), (name, _LONGEST_NAME), (beside, control))
        count = libc.call("recvmsg", "ipi", fd, message, flags)
        _, length, _, _, _, given, told = _MESSAGE.unpack(message.raw[: _MESSAGE.size])
        address = name.raw[: min(length, _LONGEST_NAME)]
        found = tuple(_unpack_control(beside.raw[:given])) if control else ()
        return Received(room.raw[: min(count, size)], told & ~_MSG_CMSG_CLOEXEC, address, found, count)

    def _message(self, *parts: tuple[Any, int]) -> tuple[Any, object]:
        """struct msghdr over (buffer, size) of data, name and control; keep the second result as long as the first."""
        libc = self._libc
        (data, size), (name, name_size), (control, control_size) = parts
        vector, message = libc.buffer(_VECTOR.size), libc.buffer(_MESSAGE.size + 8)
        vector.raw = _VECTOR.pack(libc.address(data), size)
        header = _MESSAGE.pack(
            libc.address(name) if name_size else 0,
            name_size,
            libc.address(vector),
            1,
            libc.address(control) if control_size else 0,
            control_size,
            0,
        )
        message.raw = header.ljust(_MESSAGE.size + 8, b"\0")
        return message, vector


def _pack_control(messages: Iterable[ControlMessage]) -> bytes:
    return b"".join(
        _pad(_CONTROL.pack(_CONTROL.size + len(data), level, kind) + data) for level, kind, data in messages
    )


def _pad(data: bytes) -> bytes:
    return data.ljust(-(-len(data) // _WORD) * _WORD, b"\0")


def _unpack_control(raw: bytes) -> Iterator[ControlMessage]:
    while len(raw) >= _CONTROL.size:
        length, level, kind = _CONTROL.unpack_from(raw)
        yield ControlMessage(level, kind, raw[_CONTROL.size : length])
        raw = raw[-(-max(length, _CONTROL.size) // _WORD) * _WORD :]


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
