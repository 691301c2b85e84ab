"""Finds the PowerPC instructions that read the time base, for which Unicorn gives 0.

Each is exchanged for an illegal one, and the exception of that does the reading. (Power ISA 3.0, book II, 6.1: MFTB,
and MFSPR of the numbers 268 and 269.)
"""

from __future__ import annotations

import re
import struct

from compat.cpu.family import Wrong

__all__ = ["TICKS_PER_SECOND", "TIME_READER_BIG", "TIME_READER_LITTLE", "time_read", "without_time_readers"]

TICKS_PER_SECOND = 512_000_000
"""Of the time base, as on every POWER; /proc/cpuinfo tells it too."""

TIME_READER_BIG = re.compile(rb"[\x7c-\x7f].\x42[\xa6\xe6]", re.DOTALL)
TIME_READER_LITTLE = re.compile(rb"[\xa6\xe6]\x42.[\x7c-\x7f]", re.DOTALL)
"""What every such instruction matches."""

_MASK, _LOWER, _UPPER = 0xFC1F_FFBF, 0x7C0C_42A6, 0x7C0D_42A6
"""MFTB differs from MFSPR in one bit, which the mask leaves out."""


def time_read(word: int, nanoseconds: int, bits: int) -> tuple[int, int] | None:
    """The register that the instruction *word* sets, and the value at *nanoseconds*; None for another instruction."""
    kind = word & _MASK
    if kind not in (_LOWER, _UPPER):
        return None
    ticks = nanoseconds * TICKS_PER_SECOND // 1_000_000_000
    return word >> 21 & 31, ticks >> 32 if kind == _UPPER else ticks & (1 << bits) - 1


def without_time_readers(code: bytes, order: str) -> Wrong | None:
    """Return a whole block's *code* with all such instructions made illegal; None if there are none."""
    words = [word for (word,) in struct.iter_unpack(order + "I", code[: len(code) & -4])]
    found = [k for k, word in enumerate(words) if word & _MASK in (_LOWER, _UPPER)]
    if not found:
        return None
    better = struct.pack(f"{order}{len(words)}I", *(0 if k in found else word for k, word in enumerate(words)))
    return Wrong(4 * found[0], found[0], better)
