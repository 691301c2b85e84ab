"""Finds VEX-encoded vector instructions in x86 code.

Unicorn decodes them as the two-operand SSE instructions of the same opcode and silently computes something
else, so a block that contains one must not run. Only the general-register instructions of BMI1 and BMI2 are
right. Opcode facts: Intel SDM volume 2, appendix A.
"""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["POSSIBLE_VEX", "first_vector_instruction", "instructions"]

POSSIBLE_VEX = (
    rb"\xc5.[\x10-\x17\x28-\x2f\x41-\x4b\x50-\x7f\x90-\x99\xae\xc2\xc4-\xc6\xd0-\xff]"
    rb"|\xc4[\x01-\x03\x21-\x23\x41-\x43\x61-\x63\x81-\x83\xa1-\xa3\xc1-\xc3\xe1-\xe3]"
)
"""A pattern (with DOTALL) that every vector instruction in VEX encoding matches, and one block in a hundred without."""

_PREFIXES = frozenset(b"\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3")
_BMI = frozenset({(2, 0xF2), (2, 0xF3), (2, 0xF5), (2, 0xF6), (2, 0xF7), (3, 0xF0)})


def _numbers(text: str) -> frozenset[int]:
    """The opcodes of "00-03 62" and so on."""
    spans = (item.split("-") for item in text.split())
    return frozenset(number for span in spans for number in range(int(span[0], 16), int(span[-1], 16) + 1))


_MODRM = _numbers(
    "00-03 08-0b 10-13 18-1b 20-23 28-2b 30-33 38-3b 62 63 69 6b 80-8f c0 c1 c4-c7 d0-d3 d8-df f6 f7 fe ff"
)
_BYTE = _numbers("04 0c 14 1c 24 2c 34 3c 6a 6b 70-7f 80 82 83 a8 b0-b7 c0 c1 c6 cd d4 d5 e0-e7 eb")
_WORD = _numbers("c2 ca")
_OPERAND = _numbers("05 0d 15 1d 25 2d 35 3d 68 69 81 a9 c7 e8 e9")
_MODRM_FREE_0F = _numbers("05-09 0b 0e 30-37 77 80-8f a0-a2 a8-aa c8-cf")
_BYTE_0F = _numbers("0f 70-73 a4 ac ba c2 c4-c6")
_OPERAND_0F = _numbers("80-8f")


class _Reader:
    """One pass over a block's code."""

    def __init__(self, code: bytes, long: bool) -> None:
        self.code = code
        self.long = long
        self.at = 0
        self.operand = 4
        self.wide = False
        self.short_address = False

    def byte(self) -> int:
        value = self.code[self.at]
        self.at += 1
        return value

    def instruction(self) -> bool:
        """Step over one instruction; False, and not stepped, at a vector instruction in VEX encoding."""
        start = self.at
        opcode = self._prefixes()
        if opcode in (0xC4, 0xC5) and (self.long or self.code[self.at] >= 0xC0):
            if not self._vex(opcode):
                self.at = start
                return False
        elif opcode == 0x0F:
            self._two_byte(self.byte())
        else:
            self._one_byte(opcode)
        return True

    def _prefixes(self) -> int:
        self.operand, self.wide, self.short_address = 4, False, False
        while (value := self.byte()) in _PREFIXES:
            if value == 0x66:
                self.operand = 2
            elif value == 0x67:
                self.short_address = True
        if self.long and value & 0xF0 == 0x40:
            self.wide = bool(value & 8)
            if self.wide:
                self.operand = 4
            value = self.byte()
        return value

    def _vex(self, opcode: int) -> bool:
        table = 1
        if opcode == 0xC4:
            table = self.byte() & 31
        self.byte()
        operation = self.byte()
        if (table, operation) not in _BMI:
            return False
        self._modrm()
        self.at += table == 3
        return True

    def _one_byte(self, opcode: int) -> None:
        extension = self._modrm() if opcode in _MODRM else 0
        if opcode in _BYTE:
            self.at += 1
        elif opcode in _WORD:
            self.at += 2
        elif opcode in _OPERAND:
            self.at += self.operand
        elif 0xB8 <= opcode <= 0xBF:
            self.at += 8 if self.wide else self.operand
        elif 0xA0 <= opcode <= 0xA3:
            self.at += (4 if self.short_address else 8) if self.long else (2 if self.short_address else 4)
        elif opcode in (0x9A, 0xEA):
            self.at += self.operand + 2
        elif opcode == 0xC8:
            self.at += 3
        elif opcode in (0xF6, 0xF7) and extension < 2:
            self.at += 1 if opcode == 0xF6 else self.operand

    def _two_byte(self, opcode: int) -> None:
        if opcode in (0x38, 0x3A):
            self.byte()
            self._modrm()
            self.at += opcode == 0x3A
            return
        if opcode not in _MODRM_FREE_0F:
            self._modrm()
        if opcode in _BYTE_0F:
            self.at += 1
        elif opcode in _OPERAND_0F:
            self.at += self.operand

    def _modrm(self) -> int:
        """Step over a ModRM byte with its SIB and displacement; return the opcode extension in it."""
        value = self.byte()
        mod, low = value >> 6, value & 7
        if mod != 3:
            if self.short_address and not self.long:
                self.at += 2 if mod == 2 or (mod == 0 and low == 6) else mod
            else:
                base = self.byte() & 7 if low == 4 else low
                self.at += 4 if mod == 2 or (mod == 0 and base == 5) else mod
        return value >> 3 & 7


def first_vector_instruction(code: bytes, long: bool) -> tuple[int, int] | None:
    """Return (offset, instructions before it) of the first VEX-encoded vector instruction in *code*, a whole
    block.

    *long* is 64-bit mode. Code that is cut short is taken to have none beyond the cut.
    """
    for count, (start, end) in enumerate(instructions(code, long)):
        if start == end:
            return start, count
    return None


def instructions(code: bytes, long: bool) -> Iterator[tuple[int, int]]:
    """The offsets where each instruction of a block begins and ends; at a vector instruction in VEX encoding, where it
    begins twice, and no more. *code* that is cut short is read up to the cut."""
    reader = _Reader(code, long)
    try:
        while reader.at < len(code):
            start = reader.at
            goes_on = reader.instruction()
            yield start, reader.at
            if not goes_on:
                return
    except IndexError:
        return
