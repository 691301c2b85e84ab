"""Finds the s390x instructions RISBHG and RISBLG that Unicorn gets wrong, and their equals among RISBGN.

Unicorn inserts the bits of ROTATE THEN INSERT SELECTED BITS HIGH and LOW 32 bits off, into the other half or
nowhere, whenever it does so by one insertion: if the range does not wrap around and either the rest of the half
is kept or there is no rest. RISBGN does the same with the bit numbers of the whole register and touches neither
the other half nor the condition code. (Principles of Operation, chapter 7.) One that EX or EXRL runs is not
found.
"""

from __future__ import annotations

from compat.cpu.family import Wrong

__all__ = ["HALF_INSERT", "without_half_inserts"]

HALF_INSERT = rb"\xec....[\x51\x5d]"
"""A pattern (with DOTALL) that every such instruction matches: format RIE-f, and its opcode's second byte."""

_RIE, _LOW, _HIGH, _WHOLE = 0xEC, 0x51, 0x5D, 0x59
_LENGTHS = (2, 4, 4, 6)
"""Of instructions, by the first two bits."""

_ZERO_REST, _BIT = 0x80, 31


def without_half_inserts(code: bytes) -> Wrong | None:
    """Return a whole block's *code* with all the instructions exchanged that are wrong; None if there are none."""
    better = bytearray(code)
    first: tuple[int, int] | None = None
    at = before = 0
    while at < len(code):
        length = _LENGTHS[code[at] >> 6]
        if (instruction := _whole_insert(code[at : at + length])) is not None:
            better[at : at + length] = instruction
            first = first or (at, before)
        at, before = at + length, before + 1
    return None if first is None else Wrong(*first, bytes(better))


def _whole_insert(code: bytes) -> bytes | None:
    """The RISBGN that is equal to *code*; None if that is something else or not wrong."""
    if len(code) != 6 or code[0] != _RIE or code[5] not in (_LOW, _HIGH):
        return None
    start, end = code[2] & _BIT, code[3] & _BIT
    whole_half = (start, end) == (0, _BIT)
    if start > end or (code[3] & _ZERO_REST and not whole_half):
        return None
    half = 32 if code[5] == _LOW else 0
    return bytes((_RIE, code[1], start + half, end + half, code[4], _WHOLE))
