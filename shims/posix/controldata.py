"""Control messages of the Internet's families, and of time: how their data differ between guest and host."""

from __future__ import annotations

import errno
import socket as host_names
import struct
from collections.abc import Mapping
from typing import Final, NamedTuple

from compat.host import ControlMessage
from shims.posix.socketfiles import HOST_TIME, Socket
from shims.posix.state import PosixThread

__all__ = ["DATA", "STAMPS", "from_host", "to_host"]


class _Data(NamedTuple):
    """A message by name: its *level*, the *type* that lists its option, and the struct format of its data."""

    level: str
    type: str
    name: str
    format: str


_INTEGER: Final = "i"
_ADDRESS_4: Final = "i8s"  # struct in_pktinfo: the interface's index, two addresses
_ADDRESS_6: Final = "16sI"  # struct in6_pktinfo

DATA: Final[Mapping[tuple[int, int], _Data]] = {
    (0, 1): _Data("SOL_IP", "IpOption", "IP_TOS", "B"),
    (0, 2): _Data("SOL_IP", "IpOption", "IP_TTL", _INTEGER),
    (0, 8): _Data("SOL_IP", "IpOption", "IP_PKTINFO", _ADDRESS_4),
    (41, 50): _Data("SOL_IPV6", "Ipv6Option", "IPV6_PKTINFO", _ADDRESS_6),
    (41, 52): _Data("SOL_IPV6", "Ipv6Option", "IPV6_HOPLIMIT", _INTEGER),
    (41, 67): _Data("SOL_IPV6", "Ipv6Option", "IPV6_TCLASS", _INTEGER),
}
"""By the host's level and type: linux/in.h, linux/in6.h."""

STAMPS: Final[Mapping[tuple[int, int], str]] = {
    (host_names.SOL_SOCKET, 29): "usec",
    (host_names.SOL_SOCKET, 35): "nsec",
}
"""SCM_TIMESTAMP and SCM_TIMESTAMPNS of asm-generic/socket.h, and what their second number counts."""


def to_host(thread: PosixThread, level: str, number: int, data: bytes) -> ControlMessage:
    """The host's message; raises OSError EINVAL for one that is not known here or of another size."""
    for (host_level, host_number), known in DATA.items():
        if known.level == level and thread.abi.constants(known.type).decode(number) == known.name:
            return ControlMessage(host_level, host_number, _repack(data, known, thread.abi.cpu.order, "@"))
    raise OSError(errno.EINVAL, f"control message {level}/{number}")


def _repack(data: bytes, known: _Data, order: str, other: str) -> bytes:
    form = known.format
    if form == "B" and len(data) == 4:
        form = _INTEGER  # IP_TOS may be sent as an int: ip_cmsg_send()
    try:
        return struct.pack(other + form, *struct.unpack(order + form, data))
    except struct.error:
        raise OSError(errno.EINVAL, f"size of {known.name}") from None


def from_host(thread: PosixThread, kind: Socket, level: int, number: int, data: bytes) -> tuple[str, int, bytes]:
    """The guest's level by name, type and data of a message in `DATA` or `STAMPS`."""
    unit = STAMPS.get((level, number))
    if unit is None:
        known = DATA[level, number]
        return (
            known.level,
            thread.abi.constants(known.type).encode(known.name),
            _repack(data, known, "@", thread.abi.cpu.order),
        )
    seconds, parts = HOST_TIME.unpack(data)
    struct_name = {"usec": "Timeval", "nsec": "Timespec"}[unit] + ("64" if kind.stamp.endswith("_NEW") else "")
    raw = thread.abi.layout(struct_name).pack({"sec": seconds, unit: parts})
    return "SOL_SOCKET", thread.abi.constants("SocketOption").encode(kind.stamp), raw
