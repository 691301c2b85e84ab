"""The calls that a file of machine code makes with a constant number, found without running it.

Looks for each trap instruction and the load of a constant into the call number's register shortly before it. Sound
only in that what it names is most likely called: numbers that are computed, or passed to a function such as
syscall(3), are not seen.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

from compat.abi.conventions import Cpu
from compat.image import Image
from loaders.source import Source

__all__ = ["numbers_in"]

_MOST_BYTES = 64 << 20
_STEPS = 16  # instructions looked at before a trap

Read = Callable[[bytes, int], "int | None"]


class Pattern(NamedTuple):
    """*trap* is the trap instruction as a word of 4 bytes, or bytes; *load* reads the constant at an offset."""

    trap: bytes | int
    load: Read
    step: int


def _word(mask: int, match: int, value: Callable[[int], int], order: str) -> Read:
    def read(code: bytes, at: int) -> int | None:
        if at + 4 > len(code):
            return None
        (word,) = struct.unpack_from(order + "I", code, at)
        return value(word) if word & mask == match else None

    return read


def _patterns(cpu: Cpu) -> list[Pattern]:
    """The instructions of *cpu*; sources: each architecture's manual of its instructions."""
    order = "<" if cpu.family in ("aarch64", "arm", "riscv") else cpu.order
    if cpu.family == "x86":  # mov $imm32, %eax (b8) before syscall, int $0x80
        return [Pattern(b"\x0f\x05" if cpu.bits == 64 else b"\xcd\x80", _mov_eax, 1)]
    if cpu.kind == "aarch64":  # movz w8 or x8; svc #0
        return [Pattern(0xD4000001, _word(0x7FE0001F, 0x52800008, lambda w: w >> 5 & 0xFFFF, order), 4)]
    if cpu.kind == "arm":  # mov r7, #imm8 ror; svc #0
        return [Pattern(0xEF000000, _word(0x0FFFF000, 0x03A07000, _rotated, order), 4)]
    if cpu.family == "riscv":  # li a7, imm (addi, or its short form for up to 31); ecall
        short = _half(0xEF83, 0x4881, lambda h: h >> 2 & 0x1F)
        return [Pattern(0x73, _word(0xFFFFF, 0x893, lambda w: w >> 20, order), 2), Pattern(0x73, short, 2)]
    if cpu.family == "mips":  # li v0, imm (addiu or daddiu); syscall
        return [Pattern(0xC, _word(0xBFFF0000, 0x24020000, lambda w: w & 0xFFFF, order), 4)]
    if cpu.family == "ppc":  # li r0, imm; sc
        return [Pattern(0x44000002, _word(0xFFFF0000, 0x38000000, lambda w: w & 0xFFFF, order), 4)]
    return [Pattern(b"\x0a\x00", _word(0xFFFF0000, 0xA7190000, lambda w: w & 0xFFFF, order), 2)]  # lghi r1, imm; svc 0


def _half(mask: int, match: int, value: Callable[[int], int]) -> Read:
    def read(code: bytes, at: int) -> int | None:
        half = int.from_bytes(code[at : at + 2], "little")
        return value(half) if half & mask == match else None

    return read


def _mov_eax(code: bytes, at: int) -> int | None:
    return int.from_bytes(code[at + 1 : at + 5], "little") if code[at] == 0xB8 and at + 5 <= len(code) else None


def _rotated(word: int) -> int:
    """An ARM immediate: 8 bits rotated right by twice the 4 bits above them."""
    value, turn = word & 0xFF, (word >> 8 & 0xF) * 2
    return (value >> turn | value << 32 - turn) & 0xFFFFFFFF


def numbers_in(source: Source, image: Image, cpu: Cpu) -> set[int]:
    """The call numbers found in the executable segments of *image*; raises BadFile where the file can't be read."""
    found: set[int] = set()
    for segment in image.segments:
        if segment.execute:
            code = source.read(segment.offset, min(segment.file_size, _MOST_BYTES))
            for pattern in _patterns(cpu):
                found |= set(_numbers(code, pattern, cpu))
    return found


def _numbers(code: bytes, pattern: Pattern, cpu: Cpu) -> Iterator[int]:
    trap = pattern.trap
    if isinstance(trap, int):
        little = cpu.family in ("aarch64", "arm", "riscv") or cpu.endian == "little"
        trap = trap.to_bytes(4, "little" if little else "big")
    at = code.find(trap)
    while at >= 0:
        if pattern.step < 4 or at % 4 == 0:
            back = range(at - pattern.step, max(-1, at - pattern.step * _STEPS - 1), -pattern.step)
            number = next((n for n in (pattern.load(code, place) for place in back) if n is not None), None)
            if number is not None:
                yield number
        at = code.find(trap, at + 1)
