"""Long runs of MIPS code without a jump, and what such a run needs so that Unicorn can translate it.

Unicorn's translator loses a temporary per instruction and crashes the process in a block of more than about 360
instructions. A call at each instruction (`Engine.weigh_down`) makes most code so heavy that its blocks end before.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from itertools import accumulate, pairwise

__all__ = ["cuts", "straight_runs"]

_LONG = 100
_LONG_RUN = re.compile(rb"\0{%d,}" % _LONG)
_MOST, _FULL = 360, 4000
"""A block of so many instructions is known to be well, and so many operations end a block."""

_ENDS_BLOCK = bytes(1 if major >> 2 in (2, 3, 4, 5, 6, 7, 20, 21, 22, 23) else 0 for major in range(256))
"""By an instruction's first byte: whether it surely ends a block (a branch that is none of REGIMM)."""


def straight_runs(code: memoryview, order: str) -> list[tuple[int, Sequence[int]]]:
    """The long runs of *code* that no instruction ends: each the index of its first instruction, and its words.

    *order* is that of the struct module. The most significant bytes alone rule most pages out.
    """
    first = bytes(code[0 if order == ">" else 3 :: 4]).translate(_ENDS_BLOCK)
    likely = [run.span() for run in _LONG_RUN.finditer(first)]
    if not likely:
        return []
    words = struct.unpack(f"{order}{len(code) // 4}I", code)
    spans = [span for run in likely for span in _straight(words, *run)]
    return [(begin, words[begin:end]) for begin, end in spans]


def _straight(words: Sequence[int], begin: int, end: int) -> list[tuple[int, int]]:
    """The long runs from *begin* to *end* without the other instructions that surely end a block: jumps to a
    register, calls and breakpoints."""
    ends = [i for i in range(begin, end) if words[i] & 0xFC00003E in (0x8, 0xC)]  # JR, JALR; SYSCALL, BREAK
    spans = pairwise([begin - 1, *ends, end])
    return [(before + 1, after) for before, after in spans if after - before > _LONG]


def _operations(word: int) -> int:
    """At least how many operations a heavy instruction is."""
    major, rt, rd = word >> 26, word >> 16 & 31, word >> 11 & 31
    if major in (0x00, 0x1C, 0x1F):  # SPECIAL, SPECIAL2, SPECIAL3: nothing is done for $0
        return 10 if rd == 0 or (rt == 0 and major == 0x1F) else 11
    if major in (0x2F, 0x33) or (rt == 0 and (8 <= major <= 0xF or major in (0x18, 0x19))):  # CACHE, PREF; to $0
        return 10
    return 13 if major >= 0x20 or major in (0x1A, 0x1B) else 11  # loads and stores; others


def _may_run_again(word: int) -> bool:
    """Whether an instruction surely gives the same when run twice: plain logic whose result is no operand, or $0."""
    major, rs, rt, rd = word >> 26, word >> 21 & 31, word >> 16 & 31, word >> 11 & 31
    if major == 0:  # SLL; ADDU, AND, OR, XOR, NOR, DADDU
        return (word & 0x7FF) in (0, 0x21, 0x24, 0x25, 0x26, 0x27, 0x2D) and (rd == 0 or rd not in (rs, rt))
    return 9 <= major <= 0xF and rt != rs


def cuts(words: Sequence[int]) -> list[int] | None:
    """Where a straight run must be cut so that no block of it has too many instructions: behind some that may run
    again. None if there are none where they are needed."""
    before = [0, *accumulate(map(_operations, words))]
    found: list[int] = []
    start = 0
    while start + _MOST < len(words):
        if before[start + _MOST] - before[start] >= _FULL:
            start += 1
            continue
        places = range(start + _MOST - 1, start, -1)
        cut = next((i for i in places if _may_run_again(words[i - 1])), None)
        if cut is None:
            return None
        found.append(cut)
        start = cut
    return found
