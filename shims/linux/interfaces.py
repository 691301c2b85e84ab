"""ioctl(2) on sockets: netdevice(7), tcp(7), socket(7)."""

from __future__ import annotations

import errno
import struct
from collections.abc import Mapping
from typing import Final

from compat.abi.flags import Constant
from compat.abi.handles import Pointer
from compat.abi.structs import Record
from shims.linux.state import LinuxThread
from shims.posix.addresses import to_guest
from shims.posix.openfiles import OpenFile
from shims.posix.owners import get_owner, set_owner
from shims.posix.socketfiles import HOST_TIME, Socket, find_socket, has_network

__all__ = ["ask", "at_mark", "get_group", "last_time", "list_addresses", "name_of", "set_group", "unsent"]

_NAME: Final = 16  # IFNAMSIZ of linux/if.h
_REQUEST: Final = 40  # struct ifreq of a 64-bit host
_NUMBERS: Final[Mapping[str, tuple[int, str]]] = {
    "SIOCGIFNAME": (0x8910, "i"), "SIOCGIFFLAGS": (0x8913, "H"), "SIOCGIFADDR": (0x8915, "H14s"),
    "SIOCGIFDSTADDR": (0x8917, "H14s"), "SIOCGIFBRDADDR": (0x8919, "H14s"), "SIOCGIFNETMASK": (0x891B, "H14s"),
    "SIOCGIFMETRIC": (0x891D, "i"), "SIOCGIFMTU": (0x8921, "i"), "SIOCGIFHWADDR": (0x8927, "H14s"),
    "SIOCGIFINDEX": (0x8933, "i"), "SIOCGIFTXQLEN": (0x8942, "i"),
}  # fmt: skip
"""The host's number of a request about an interface, and the format of its answer: linux/sockios.h, linux/if.h."""

_SIOCATMARK, _SIOCOUTQNSD = 0x8905, 0x894B
_SIOCGSTAMP: Final[Mapping[str, int]] = {"usec": 0x8906, "nsec": 0x8907}  # asm-generic/sockios.h
_NO_ADDRESS: Final = frozenset(("SIOCGIFADDR", "SIOCGIFDSTADDR", "SIOCGIFBRDADDR", "SIOCGIFNETMASK"))
_LOOPBACK: Final[Mapping[str, tuple[object, ...]]] = {
    "SIOCGIFFLAGS": (0x8,), "SIOCGIFMETRIC": (0,), "SIOCGIFMTU": (65536,), "SIOCGIFHWADDR": (772, b""),
    "SIOCGIFINDEX": (1,), "SIOCGIFTXQLEN": (1000,),
}  # fmt: skip
"""A machine without a network has a loopback interface that is down: IFF_LOOPBACK, ARPHRD_LOOPBACK."""


def _socket(thread: LinuxThread, fd: int) -> tuple[OpenFile, Socket]:
    try:
        return find_socket(thread, fd)
    except OSError as error:
        raise OSError(errno.ENOTTY if error.errno == errno.ENOTSOCK else error.errno, "fd") from None


def ask(thread: LinuxThread, fd: int, cmd: Constant, request: Pointer[Record]) -> None:
    """SIOCGIF…: a fact of the interface that is named. Raises OSError ENODEV, EADDRNOTAVAIL."""
    file, _ = _socket(thread, fd)
    given = request.read()
    name = _bytes(given["name"]).partition(b"\0")[0]
    number, form = _NUMBERS[cmd]
    if has_network(thread):
        raw = _ask_host(thread, file, number, name, b"")
        values = struct.unpack("=" + form, raw[_NAME : _NAME + struct.calcsize("=" + form)])
    else:
        values = _ask_loopback(str(cmd), name)
    request.write({**given, "value": struct.pack(thread.abi.cpu.order + form, *values)})


def _bytes(value: object) -> bytes:
    assert isinstance(value, bytes)
    return value


def _ask_host(thread: LinuxThread, file: OpenFile, number: int, name: bytes, value: bytes) -> bytes:
    room = bytearray((name[:_NAME].ljust(_NAME, b"\0") + value).ljust(_REQUEST, b"\0"))
    thread.host.ioctl(file.fd, number, room)
    return bytes(room)


def _ask_loopback(cmd: str, name: bytes) -> tuple[object, ...]:
    if name != b"lo":
        raise OSError(errno.ENODEV, "no such interface")
    if cmd in _NO_ADDRESS:
        raise OSError(errno.EADDRNOTAVAIL, "no network")
    return _LOOPBACK[cmd]


def name_of(thread: LinuxThread, fd: int, cmd: Constant, request: Pointer[Record]) -> None:
    """SIOCGIFNAME: the name of the interface with an index. Raises OSError ENODEV."""
    file, _ = _socket(thread, fd)
    given = request.read()
    (index,) = struct.unpack(thread.abi.cpu.order + "i", _bytes(given["value"])[:4])
    if has_network(thread):
        name = _ask_host(thread, file, _NUMBERS[cmd][0], b"", struct.pack("=i", index))[:_NAME]
    elif index == 1:
        name = b"lo"
    else:
        raise OSError(errno.ENODEV, "no such interface")
    request.write({**given, "name": name})


def list_addresses(thread: LinuxThread, fd: int, cmd: Constant, list: Pointer[Record]) -> None:
    """SIOCGIFCONF: name and IPv4 address of each interface that has one; the length alone where there is no buffer."""
    file, kind = _socket(thread, fd)
    given, layout = list.read(), thread.abi.layout("Ifreq")
    found = thread.host.interface_addresses(file.fd) if has_network(thread) else []
    place, room = given.int("buf"), given.int("len")
    if place:
        found = found[: max(0, room) // layout.size]
        internet = Socket("AF_INET", kind.type, 0)
        data = b"".join(
            layout.pack({"name": name, "value": to_guest(thread, internet, address)}) for name, address in found
        )
        thread.memory.write(place, data)
    list.write({**given, "len": len(found) * layout.size})


# --- the socket itself ---


def _tell(thread: LinuxThread, fd: int, request: int, place: Pointer[int]) -> None:
    """The int that the host knows by *request*."""
    room = bytearray(4)
    thread.host.ioctl(_socket(thread, fd)[0].fd, request, room)
    (found,) = struct.unpack("=i", room)
    place.write(found)


def at_mark(thread: LinuxThread, fd: int, cmd: Constant, at_mark: Pointer[int]) -> None:
    """SIOCATMARK: whether the next byte to read follows urgent data."""
    _tell(thread, fd, _SIOCATMARK, at_mark)


def unsent(thread: LinuxThread, fd: int, cmd: Constant, count: Pointer[int]) -> None:
    """SIOCOUTQNSD: bytes that were not sent yet."""
    _tell(thread, fd, _SIOCOUTQNSD, count)


def last_time(thread: LinuxThread, fd: int, cmd: Constant, time: Pointer[Record]) -> None:
    """SIOCGSTAMP, SIOCGSTAMPNS: when the last packet came that was received. Raises OSError(ENOENT) where none did."""
    unit = "nsec" if cmd.startswith("SIOCGSTAMPNS") else "usec"
    room = bytearray(HOST_TIME.size)
    thread.host.ioctl(_socket(thread, fd)[0].fd, _SIOCGSTAMP[unit], room)
    seconds, parts = HOST_TIME.unpack(room)
    time.write({"sec": seconds, unit: parts})


def get_group(thread: LinuxThread, fd: int, cmd: Constant, group: Pointer[int]) -> None:
    """SIOCGPGRP and FIOGETOWN: as F_GETOWN."""
    _socket(thread, fd)
    group.write(get_owner(thread, fd, cmd))


def set_group(thread: LinuxThread, fd: int, cmd: Constant, group: Pointer[int]) -> None:
    """SIOCSPGRP and FIOSETOWN: as F_SETOWN."""
    _socket(thread, fd)
    set_owner(thread, fd, cmd, group.read())
