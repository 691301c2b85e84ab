"""FPREM and FPREM1 of the x87, exactly: Unicorn computes them in double precision, so that fmod is wrong.

A block with such an instruction gets illegal ones in their place, and what they ask for is done here, in integers.
Source: Intel SDM volume 2, FPREM and FPREM1; volume 1, chapter 8 (formats, NaNs).
"""

from __future__ import annotations

from typing import NamedTuple

from compat.cpu.family import Wrong
from compat.cpu.x86_vex import instructions

__all__ = ["REMAINDERS", "Remainder", "remainder", "without_remainders"]

REMAINDERS = {b"\xd9\xf8": False, b"\xd9\xf5": True}
"""FPREM and FPREM1 → whether the quotient is rounded to the nearest integer instead of cut."""

_ILLEGAL = b"\x0f\x0b"

_INVALID = 1
_C0, _C1, _C2, _C3 = 1 << 8, 1 << 9, 1 << 10, 1 << 14
_DEFAULT_NAN = 0xFFFF << 64 | 3 << 62
_QUIET, _ONE = 1 << 62, 1 << 63
_MOST_BITS = 64
"""How many bits of the quotient one instruction finds at most."""


def without_remainders(code: bytes, long: bool) -> Wrong | None:
    """Return a whole block's *code* with all such instructions made illegal; None if there are none."""
    better = bytearray(code)
    first: tuple[int, int] | None = None
    for count, (start, end) in enumerate(instructions(code, long)):
        if code[start:end] in REMAINDERS:
            better[start:end] = _ILLEGAL
            first = first or (start, count)
    return None if first is None else Wrong(*first, bytes(better))


class Remainder(NamedTuple):
    """The 80-bit *value* for ST(0); *status*, the condition bits and the invalid-operation flag of the status word."""

    value: int
    status: int


class _Parts(NamedTuple):
    """mantissa * 2**(exponent - 16446), negative if *sign*."""

    sign: int
    exponent: int
    mantissa: int

    @classmethod
    def of(cls, number: int) -> _Parts:
        return cls(number >> 79, max(number >> 64 & 0x7FFF, 1), number & (1 << 64) - 1)

    @property
    def size(self) -> int:
        """One more than the exponent of the number's first bit."""
        return self.exponent + self.mantissa.bit_length()

    def pack(self) -> int:
        mantissa, exponent = self.mantissa, self.exponent
        if not mantissa:
            return self.sign << 79
        shift = min(64 - mantissa.bit_length(), exponent - 1)
        mantissa = mantissa << shift if shift >= 0 else mantissa >> -shift
        exponent -= shift
        return self.sign << 79 | (exponent if mantissa & _ONE else 0) << 64 | mantissa


def remainder(dividend: int, divisor: int, *, nearest: bool) -> Remainder:
    """Divide two numbers of 80 bits; the quotient's last bits are in C0, C3 and C1, C2 tells that more is to do."""
    special = _special(dividend, divisor)
    if special is not None:
        return special
    first, second = _Parts.of(dividend), _Parts.of(divisor)
    scale = min(first.exponent, second.exponent)
    left, right = first.mantissa << first.exponent - scale, second.mantissa << second.exponent - scale
    distance = first.size - second.size
    if distance >= _MOST_BITS:
        rest = left % (right << distance - 32 - distance % 32)
        return Remainder(_Parts(first.sign, scale, rest).pack(), _C2)
    quotient, rest = divmod(left, right)
    if nearest and (2 * rest, quotient & 1) > (right, 0):
        quotient, rest = quotient + 1, rest - right
    bits = (quotient & 1) * _C1 | (quotient >> 1 & 1) * _C3 | (quotient >> 2 & 1) * _C0
    return Remainder(_Parts(first.sign ^ (rest < 0), scale, abs(rest)).pack(), bits)


def _special(dividend: int, divisor: int) -> Remainder | None:
    """The answer where an operand is no finite number, or nothing is to be divided."""
    nans = [number for number in (dividend, divisor) if _is_nan(number)]
    if any(_is_unsupported(number) for number in (dividend, divisor)):
        return Remainder(_DEFAULT_NAN, _INVALID)
    if nans:
        signalling = any(not number & _QUIET for number in nans)
        return Remainder(max(nans, key=lambda number: number & _ONE - 1) | _QUIET, _INVALID if signalling else 0)
    if _is_infinite(dividend) or not divisor & (1 << 79) - 1:
        return Remainder(_DEFAULT_NAN, _INVALID)
    if _is_infinite(divisor) or not dividend & (1 << 79) - 1:
        return Remainder(dividend, 0)
    return None


def _is_unsupported(number: int) -> bool:
    """An exponent, and yet no first bit."""
    return bool(number >> 64 & 0x7FFF) and not number & _ONE


def _is_nan(number: int) -> bool:
    return number >> 64 & 0x7FFF == 0x7FFF and bool(number & _ONE - 1)


def _is_infinite(number: int) -> bool:
    return number & (1 << 79) - 1 == 0x7FFF << 64 | _ONE
