"""The host's flags and constants by name, found by their prefix in Python's own modules."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import termios
import time
from collections.abc import Sequence
from types import ModuleType

import compat.host.constants as constants
from compat.abi.show import quote, show_number
from compat.trace.hostsockets import show_socket_argument

__all__ = ["show_argument"]

_FLAGS: dict[tuple[str, int], tuple[ModuleType, str]] = {
    ("open", 1): (os, "O_"),
    ("openat", 2): (os, "O_"),
    ("openat2", 2): (os, "O_"),
    ("openat2", 4): (constants, "RESOLVE_"),
    ("fstatat", 2): (constants, "AT_"),
    ("unlinkat", 2): (constants, "AT_REMOVEDIR"),
    ("faccessat", 3): (constants, "AT_"),
    ("linkat", 4): (constants, "AT_SYMLINK_FOLLOW"),
    ("fchmodat", 3): (constants, "AT_"),
    ("fchownat", 4): (constants, "AT_"),
    ("utimensat", 3): (constants, "AT_"),
    ("renameat2", 4): (constants, "RENAME_"),
    ("flock", 1): (fcntl, "LOCK_"),
    ("eventfd", 1): (os, "EFD_"),
    ("memfd_create", 1): (os, "MFD_"),
    ("preadv", 3): (os, "RWF_"),
    ("pwritev", 3): (os, "RWF_"),
}
"""(call, index of the argument) → where the names of its bits are."""

_CONSTANTS: dict[tuple[str, int], tuple[ModuleType, str]] = {
    ("lseek", 2): (os, "SEEK_"),
    ("fcntl", 1): (fcntl, "F_"),
    ("ioctl", 1): (termios, "T"),
    ("kill", 1): (signal, "SIG"),
    ("clock_gettime", 0): (time, "CLOCK_"),
    ("clock_getres", 0): (time, "CLOCK_"),
}
_MODES = {  # -1 is the result
    ("openat", 3),
    ("open", 2),
    ("openat2", 3),
    ("mkdirat", 2),
    ("mknodat", 2),
    ("fchmod", 1),
    ("fchmodat", 2),
    ("umask", 0),
    ("umask", -1),
}


def show_argument(call: str, index: int, arguments: Sequence[object], value: object) -> str:
    """One of the *arguments* of a host call, or its result, as a person reads it."""
    place = (call, index)
    shown = show_socket_argument(call, index, arguments, value)
    if shown is not None:
        return shown
    if place == ("fcntl", 2) and arguments[1] == fcntl.F_SETFL:
        place = ("open", 1)
    if call == "poll" and isinstance(value, list):
        return "[" + ", ".join(f"{{{fd}, {_show_bits(mask, select, 'POLL')}}}" for fd, mask in value) + "]"
    if isinstance(value, bool) or not isinstance(value, int):
        return _show_value(value)
    if place in _FLAGS:
        return _show_bits(value, *_FLAGS[place])
    if place in _CONSTANTS:
        return _show_constant(value, *_CONSTANTS[place])
    if value == constants.AT_FDCWD:
        return "AT_FDCWD"
    return show_number("Mode", value) if place in _MODES else str(value)


def _show_value(value: object) -> str:
    if isinstance(value, bytes):
        return quote(value, 32)
    if isinstance(value, list):
        return "[" + ", ".join(_show_value(each) for each in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_show_value(each)}" for key, each in value.items()) + "}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _show_bits(value: int, module: ModuleType, prefix: str) -> str:
    """A|B|0x10: the widest names first, so that O_TMPFILE hides the O_DIRECTORY in it."""
    texts, rest = list[str](), value
    if prefix == "O_":
        texts.append(("O_RDONLY", "O_WRONLY", "O_RDWR", "0x3")[value & 3])
        rest &= ~3
    for name, bits in _names(module, prefix):
        if bits and rest & bits == bits:
            texts.append(name)
            rest &= ~bits
    if rest:
        texts.append(f"{rest:#x}")
    return "|".join(texts) or "0"


def _show_constant(value: int, module: ModuleType, prefix: str) -> str:
    return next((name for name, number in _names(module, prefix) if number == value), f"{value:#x}")


_ALIASES = ("O_NDELAY", "O_RSYNC", "POLLRDNORM", "POLLRDBAND", "POLLWRNORM", "POLLWRBAND")


def _names(module: ModuleType, prefix: str) -> list[tuple[str, int]]:
    members = vars(module).items()
    found = [(n, int(v)) for n, v in members if n.startswith(prefix) and n not in _ALIASES and isinstance(v, int)]
    return sorted(found, key=lambda item: -item[1].bit_count())
