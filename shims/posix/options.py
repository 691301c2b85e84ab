"""Socket options: those whose meaning is known pass to the host, by name; for all others ENOPROTOOPT."""

from __future__ import annotations

import errno
import socket as host_names
import struct
import sys
from collections.abc import Callable, Mapping
from typing import Final

from compat.abi.flags import Constant
from compat.abi.handles import Buffer, Pointer
from shims.posix.openfiles import OpenFile
from shims.posix.optionnumbers import INTEGERS, number_of
from shims.posix.optionvalues import STRUCTURED, Structured, swap
from shims.posix.socketfiles import HOST_TIME, PrivateSocket, Socket, find_socket
from shims.posix.socketfilters import ATTACHING, attach, get_filter
from shims.posix.state import PosixThread

__all__ = ["getsockopt", "setsockopt"]

_LEVELS: Final[Mapping[str, int]] = {
    "SOL_SOCKET": host_names.SOL_SOCKET, "SOL_IP": 0, "SOL_TCP": 6, "SOL_UDP": 17, "SOL_IPV6": 41, "SOL_ICMPV6": 58,
    "SOL_RAW": 255, "SOL_PACKET": 263, "SOL_NETLINK": 270,
}  # fmt: skip
_TIMES: Final[Mapping[str, tuple[int, str]]] = {
    "SO_RCVTIMEO_OLD": (host_names.SO_RCVTIMEO, "Timeval"),
    "SO_SNDTIMEO_OLD": (host_names.SO_SNDTIMEO, "Timeval"),
    "SO_RCVTIMEO_NEW": (host_names.SO_RCVTIMEO, "Timeval64"),
    "SO_SNDTIMEO_NEW": (host_names.SO_SNDTIMEO, "Timeval64"),
}
_LEAST_TIME, _MOST_TIME = 0, 1 << 62
_LONGEST: Final = 256  # bytes of a value; struct tcp_info has 248
_STAMPS: Final[Mapping[str, int]] = {
    "SO_TIMESTAMP_OLD": 29, "SO_TIMESTAMP_NEW": 29, "SO_TIMESTAMPNS_OLD": 35, "SO_TIMESTAMPNS_NEW": 35,
}  # fmt: skip
_STAMPING: Final = ("SO_TIMESTAMPING_OLD", "SO_TIMESTAMPING_NEW")


def setsockopt(thread: PosixThread, fd: int, level: Constant, option: Constant | int, value: Buffer, size: int) -> None:
    """setsockopt(2)."""
    file, kind = find_socket(thread, fd)
    name, number = str(option), _level(level)
    if name in _TIMES:
        _set_time(thread, file, name, value)
    elif name in _STAMPS:
        _set_stamp(thread, file, kind, name, bool(_read_integers(thread, value, 1)[0]))
    elif name in STRUCTURED:
        if kind.isolated and name.endswith("MEMBERSHIP"):
            raise OSError(errno.ENODEV, "no network")  # the host would tell its neighbours
        _set_structured(thread, file, number, STRUCTURED[name], value)
        kind.stamping = name if name in _STAMPING else kind.stamping
    elif name in ATTACHING:
        attach(thread, file, name, value)
    elif name in INTEGERS and level == "SOL_NETLINK" and isinstance(kind, PrivateSocket):
        kind.set_option(thread, name, _read_integers(thread, value, 1)[0])
    elif name in INTEGERS:
        (given,) = _read_byte(value) if _takes_byte(level, value) else _read_integers(thread, value, 1)
        thread.host.setsockopt(file.fd, number, number_of(name), struct.pack("@i", given))
    else:
        raise OSError(errno.ENOPROTOOPT, f"option {name}")


def _level(level: Constant) -> int:
    if level not in _LEVELS:
        raise OSError(errno.ENOPROTOOPT, f"level {level}")
    return _LEVELS[level]


def _takes_byte(level: Constant, value: Buffer) -> bool:
    """Options of IPv4 may be one byte: do_ip_setsockopt() of net/ipv4/ip_sockglue.c."""
    return level == "SOL_IP" and 1 <= value.size < 4


def _read_byte(value: Buffer) -> tuple[int]:
    return (value.read(1)[0],)


def _read_integers(thread: PosixThread, value: Buffer, count: int) -> tuple[int, ...]:
    if value.size < 4 * count or value.size >> 31:
        raise OSError(errno.EINVAL, "size")
    found: tuple[int, ...] = struct.unpack(f"{thread.abi.cpu.order}{count}i", value.read(4 * count))
    return found


def _set_structured(thread: PosixThread, file: OpenFile, level: int, option: Structured, value: Buffer) -> None:
    if not option.settable:
        raise OSError(errno.ENOPROTOOPT, "an option that only tells")
    if value.size >> 31:
        raise OSError(errno.EINVAL, "size")
    data = swap(option, value.read(_LONGEST), thread.abi.cpu.order, "=")
    thread.host.setsockopt(file.fd, level, option.number, data)


def _set_stamp(thread: PosixThread, file: OpenFile, kind: Socket, name: str, on: bool) -> None:
    """Ask for the time of each message; guests have two sizes of it, the host one."""
    thread.host.setsockopt(file.fd, host_names.SOL_SOCKET, _STAMPS[name], struct.pack("@i", on))
    kind.stamp = name if on else ""


def _set_time(thread: PosixThread, file: OpenFile, name: str, value: Buffer) -> None:
    """sock_set_timeout() of net/core/sock.c."""
    number, struct_name = _TIMES[name]
    layout = thread.abi.layout(struct_name)
    if value.size < layout.size or value.size >> 31:
        raise OSError(errno.EINVAL, "size")
    fields = layout.unpack(value.read(layout.size))
    seconds = max(_LEAST_TIME, min(_MOST_TIME, fields.int("sec")))
    raw = HOST_TIME.pack(seconds, fields.int("usec"))
    thread.host.setsockopt(file.fd, host_names.SOL_SOCKET, number, raw)


def getsockopt(
    thread: PosixThread, fd: int, level: Constant, option: Constant | int, value: int, size: Pointer[int]
) -> None:
    """getsockopt(2)."""
    file, kind = find_socket(thread, fd)
    room = size.read()
    if room < 0:
        raise OSError(errno.EINVAL, "size")
    if option == "SO_ATTACH_FILTER":  # as SO_GET_FILTER, which has the same number
        get_filter(thread, file, value, size)
        return
    data = _ask(thread, file, kind, _level(level), str(option))
    if level == "SOL_IP" and 0 < room < 4:
        data = _as_byte(thread, data)
    size.write(min(room, len(data)))
    thread.memory.write(value, data[:room])


def _as_byte(thread: PosixThread, data: bytes) -> bytes:
    """A short buffer gets a small number as one byte: do_ip_getsockopt()."""
    number = int.from_bytes(data, "big" if thread.abi.cpu.endian == "big" else "little")
    return bytes([number]) if number <= 255 else data


def _ask(thread: PosixThread, file: OpenFile, kind: Socket, level: int, name: str) -> bytes:
    """The option's value in the guest's own order."""
    order, host = thread.abi.cpu.order, thread.host
    if name in _OWN:
        return struct.pack(f"{order}i", _OWN[name](thread, kind))
    if name in _TIMES:
        number, struct_name = _TIMES[name]
        seconds, micros = HOST_TIME.unpack(host.getsockopt(file.fd, level, number, HOST_TIME.size))
        return thread.abi.layout(struct_name).pack({"sec": seconds, "usec": micros})
    if name in _STAMPS:
        return struct.pack(f"{order}i", kind.stamp == name)
    if name in STRUCTURED:
        option = STRUCTURED[name]
        return swap(option, host.getsockopt(file.fd, level, option.number, _LONGEST), "=", order)
    if name == "SO_PEERCRED" and kind.family == "AF_UNIX":
        return _peer(thread, host.getsockopt(file.fd, level, host_names.SO_PEERCRED, 12))
    if name == "SO_ERROR":
        return struct.pack(f"{order}i", _error(thread, host.getsockopt(file.fd, level, host_names.SO_ERROR, 4)))
    if name in INTEGERS:
        value = host.getsockopt(file.fd, level, number_of(name), 4)
        return struct.pack(f"{order}i", int.from_bytes(value, sys.byteorder, signed=True))
    raise OSError(errno.ENOPROTOOPT, f"option {name}")


def _peer(thread: PosixThread, raw: bytes) -> bytes:
    from shims.posix.rights import show_credentials  # rarely needed

    return show_credentials(thread, raw)


def _error(thread: PosixThread, raw: bytes) -> int:
    number = int.from_bytes(raw, sys.byteorder)
    return thread.abi.host_errors.get(number, thread.abi.errors["EIO"]) if number else 0


def _type(thread: PosixThread, kind: Socket) -> int:
    return thread.abi.flags("SocketType").encode([kind.type])


def _domain(thread: PosixThread, kind: Socket) -> int:
    return thread.abi.constants("AddressFamily").encode(kind.family)


def _protocol(thread: PosixThread, kind: Socket) -> int:
    if kind.protocol or kind.family == "AF_UNIX":
        return kind.protocol
    name = {"SOCK_STREAM": "IPPROTO_TCP", "SOCK_DGRAM": "IPPROTO_UDP"}.get(kind.type)
    return thread.abi.constants("IpProtocol").encode(name) if name else 0


_OWN: Final[Mapping[str, Callable[[PosixThread, Socket], int]]] = {
    "SO_TYPE": _type, "SO_DOMAIN": _domain, "SO_PROTOCOL": _protocol,
}  # fmt: skip
