"""Finds the s390x instructions that read the clock and the list of facilities, of which Unicorn has neither.

It stores zeros, or nothing. Such an instruction is exchanged for one that is illegal; what happens then is told to
the guest's operating system by name: "clock" or "facilities". One that EX or EXRL runs is not found.
"""

from __future__ import annotations

from compat.cpu.family import Wrong

__all__ = ["CLOCK_READER", "exception_name", "without_clock_readers"]

CLOCK_READER = rb"\xb2[\x05\x78\x7c\xb0]"
"""A pattern that each such instruction matches."""

_NAMES = {b"\xb2\x05": "clock", b"\xb2\x7c": "clock", b"\xb2\x78": "clock", b"\xb2\xb0": "facilities"}
"""STCK, STCKF, STCKE; STFLE."""
_ILLEGAL = b"\xb2\x00\x00\x00"
_LENGTHS = (2, 4, 4, 6)
"""Of instructions, by the first two bits."""


def exception_name(code: bytes) -> str:
    """What the operation exception at an instruction that begins with the two bytes *code* means."""
    return _NAMES.get(code, "illegal")


def without_clock_readers(code: bytes) -> Wrong | None:
    """Return a whole block's *code* with all such instructions made illegal; None if there are none."""
    better = bytearray(code)
    first: tuple[int, int] | None = None
    at = before = 0
    while at < len(code):
        length = _LENGTHS[code[at] >> 6]
        if code[at : at + 2] in _NAMES:
            better[at : at + length] = _ILLEGAL
            first = first or (at, before)
        at, before = at + length, before + 1
    return None if first is None else Wrong(*first, bytes(better))
