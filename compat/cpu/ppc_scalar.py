"""Scalar comparisons, minima and maxima of VSX that Unicorn gets wrong, computed here.

FCMPU and FCMPO are the equals of some comparisons (`ppc_exchange`).

XSMAXCDP, XSMINCDP, XSMAXJDP and XSMINJDP take every register for one of the upper 32; XSCMPUDP and XSCMPODP answer
"greater" as well as "unordered". (Power ISA 3.0, book I, 7.6.3: the choice that C's `a > b ? a : b` makes, or Java's.)
"""

from __future__ import annotations

import struct
from typing import NamedTuple

__all__ = ["Operation", "Result", "computed", "operation"]

_COMPARE_MASK, _COMPARE_UNORDERED, _COMPARE_ORDERED = 0xFC60_07F9, 0xF000_0118, 0xF000_0158
_CHOICE_MASK = 0xFC00_07F8
_CHOICES = {0xF000_0400: "maxc", 0xF000_0440: "minc", 0xF000_0480: "maxj", 0xF000_04C0: "minj"}
_LESS, _GREATER, _EQUAL, _UNORDERED = 8, 4, 2, 1
_INVALID, _SIGNALLING, _COMPARED = 0xA000_0000, 1 << 24, 1 << 19
"""Of the FPSCR: FX and VX, VXSNAN, VXVC."""
_VE, _FPCC_SHIFT = 1 << 7, 12


class Operation(NamedTuple):
    """What an instruction does: *name*; *target*, a VSX register or a field of the condition register; its sources."""

    name: str
    target: int
    first: int
    second: int


class Result(NamedTuple):
    """The target's new *value* (64 bits of a number, or 4 condition bits), and the new FPSCR."""

    value: int
    fpscr: int


def operation(word: int) -> Operation | None:
    """What the instruction *word* does; None for another one."""
    first, second = word >> 16 & 31 | (word & 4) << 3, word >> 11 & 31 | (word & 2) << 4
    kind = word & _COMPARE_MASK
    if kind in (_COMPARE_UNORDERED, _COMPARE_ORDERED):
        name = "ordered" if kind == _COMPARE_ORDERED else "unordered"
        return Operation(name, word >> 23 & 7, first, second)
    choice = _CHOICES.get(word & _CHOICE_MASK)
    return None if choice is None else Operation(choice, word >> 21 & 31 | (word & 1) << 5, first, second)


def computed(name: str, first: int, second: int, fpscr: int) -> Result:
    """The result for two numbers of 64 bits. A comparison's is also in FPSCR.FPCC."""
    signalling = any(_is_nan(number) and not number >> 51 & 1 for number in (first, second))
    flags = _INVALID | _SIGNALLING if signalling else 0
    if name in ("ordered", "unordered"):
        value = _compared(first, second)
        if name == "ordered" and value == _UNORDERED and not (signalling and fpscr & _VE):
            flags |= _INVALID | _COMPARED
        fpscr = fpscr & ~(15 << _FPCC_SHIFT) | value << _FPCC_SHIFT
        return Result(value, fpscr | flags)
    return Result(_chosen(name, first, second), fpscr | flags)


def _chosen(name: str, first: int, second: int) -> int:
    left, right = _float(first), _float(second)
    if name.endswith("c"):
        if _is_nan(first) or _is_nan(second):
            return second
        return first if (left >= right if name == "maxc" else left < right) else second
    if _is_nan(first) or _is_nan(second):
        return first if _is_nan(first) else second
    if left == right == 0:  # of two zeros the negative one is less
        return first & second if name == "maxj" else first | second
    return first if (left > right if name == "maxj" else left < right) else second


def _compared(first: int, second: int) -> int:
    if _is_nan(first) or _is_nan(second):
        return _UNORDERED
    left, right = _float(first), _float(second)
    return _LESS if left < right else _GREATER if left > right else _EQUAL


def _is_nan(number: int) -> bool:
    return number & (1 << 63) - 1 > 0x7FF << 52


def _float(number: int) -> float:
    value: float = struct.unpack("<d", number.to_bytes(8, "little"))[0]
    return value
