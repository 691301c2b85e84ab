"""PHADDW, PHADDD, PHADDSW and their PHSUB kin with twice the same register, as in the sum of a vector's elements.

Unicorn writes the lower half of the result before it reads the upper half's operands. What they ask for is done here;
those of MMX, which nobody uses, stay wrong. Source: Intel SDM volume 2, PHADDW and PHSUBW, PHADDSW, PHSUBSW.
"""

from __future__ import annotations

import struct

__all__ = ["HORIZONTAL", "added", "same_register"]

HORIZONTAL = rb"\x66[\x40-\x4f]?\x0f\x38[\x01-\x03\x05-\x07][\xc0-\xff]"
"""A pattern that each such instruction matches, and those with two registers."""

_SIZES = {1: "h", 2: "i", 3: "h", 5: "h", 6: "i", 7: "h"}
_SATURATED, _SUBTRACTED = (3, 7), 4


def same_register(instruction: bytes) -> tuple[int, int] | None:
    """(the opcode's last byte, the register's number), if that is what *instruction* begins with; else None."""
    if instruction[:1] != b"\x66":
        return None
    rex = instruction[1] if instruction[1:2] and instruction[1] & 0xF0 == 0x40 else 0
    rest = instruction[2:6] if rex else instruction[1:5]
    if len(rest) < 4 or rest[:2] != b"\x0f\x38" or rest[2] not in _SIZES or rest[3] < 0xC0:
        return None
    target, source = rest[3] >> 3 & 7 | (rex & 4) << 1, rest[3] & 7 | (rex & 1) << 3
    return (rest[2], target) if target == source else None


def added(opcode: int, value: int) -> int:
    """The result for a register of 128 bits that holds *value*."""
    kind = _SIZES[opcode]
    bits = 8 * struct.calcsize(kind)
    elements = struct.unpack(f"<{128 // bits}{kind}", value.to_bytes(16, "little"))
    sums = [_sum(opcode, elements[k], elements[k + 1], bits) for k in range(0, len(elements), 2)]
    half = sum(each << bits * k for k, each in enumerate(sums))
    return half << 64 | half


def _sum(opcode: int, first: int, second: int, bits: int) -> int:
    number = first - second if opcode & _SUBTRACTED else first + second
    if opcode in _SATURATED:
        number = max(-1 << bits - 1, min(number, (1 << bits - 1) - 1))
    return number & (1 << bits) - 1
