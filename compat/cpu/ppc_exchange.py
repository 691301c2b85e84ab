"""PowerPC instructions that Unicorn gets wrong, and what is put in their place while a block is translated.

- Of the time base (MFTB, and MFSPR 268 and 269; Power ISA 3.0, book II, 6.1) it reads 0. An illegal instruction takes
  the place, and the exception of that does the reading.
- Of the scalar operations in `ppc_scalar` two are the same as FCMPU and FCMPO for the first 32 registers; an illegal
  instruction takes the place of the others.
"""

from __future__ import annotations

import re
import struct

from compat.cpu.family import Wrong
from compat.cpu.ppc_scalar import operation

__all__ = ["SUSPICIOUS_BIG", "SUSPICIOUS_LITTLE", "TICKS_PER_SECOND", "exchanged", "time_read"]

TICKS_PER_SECOND = 512_000_000
"""Of the time base, as on every POWER; /proc/cpuinfo tells it too."""

_TIME_MASK, _LOWER, _UPPER = 0xFC1F_FFBF, 0x7C0C_42A6, 0x7C0D_42A6
"""MFTB differs from MFSPR in one bit, which the mask leaves out."""
_COMPARES, _COMPARE_OPERANDS = {"unordered": 0xFC00_0000, "ordered": 0xFC00_0040}, 0x039F_F800
_ILLEGAL, _UPPER_REGISTER = 0, 32

_COMPARE, _CHOICE = rb"[\x18-\x1f\x58-\x5f]", rb"[\x00-\x07\x40-\x47\x80-\x87\xc0-\xc7]"
SUSPICIOUS_BIG = re.compile(rb"[\x7c-\x7f].\x42[\xa6\xe6]|[\xf0-\xf3]..(?:%b|%b)" % (_COMPARE, _CHOICE), re.DOTALL)
SUSPICIOUS_LITTLE = re.compile(rb"[\xa6\xe6]\x42.[\x7c-\x7f]|(?:%b|%b)..[\xf0-\xf3]" % (_COMPARE, _CHOICE), re.DOTALL)
"""What every such instruction matches, and some others."""


def time_read(word: int, nanoseconds: int, bits: int) -> tuple[int, int] | None:
    """The register that the instruction *word* sets, and the value at *nanoseconds*; None for another instruction."""
    kind = word & _TIME_MASK
    if kind not in (_LOWER, _UPPER):
        return None
    ticks = nanoseconds * TICKS_PER_SECOND // 1_000_000_000
    return word >> 21 & 31, ticks >> 32 if kind == _UPPER else ticks & (1 << bits) - 1


def exchanged(code: bytes, order: str) -> Wrong | None:
    """Return a whole block's *code* with all such instructions exchanged; None if there are none."""
    words = [word for (word,) in struct.iter_unpack(order + "I", code[: len(code) & -4])]
    better = [_better(word) for word in words]
    if better == words:
        return None
    first = next(k for k, word in enumerate(words) if word != better[k])
    return Wrong(4 * first, first, struct.pack(f"{order}{len(words)}I", *better))


def _better(word: int) -> int:
    if word & _TIME_MASK in (_LOWER, _UPPER):
        return _ILLEGAL
    found = operation(word)
    if found is None:
        return word
    low = found.first < _UPPER_REGISTER > found.second
    if found.name in _COMPARES:
        return _COMPARES[found.name] | word & _COMPARE_OPERANDS if low else _ILLEGAL
    return _ILLEGAL
