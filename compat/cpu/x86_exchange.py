"""x86 instructions that Unicorn gets wrong: illegal ones take their place, and the exception of these does the work."""

from __future__ import annotations

from compat.cpu.family import Wrong
from compat.cpu.x86_horizontal import HORIZONTAL, same_register
from compat.cpu.x86_remainder import REMAINDERS
from compat.cpu.x86_vex import instructions

__all__ = ["SUSPICIOUS", "exchanged"]

SUSPICIOUS = rb"\xd9[\xf5\xf8]|" + HORIZONTAL
"""A pattern (with DOTALL) that every such instruction matches, and some others."""

_ILLEGAL = b"\x0f\x0b"


def exchanged(code: bytes, long: bool) -> Wrong | None:
    """Return a whole block's *code* with all such instructions made illegal; None if there are none."""
    better = bytearray(code)
    first: tuple[int, int] | None = None
    for count, (start, end) in enumerate(instructions(code, long)):
        instruction = code[start:end]
        if instruction in REMAINDERS or same_register(instruction) is not None:
            better[start : start + 2] = _ILLEGAL
            first = first or (start, count)
    return None if first is None else Wrong(*first, bytes(better))
