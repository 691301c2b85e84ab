"""ROTATE THEN ... SELECTED BITS that only test, against their definition; and the square root of a quadruple."""

from __future__ import annotations

import math
import random

import pytest

from tests.cpu.guest import CODE, Guest, program

_ALL = (1 << 64) - 1
_OPERATIONS = {
    0x54: lambda first, second: first & second,
    0x56: lambda first, second: first | second,
    0x57: lambda first, second: first ^ second,
}


def condition(opcode: int, begin: int, end: int, rotation: int, first: int, second: int) -> int:
    """The condition code by the Principles of Operation, chapter 7, bit by bit."""
    rotated = (second << rotation | second >> (64 - rotation)) & _ALL
    result, bit = _OPERATIONS[opcode](first, rotated), begin
    while True:
        if result >> 63 - bit & 1:
            return 1
        if bit == end:
            return 0
        bit = (bit + 1) % 64


def test_condition_codes() -> None:
    guest, rng = Guest("s390x"), random.Random(5)
    found = set()
    for _ in range(120):
        opcode = rng.choice(list(_OPERATIONS))
        begin, end, rotation = (rng.choice((0, 31, 63, rng.randrange(64))) for _ in range(3))
        first, second = (rng.choice((0, 1 << rng.randrange(64), rng.getrandbits(64))) for _ in range(2))
        code = bytes((0xEC, 0x45, begin | 0x80, end | rng.choice((0, 0x80)), rotation, opcode))
        guest.pages.write(CODE, code + program("s390x", "end"))
        guest.machine.invalidate_code(guest.pages.physical(CODE), 8)
        guest.machine.restore({"r4": first, "r5": second})
        assert guest.machine.run(CODE).name == "breakpoint"
        expected = condition(opcode, begin, end, rotation, first, second)
        assert guest.machine.read("pswm") >> 44 & 3 == expected, code.hex()
        assert (guest.machine.read("r4"), guest.machine.read("r5")) == (first, second)
        found.add(expected)
    assert found == {0, 1}


def quadruple(exponent: int, fraction: int) -> int:
    return (exponent + 16383) << 112 | fraction


@pytest.mark.parametrize("before", ["", "0707"])
def test_square_root(before: str) -> None:
    guest = Guest("s390x")
    guest.pages.write(CODE, bytes.fromhex(before + "b3160004") + program("s390x", "end"))  # sqxbr f0, f4
    root = math.isqrt(2 << 226)
    rounded = root >> 1 if not root & 1 else (root >> 1) + 1
    for operand, expected in (
        (quadruple(2, 0), quadruple(1, 0)),
        (quadruple(1, 1 << 109), quadruple(0, 1 << 111)),  # 2.25
        (quadruple(1, 0), quadruple(0, rounded & (1 << 112) - 1)),
    ):
        guest.machine.restore({"f4": operand >> 64, "f6": operand & _ALL, "f0": 0, "f2": 0})
        assert guest.machine.run(CODE).name == "breakpoint"
        state = guest.machine.save()
        assert state["f0"] << 64 | state["f2"] == expected
