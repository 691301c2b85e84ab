"""ROTATE THEN INSERT SELECTED BITS, which Unicorn gets wrong for halves of a register, against its definition."""

from __future__ import annotations

import random

import pytest

from compat.cpu.s390x_insert import without_half_inserts
from tests.cpu.guest import CODE, EXEC, Guest, program

_ALL = (1 << 64) - 1
_OPCODES = {0x5D: (32, 32), 0x51: (0, 32), 0x59: (0, 64), 0x55: (0, 64)}
"""By an opcode's second byte: the lowest bit and the width of what it changes."""


def defined(opcode: int, i3: int, i4: int, i5: int, target: int, source: int) -> int:
    """The result by the Principles of Operation, chapter 7."""
    low, width = _OPCODES[opcode]
    rotated = (source << (i5 & 63) | source >> (64 - (i5 & 63))) & _ALL
    bit, end = i3 & (width - 1), i4 & (width - 1)
    selected = 1 << (width - 1 - bit)
    while bit != end:
        bit = (bit + 1) & (width - 1)
        selected |= 1 << (width - 1 - bit)
    selected <<= low
    changed = ((1 << width) - 1) << low if i4 & 0x80 else selected
    return target & ~changed | rotated & selected


def cases() -> list[tuple[int, int, int, int]]:
    rng = random.Random(3)
    edges = (0, 31, 32, 63)
    some = [
        (opcode, rng.choice((*edges, rng.randrange(64))), rng.choice((*edges, rng.randrange(64))), rng.randrange(64))
        for opcode in _OPCODES
        for _ in range(60)
    ]
    return [(op, i3, i4 | zero, i5) for op, i3, i4, i5 in some for zero in (0, 0x80)]


def test_results_are_the_defined_ones_and_the_code_is_the_guests() -> None:
    guest = Guest("s390x")
    rng = random.Random(4)
    for case in cases():
        opcode, i3, i4, i5 = case
        code = bytes((0xEC, 0x45, i3, i4, i5, opcode))
        guest.pages.write(CODE, code + program("s390x", "end"))
        guest.machine.invalidate_code(guest.pages.physical(CODE), 8)
        target, source = rng.getrandbits(64), rng.getrandbits(64)
        guest.machine.restore({"r4": target, "r5": source})
        assert guest.machine.run(CODE).name == "breakpoint"
        assert guest.machine.read("r4") == defined(*case, target, source), case
        assert guest.pages.read(CODE, 6) == code


def test_over_the_end_of_a_page() -> None:
    guest = Guest("s390x")
    guest.pages.map(CODE + 0x1000, EXEC)
    code = bytes.fromhex("ec45001f205d")
    guest.pages.write(CODE + 0xFFC, code[:4])
    guest.pages.write(CODE + 0x1000, code[4:] + program("s390x", "end"))
    guest.machine.restore({"r4": 1, "r5": 7})
    assert guest.machine.run(CODE + 0xFFC).name == "breakpoint"
    assert guest.machine.read("r4") == 7 << 32 | 1
    assert guest.pages.read(CODE + 0xFFC, 4) + guest.pages.read(CODE + 0x1000, 2) == code


def test_shared_code_that_must_not_change_is_refused() -> None:
    guest = Guest("s390x")
    guest.pages.may_change = False
    guest.pages.write(CODE, bytes.fromhex("a7290001 ec45001f205d"))
    stop = guest.machine.run(CODE)
    assert (stop.kind, stop.name, stop.address) == ("exception", "illegal", CODE + 4)


@pytest.mark.parametrize(
    ("code", "better"),
    [
        ("ec45001f205d", "ec45001f2059"),
        ("ec45009f205d", "ec45001f2059"),
        ("ec450208ff51", "ec452228ff59"),
        ("0700 a7290001 ec450208ff51", "0700 a7290001 ec452228ff59"),
        ("ec450288ff51", None),
        ("ec450802ff51", None),
        ("ec45001f2055", None),
        ("c0ec000000ec 510000005d", None),
    ],
)
def test_what_is_exchanged(code: str, better: str | None) -> None:
    wrong = without_half_inserts(bytes.fromhex(code))
    assert (None if wrong is None else wrong.better) == (None if better is None else bytes.fromhex(better))
