"""The host's flags and constants by name, found by their prefix in Python's own modules."""

from __future__ import annotations

import fcntl
import os
import signal
import termios
from types import ModuleType

import compat.host.constants as constants
from compat.abi.show import quote

__all__ = ["show_argument"]

_FLAGS: dict[tuple[str, int], tuple[ModuleType, str]] = {
    ("open", 1): (os, "O_"),
    ("openat", 2): (os, "O_"),
    ("openat2", 2): (os, "O_"),
    ("openat2", 4): (constants, "RESOLVE_"),
    ("pipe2", 0): (os, "O_"),
    ("fstatat", 2): (constants, "AT_"),
    ("unlinkat", 2): (constants, "AT_"),
    ("faccessat", 3): (constants, "AT_"),
    ("fchmodat", 3): (constants, "AT_"),
    ("fchownat", 4): (constants, "AT_"),
    ("utimensat", 3): (constants, "AT_"),
    ("renameat2", 4): (constants, "RENAME_"),
    ("flock", 1): (fcntl, "LOCK_"),
    ("eventfd", 1): (os, "EFD_"),
    ("memfd_create", 1): (os, "MFD_"),
}
"""(call, index of the argument) → where the names of its bits are."""

_CONSTANTS: dict[tuple[str, int], tuple[ModuleType, str]] = {
    ("lseek", 2): (os, "SEEK_"),
    ("fcntl", 1): (fcntl, "F_"),
    ("ioctl", 1): (termios, "T"),
    ("kill", 1): (signal, "SIG"),
}
_MODES = {("openat", 3), ("open", 2), ("openat2", 3), ("mkdirat", 2), ("mknodat", 2), ("fchmod", 1), ("fchmodat", 2)}


def show_argument(call: str, index: int, value: object) -> str:
    """One argument of a host call as a person reads it."""
    place = (call, index)
    if isinstance(value, bool) or not isinstance(value, int):
        return _show_value(value)
    if place in _FLAGS:
        return _show_bits(value, *_FLAGS[place])
    if place in _CONSTANTS:
        return _show_constant(value, *_CONSTANTS[place])
    if value == constants.AT_FDCWD:
        return "AT_FDCWD"
    return f"0{value:o}" if place in _MODES else str(value)


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


def _names(module: ModuleType, prefix: str) -> list[tuple[str, int]]:
    found = [(n, int(v)) for n, v in vars(module).items() if n.startswith(prefix) and isinstance(v, int)]
    return sorted(found, key=lambda item: -item[1].bit_count())
