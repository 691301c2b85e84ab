"""Finds ARM's hints to wait, YIELD and WFE, at which Unicorn ends a run as at an illegal instruction.

A kernel lets user programs run both, and to go on at once is always allowed (ARM Architecture Reference Manual,
"Hint instructions"). Hint 0 is NOP.
"""

from __future__ import annotations

import re

from compat.cpu.family import Wrong

__all__ = ["HINT", "without_hints"]

HINT = re.compile(rb"[\x01\x02]\xf0\x20[\x03-\xe3]|[\x10\x20]\xbf|\xaf\xf3[\x01\x02]\x80", re.DOTALL)
"""What every such instruction matches: ARM with any condition, Thumb in 16 bits and in 32."""

_ARM, _SHORT, _LONG = (
    re.compile(form, re.DOTALL) for form in (rb"[\x01\x02]\xf0\x20.", rb"[\x10\x20]\xbf", rb"\xaf\xf3[\x01\x02]\x80")
)
_NUMBER = {_ARM: 0, _SHORT: 0, _LONG: 2}
"""Which byte of an instruction holds the hint's number and nothing else that is not 0."""


def without_hints(code: bytes, *, thumb: bool) -> Wrong | None:
    """Return a whole block's *code* with NOPs for hints to wait; None if there are none."""
    better = bytearray(code)
    first: tuple[int, int] | None = None
    at = before = 0
    while at < len(code):
        form, size = _form(code, at) if thumb else (_ARM, 4)
        if form.fullmatch(code, at, at + size):
            better[at + _NUMBER[form]] = 0
            first = first or (at, before)
        at, before = at + size, before + 1
    return None if first is None else Wrong(*first, bytes(better))


def _form(code: bytes, at: int) -> tuple[re.Pattern[bytes], int]:
    """A Thumb instruction has 32 bits if its first five are 11101, 11110 or 11111."""
    return (_LONG, 4) if code[at + 1 : at + 2] >= b"\xe8" else (_SHORT, 2)
