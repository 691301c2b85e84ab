"""FPREM and FPREM1 against rational arithmetic, and in the machine."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from compat.cpu.family import Wrong
from compat.cpu.x86_remainder import remainder, without_remainders
from tests.cpu.guest import CODE, DATA, Guest, program

_NAN, _INFINITY, _ONE = 0xFFFF << 64 | 3 << 62, 0x7FFF << 64 | 1 << 63, 0x3FFF << 64 | 1 << 63
_C0, _C1, _C2, _C3 = 1 << 8, 1 << 9, 1 << 10, 1 << 14


def value(number: int) -> Fraction:
    """The exact value of a finite number of 80 bits."""
    exponent = max(number >> 64 & 0x7FFF, 1) - 16446
    size = Fraction(number & (1 << 64) - 1) * Fraction(2) ** exponent
    return -size if number >> 79 else size


def number(rng: random.Random, exponent: int) -> int:
    """One of 80 bits, of either sign, denormal if *exponent* is 0."""
    mantissa = rng.getrandbits(63) | 1 << 63 if exponent else rng.getrandbits(63) >> rng.randrange(60) | 1
    return rng.randrange(2) << 79 | exponent << 64 | mantissa


def operands(count: int) -> list[tuple[int, int]]:
    rng = random.Random(5)
    pairs = []
    for k in range(count):
        exponents = rng.choice((0, 1, 5, rng.randrange(0x7FFF))), rng.choice((0, 1, 70, rng.randrange(0x7FFF)))
        if k % 2:
            exponents = exponents[0], max(0, min(exponents[0] + rng.randrange(-140, 5), 0x7FFE))
        first, second = (number(rng, exponent) for exponent in exponents)
        pairs.append((first, second))
    return [(a, b) for a, b in pairs if value(b)]


@pytest.mark.parametrize("nearest", [False, True])
def test_against_rational_arithmetic(nearest: bool) -> None:
    for dividend, divisor in operands(3000):
        found = remainder(dividend, divisor, nearest=nearest)
        left, right = value(dividend), value(divisor)
        if found.status & _C2:
            assert abs(value(found.value)) < abs(left)
            assert ((left - value(found.value)) / right).denominator == 1
            continue
        quotient = round(left / right) if nearest else int(left / right)
        assert value(found.value) == left - quotient * right
        bits = abs(quotient)
        told = (bits & 1) * _C1 | (bits >> 1 & 1) * _C3 | (bits >> 2 & 1) * _C0
        assert found.status == told


@pytest.mark.parametrize(
    ("dividend", "divisor", "expected", "status"),
    [
        (_INFINITY, _ONE, _NAN, 1),
        (_ONE, 0, _NAN, 1),
        (_ONE, _INFINITY, _ONE, 0),
        (1 << 79, _ONE, 1 << 79, 0),
        (_NAN, _ONE, _NAN, 0),
        (_ONE, 0x7FFF << 64 | 1 << 63 | 5, 0x7FFF << 64 | 3 << 62 | 5, 1),
        (0x4000 << 64 | 5, _ONE, _NAN, 1),
        (1 << 79 | _ONE, _ONE, 1 << 79, _C1),
    ],
)
def test_special_operands(dividend: int, divisor: int, expected: int, status: int) -> None:
    assert remainder(dividend, divisor, nearest=False) == (expected, status)


@pytest.mark.parametrize("cpu", ["x86", "x86-64"])
@pytest.mark.parametrize(("name", "expected", "status"), [("remainder", 5, _C1), ("nearest", -2, _C3)])
def test_in_the_machine(cpu: str, name: str, expected: int, status: int) -> None:
    guest = Guest(cpu)
    number = {k: (0x3FFF + k.bit_length() - 1) << 64 | k << 64 - k.bit_length() for k in (2, 5, 7, 12)}
    guest.pages.write(DATA, number[12].to_bytes(16, "little") + number[7].to_bytes(16, "little"))
    for _ in range(2):
        assert guest.run(name, address=DATA).name == "breakpoint"
        stored = int.from_bytes(guest.pages.read(DATA + 32, 10), "little")
        assert stored == number[abs(expected)] | (expected < 0) << 79
        assert guest["result"] & (_C0 | _C1 | _C2 | _C3 | 1) == status
    code = program(cpu, name)
    assert guest.pages.read(CODE, len(code)) == code


def test_an_exception_that_is_not_masked() -> None:
    guest = Guest("x86-64")
    guest.pages.write(DATA, _INFINITY.to_bytes(16, "little") + _ONE.to_bytes(32, "little") + b"\x7e\x03")
    stop = guest.run("unmasked", address=DATA)
    assert (stop.kind, stop.name) == ("exception", "float")
    assert guest["result"] & 0x8081 == 0x8081
    assert guest.machine.read("st0") == _INFINITY


def test_what_is_exchanged() -> None:
    wrong = without_remainders(bytes.fromhex("d9c0 b8d9f80000 d9f5 d9f8"), long=True)
    assert wrong is not None
    assert wrong == Wrong(7, 2, bytes.fromhex("d9c0 b8d9f80000 0f0b 0f0b"))
    assert without_remainders(bytes.fromhex("b8d9f80000"), long=True) is None
