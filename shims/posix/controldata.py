"""Control messages that are neither descriptors nor credentials: how their data differ between guest and host."""

from __future__ import annotations

import errno
import socket as host_names
import struct
from collections.abc import Mapping
from typing import Final, NamedTuple

from compat.host import ControlMessage
from shims.posix.addresses import internet_to_guest
from shims.posix.socketfiles import HOST_TIME, Socket
from shims.posix.state import PosixThread

__all__ = ["from_host", "is_known", "to_host"]


class _Data(NamedTuple):
    """A message by name: its *level*, the *type* that lists its option, and the struct format of its data."""

    level: str
    type: str
    name: str
    format: str


_BYTES: Final = ""  # as they are on every CPU
_INTEGER: Final = "i"
_ADDRESS_4: Final = "i8s"  # struct in_pktinfo: the interface's index, two addresses
_ADDRESS_6: Final = "16sI"  # struct in6_pktinfo
_AUXILIARY: Final = "3I4H"  # struct tpacket_auxdata

_SOCKET: Final = host_names.SOL_SOCKET
_IP, _TCP, _UDP, _IPV6, _PACKET, _NETLINK = 0, 6, 17, 41, 263, 270


def _listed(
    level: str, type: str, number: int, messages: Mapping[int, tuple[str, str]]
) -> dict[tuple[int, int], _Data]:
    return {(number, each): _Data(level, type, name, form) for each, (name, form) in messages.items()}


_DATA: Final[Mapping[tuple[int, int], _Data]] = {
    **_listed("SOL_SOCKET", "SocketOption", _SOCKET, {
        12: ("SO_PRIORITY", "I"), 36: ("SO_MARK", "I"), 37: ("SO_TIMESTAMPING_OLD", "I"), 40: ("SO_RXQ_OVFL", "I"),
        41: ("SO_WIFI_STATUS", "I"), 61: ("SO_TXTIME", "Q"), 84: ("SO_INQ", _INTEGER),
    }),
    **_listed("SOL_IP", "IpOption", _IP, {
        1: ("IP_TOS", "B"), 2: ("IP_TTL", _INTEGER), 7: ("IP_RETOPTS", _BYTES), 8: ("IP_PKTINFO", _ADDRESS_4),
        23: ("IP_CHECKSUM", "I"), 25: ("IP_RECVFRAGSIZE", _INTEGER), 52: ("IP_PROTOCOL", _INTEGER),
    }),
    **_listed("SOL_IPV6", "Ipv6Option", _IPV6, {
        2: ("IPV6_2292PKTINFO", _ADDRESS_6), 3: ("IPV6_2292HOPOPTS", _BYTES), 4: ("IPV6_2292DSTOPTS", _BYTES),
        5: ("IPV6_2292RTHDR", _BYTES), 8: ("IPV6_2292HOPLIMIT", _INTEGER), 11: ("IPV6_FLOWINFO", _BYTES),
        50: ("IPV6_PKTINFO", _ADDRESS_6), 52: ("IPV6_HOPLIMIT", _INTEGER), 54: ("IPV6_HOPOPTS", _BYTES),
        57: ("IPV6_RTHDR", _BYTES), 59: ("IPV6_DSTOPTS", _BYTES), 62: ("IPV6_DONTFRAG", _INTEGER),
        67: ("IPV6_TCLASS", _INTEGER), 77: ("IPV6_RECVFRAGSIZE", _INTEGER),
    }),
    **_listed("SOL_TCP", "TcpOption", _TCP, {36: ("TCP_INQ", _INTEGER)}),
    **_listed("SOL_UDP", "UdpOption", _UDP, {103: ("UDP_SEGMENT", "H"), 104: ("UDP_GRO", _INTEGER)}),
    **_listed("SOL_PACKET", "PacketOption", _PACKET, {8: ("PACKET_AUXDATA", _AUXILIARY)}),
    **_listed("SOL_NETLINK", "NetlinkOption", _NETLINK, {3: ("NETLINK_PKTINFO", "I")}),
}  # fmt: skip
"""By the host's level and type: asm-generic/socket.h, linux/in.h, in6.h, tcp.h, udp.h, if_packet.h, netlink.h."""

_ERRORS: Final[Mapping[tuple[int, int], tuple[str, str, str]]] = {
    (_IP, 11): ("SOL_IP", "IpOption", "IP_RECVERR"),
    (_IPV6, 25): ("SOL_IPV6", "Ipv6Option", "IPV6_RECVERR"),
    (_PACKET, 16): ("SOL_PACKET", "PacketOption", "PACKET_TX_TIMESTAMP"),
}
"""Those that tell of an error: struct sock_extended_err, and the address that it came from."""

_ADDRESSES: Final[Mapping[tuple[int, int], tuple[str, str, str]]] = {
    (_IP, 20): ("SOL_IP", "IpOption", "IP_ORIGDSTADDR"),
    (_IPV6, 61): ("SOL_IPV6", "Ipv6Option", "IPV6_PATHMTU"),
    (_IPV6, 74): ("SOL_IPV6", "Ipv6Option", "IPV6_ORIGDSTADDR"),
}
"""Those that hold an address; IPV6_PATHMTU, struct ip6_mtuinfo, has a number behind it."""

_STAMPS: Final[Mapping[tuple[int, int], str]] = {(_SOCKET, 29): "usec", (_SOCKET, 35): "nsec"}
"""SCM_TIMESTAMP and SCM_TIMESTAMPNS of asm-generic/socket.h, and what their second number counts."""

_STAMPING: Final = (_SOCKET, 37)
_THREE_TIMES: Final = struct.Struct("@6l")  # struct scm_timestamping
_ERROR: Final = "I4B2I"  # struct sock_extended_err: errno, origin, type, code, pad, info, data
_ERROR_SIZE: Final = 16
_KNOWN_LEVELS: Final = frozenset(("SOL_SOCKET", "SOL_IP", "SOL_IPV6", "SOL_UDP"))
_LONGEST_ADDRESS: Final = 28  # struct sockaddr_in6


def to_host(thread: PosixThread, level: str, number: int, data: bytes) -> list[ControlMessage]:
    """The host's message; none for a level that no protocol of these looks at.

    Raises OSError EINVAL for a type that is not known here, or another size.
    """
    for (host_level, host_number), known in _DATA.items():
        if known.level == level and thread.abi.constants(known.type).decode(number) == known.name:
            return [ControlMessage(host_level, host_number, _repack(data, known, thread.abi.cpu.order, "="))]
    if level in _KNOWN_LEVELS:
        raise OSError(errno.EINVAL, f"control message {level}/{number}")
    return []


def _repack(data: bytes, known: _Data, order: str, other: str) -> bytes:
    form = known.format
    if form == _BYTES:
        return data
    if form == "B" and len(data) == 4:
        form = _INTEGER  # IP_TOS may be sent as an int: ip_cmsg_send()
    try:
        return struct.pack(other + form, *struct.unpack(order + form, data))
    except struct.error:
        raise OSError(errno.EINVAL, f"size of {known.name}") from None


def is_known(level: int, number: int) -> bool:
    """Whether `from_host` can tell what the host's message is."""
    return any((level, number) in each for each in (_DATA, _ERRORS, _ADDRESSES, _STAMPS))


def from_host(thread: PosixThread, kind: Socket, level: int, number: int, data: bytes) -> tuple[str, int, bytes]:
    """The guest's level by name, type and data of a message that is known."""
    place = level, number
    if place in _STAMPS:
        return _stamp(thread, kind.stamp, _STAMPS[place], data)
    if place == _STAMPING:
        return _three_stamps(thread, kind.stamping, data)
    if place in _ERRORS:
        return _named(thread, _ERRORS[place], _error(thread, data))
    if place in _ADDRESSES:
        return _named(thread, _ADDRESSES[place], _address(thread, data))
    known = _DATA[place]
    return _named(thread, known[:3], _repack(data, known, "=", thread.abi.cpu.order))


def _named(thread: PosixThread, names: tuple[str, str, str], data: bytes) -> tuple[str, int, bytes]:
    level, type, name = names
    return level, thread.abi.constants(type).encode(name), data


def _stamp(thread: PosixThread, asked: str, unit: str, data: bytes) -> tuple[str, int, bytes]:
    """SCM_TIMESTAMP and SCM_TIMESTAMPNS in the size that was *asked* for, by whoever in this process."""
    seconds, parts = HOST_TIME.unpack(data)
    asked = asked or {"usec": "SO_TIMESTAMP_OLD", "nsec": "SO_TIMESTAMPNS_OLD"}[unit]
    struct_name = {"usec": "Timeval", "nsec": "Timespec"}[unit] + ("64" if asked.endswith("_NEW") else "")
    raw = thread.abi.layout(struct_name).pack({"sec": seconds, unit: parts})
    return _named(thread, ("SOL_SOCKET", "SocketOption", asked), raw)


def _three_stamps(thread: PosixThread, asked: str, data: bytes) -> tuple[str, int, bytes]:
    """SCM_TIMESTAMPING: the software's time, an unused one, the device's."""
    layout = thread.abi.layout("Timespec64" if asked.endswith("_NEW") else "Timespec")
    words = _THREE_TIMES.unpack(data)
    times = (layout.pack({"sec": words[k], "nsec": words[k + 1]}) for k in range(0, len(words), 2))
    return _named(thread, ("SOL_SOCKET", "SocketOption", asked or "SO_TIMESTAMPING_OLD"), b"".join(times))


def _error(thread: PosixThread, data: bytes) -> bytes:
    """What is queued for MSG_ERRQUEUE: ip(7), "IP_RECVERR"."""
    number, *rest = struct.unpack("=" + _ERROR, data[:_ERROR_SIZE])
    code = thread.abi.host_errors.get(number, thread.abi.errors["EIO"]) if number else 0
    offender = internet_to_guest(thread, data[_ERROR_SIZE:])
    return struct.pack(thread.abi.cpu.order + _ERROR, code, *rest) + offender


def _address(thread: PosixThread, data: bytes) -> bytes:
    rest = data[_LONGEST_ADDRESS:]
    order = "big" if thread.abi.cpu.endian == "big" else "little"
    number = struct.unpack("=I", rest)[0].to_bytes(4, order) if rest else b""
    return internet_to_guest(thread, data[:_LONGEST_ADDRESS]) + number
