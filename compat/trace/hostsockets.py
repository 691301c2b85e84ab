"""The host's calls on sockets as a person reads them: families, flags, options by their level, addresses."""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from compat.abi.addresses import show_address
from compat.abi.show import quote

__all__ = ["show_socket_argument"]

_LEVELS: Final[Mapping[int, tuple[str, str]]] = {
    0: ("SOL_IP", "IP_"), 1: ("SOL_SOCKET", "SO_"), 6: ("SOL_TCP", "TCP_"), 17: ("SOL_UDP", "UDP_"),
    41: ("SOL_IPV6", "IPV6_"), 255: ("SOL_RAW", ""), 263: ("SOL_PACKET", ""), 270: ("SOL_NETLINK", ""),
}  # fmt: skip
"""Names of levels, and how those of their options begin in Python's module."""

_NO_OPTIONS: Final = ("IP_DEFAULT_", "IP_MAX_", "SO_J1939_", "SO_VM_SOCKETS_")
"""How names begin that are no options of the level."""

_FAMILY, _TYPE, _FLAGS, _LEVEL, _OPTION, _HOW, _ADDRESS = range(7)
_KINDS: Final[Mapping[str, Mapping[int, int]]] = {
    "socket": {0: _FAMILY, 1: _TYPE},
    "socketpair": {0: _FAMILY, 1: _TYPE},
    "unprivileged_socket": {0: _FAMILY, 1: _TYPE},
    "bind": {1: _ADDRESS},
    "connect": {1: _ADDRESS},
    "accept4": {1: _TYPE},
    "getsockname": {-1: _ADDRESS},
    "getpeername": {-1: _ADDRESS},
    "sendto": {2: _FLAGS, 3: _ADDRESS},
    "sendmsg": {2: _FLAGS, 3: _ADDRESS},
    "recvmsg": {2: _FLAGS},
    "getsockopt": {1: _LEVEL, 2: _OPTION},
    "setsockopt": {1: _LEVEL, 2: _OPTION},
    "shutdown": {1: _HOW},
}
"""What each argument is; -1 is the result."""


def show_socket_argument(call: str, index: int, arguments: Sequence[object], value: object) -> str | None:
    """The argument *index* of *call*, or its result; None for what is no different in a call on sockets."""
    if index == -1 and call == "accept4" and isinstance(value, list):
        return f"[{value[0]}, {_address(value[1])}]"
    if index == -1 and call == "recvmsg" and isinstance(value, dict):
        return _received(value)
    kind = _KINDS.get(call, {}).get(index)
    if kind == _ADDRESS and isinstance(value, bytes):
        return _address(value)
    if kind is None or not isinstance(value, int):
        return None
    return _number(kind, arguments, value)


def _number(kind: int, arguments: Sequence[object], value: int) -> str:
    if kind == _FAMILY:
        return _one("AF_", value)
    if kind == _TYPE:
        return "|".join([_one("SOCK_", value & 0xF), *_bits("SOCK_", value & ~0xF)]) if value & 0xF else _flags(value)
    if kind == _FLAGS:
        return "|".join(_bits("MSG_", value)) or "0"
    if kind == _HOW:
        return _one("SHUT_", value)
    level, prefix = _LEVELS.get(value if kind == _LEVEL else int(str(arguments[1])), (str(value), ""))
    return level if kind == _LEVEL else _one(prefix, value)


def _flags(value: int) -> str:
    return "|".join(_bits("SOCK_", value)) or "0"


def _names(prefix: str) -> dict[int, str]:
    """Names of Python's module by number."""
    found = {int(each): name for name, each in vars(socket).items() if _is_number(name, prefix, each)}
    return found if prefix else {}


def _is_number(name: str, prefix: str, value: object) -> bool:
    return name.startswith(prefix) and not name.startswith(_NO_OPTIONS) and isinstance(value, int)


def _one(prefix: str, value: int) -> str:
    return _names(prefix).get(value, str(value))


def _bits(prefix: str, value: int) -> list[str]:
    names = _names(prefix)
    bits = [1 << k for k in range(value.bit_length()) if value >> k & 1]
    return [names.get(bit, f"{bit:#x}") for bit in bits]


def _address(raw: object) -> str:
    """A struct sockaddr of this host."""
    if not isinstance(raw, bytes) or len(raw) < 2:
        return "NULL"
    return show_address(_one("AF_", int.from_bytes(raw[:2], sys.byteorder)), raw)


def _received(found: Mapping[str, object]) -> str:
    """What recvmsg gave, without what is empty."""
    data, flags, control = found["data"], found["flags"], found["control"]
    assert isinstance(data, bytes)
    assert isinstance(flags, int)
    parts = [quote(data, 32), *_bits("MSG_", flags)]
    if found["address"]:
        parts.append(f"from {_address(found['address'])}")
    if isinstance(control, list):
        parts += [_control(each) for each in control]
    return f"{{{', '.join(parts)}}}, {found['size']}"


def _control(message: Mapping[str, object]) -> str:
    level, data = int(str(message["level"])), message["data"]
    assert isinstance(data, bytes)
    name, prefix = _LEVELS.get(level, (str(level), ""))
    kind = int(str(message["type"]))
    known = {1: "SCM_RIGHTS", 2: "SCM_CREDENTIALS"}.get(kind) if name == "SOL_SOCKET" else None
    return f"{name}/{known or _one(prefix, kind)} {quote(data, 32)}"
