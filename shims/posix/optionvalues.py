"""Socket options whose values are more than one int: struct formats, which differ in byte order alone."""

from __future__ import annotations

import errno
import struct
from collections.abc import Mapping
from typing import Final, NamedTuple

__all__ = ["STRUCTURED", "Structured", "swap"]


class Structured(NamedTuple):
    """The host's *number* of an option and the struct formats that setsockopt takes, longest first; the first is what
    getsockopt gives. *text*: a string of any length up to the format's."""

    number: int
    formats: tuple[str, ...]
    settable: bool = True
    text: bool = False


# struct ip_mreqn, ip_mreq, in_addr; addresses are in network order already
_GROUP_4: Final = ("8si", "8s")
_STAMPING: Final = ("2i", "i")  # struct so_timestamping, or its flags alone
_TCP_INFO: Final = "8s24I4Q6I4Q2I2Q6I"

STRUCTURED: Final[Mapping[str, Structured]] = {
    "SO_LINGER": Structured(13, ("2i",)),
    "SO_BINDTODEVICE": Structured(25, ("16s",), text=True),
    "SO_COOKIE": Structured(57, ("Q",), settable=False),
    "SO_MEMINFO": Structured(55, ("9I",), settable=False),
    "SO_TIMESTAMPING_OLD": Structured(37, _STAMPING),
    "SO_TIMESTAMPING_NEW": Structured(37, _STAMPING),
    "SO_TXTIME": Structured(61, ("iI",)),
    "SO_NETNS_COOKIE": Structured(71, ("Q",), settable=False),
    "IP_OPTIONS": Structured(4, ("40s",), text=True),
    "IP_UNICAST_IF": Structured(50, ("4s",)),
    "IP_MULTICAST_IF": Structured(32, ("8si", "8s", "4s")),
    "IP_ADD_MEMBERSHIP": Structured(35, _GROUP_4),
    "IP_DROP_MEMBERSHIP": Structured(36, _GROUP_4),
    "IP_ADD_SOURCE_MEMBERSHIP": Structured(39, ("12s",)),
    "IP_DROP_SOURCE_MEMBERSHIP": Structured(40, ("12s",)),
    "IPV6_ADD_MEMBERSHIP": Structured(20, ("16sI",)),
    "IPV6_DROP_MEMBERSHIP": Structured(21, ("16sI",)),
    "IPV6_JOIN_ANYCAST": Structured(27, ("16sI",)),
    "IPV6_LEAVE_ANYCAST": Structured(28, ("16sI",)),
    "IPV6_PKTINFO": Structured(50, ("16sI",)),
    "IPV6_HOPOPTS": Structured(54, ("255s",), text=True),
    "IPV6_RTHDR": Structured(57, ("255s",), text=True),
    "IPV6_DSTOPTS": Structured(59, ("255s",), text=True),
    "IPV6_UNICAST_IF": Structured(76, ("4s",)),
    "ICMP_FILTER": Structured(1, ("I",)),
    "ICMPV6_FILTER": Structured(1, ("8I",)),
    "TCP_SAVED_SYN": Structured(28, ("255s",), settable=False, text=True),
    "TCP_FASTOPEN_KEY": Structured(33, ("32s",), text=True),
    "TCP_CONGESTION": Structured(13, ("16s",), text=True),
    "TCP_INFO": Structured(11, (_TCP_INFO,), settable=False),
    "PACKET_ADD_MEMBERSHIP": Structured(1, ("iHH8s",)),
    "PACKET_DROP_MEMBERSHIP": Structured(2, ("iHH8s",)),
    "PACKET_STATISTICS": Structured(6, ("2I",), settable=False),
    "NETLINK_LIST_MEMBERSHIPS": Structured(9, ("8I",), settable=False),
}
"""By name: asm-generic/socket.h, linux/in.h, in6.h, tcp.h, icmp.h, if_packet.h, netlink.h."""


def swap(option: Structured, data: bytes, order: str, other: str) -> bytes:
    """*data* in the byte order *order* as the same value in *other*; those of struct.

    A value of *option* that getsockopt cut short is swapped as far as its whole numbers reach. Raises OSError EINVAL
    for fewer bytes than the shortest format.
    """
    if option.text:
        return data
    for form in option.formats:
        size = struct.calcsize("=" + form)
        if len(data) >= size:
            return struct.pack(other + form, *struct.unpack(order + form, data[:size]))
    if option.settable:
        raise OSError(errno.EINVAL, "size")
    size = struct.calcsize("=" + option.formats[0])
    return struct.pack(other + option.formats[0], *struct.unpack(order + option.formats[0], data.ljust(size, b"\0")))[
        : len(data)
    ]
