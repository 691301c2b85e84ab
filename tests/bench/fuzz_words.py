"""Instructions for `fuzz_cpu`: random words, and words that are more likely to be instructions."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

from tests.cpu.sources import BIG

__all__ = ["instruction"]

_PPC_MAJORS = (4, 19, 30, 31, 56, 57, 58, 59, 60, 61, 62, 63)
_MIPS_MAJORS = (0, 1, 0x10, 0x11, 0x12, 0x13, 0x1C, 0x1F, 0x31, 0x35)
_S390_FIRST = (0x01, 0xA5, 0xA7, 0xB2, 0xB3, 0xB9, 0xC0, 0xC4, 0xC6, 0xC8, 0xCC, 0xE3, 0xE5, 0xE7, 0xEB, 0xEC, 0xED)
_X86_PREFIXES = b"\x66\x66\x66\xf2\xf3\xf2\xf3\xf0\x2e\x67"


def instruction(cpu: str, rng: random.Random) -> bytes:
    """Bytes that begin with one instruction for *cpu*, if they are one; "thumb" is a CPU too."""
    return _MAKERS[cpu](rng, ">" if cpu in BIG else "<")


def _x86(rng: random.Random, _order: str, long: bool = False) -> bytes:
    code = bytearray(rng.choices(_X86_PREFIXES, k=rng.choice((0, 0, 1, 1, 2))))
    if long and rng.random() < 0.4:
        code.append(rng.randrange(0x40, 0x50))
    code += rng.choice((b"", b"\x0f", b"\x0f", b"\x0f\x38", b"\x0f\x3a", bytes((0xD8 | rng.randrange(8),))))
    code += rng.randbytes(1)
    if rng.random() < 0.5:
        code.append(0xC0 | rng.randrange(64))
    return bytes(code) + rng.randbytes(9)


def _x86_64(rng: random.Random, order: str) -> bytes:
    return _x86(rng, order, True)


def _arm(rng: random.Random, order: str) -> bytes:
    word = rng.getrandbits(32)
    if rng.random() < 0.7:
        word = word & 0x0FFFFFFF | rng.choice((0xE0000000, 0xE0000000, 0xF0000000))
    return struct.pack(order + "I", word)


def _thumb(rng: random.Random, order: str) -> bytes:
    first = rng.getrandbits(16)
    if rng.random() < 0.8:
        first |= 0xE800
    return struct.pack(order + "2H", first, rng.getrandbits(16))


def _any_word(rng: random.Random, order: str) -> bytes:
    return struct.pack(order + "I", rng.getrandbits(32))


def _riscv(rng: random.Random, order: str) -> bytes:
    word = rng.getrandbits(32) | (3 if rng.random() < 0.8 else 0)
    return struct.pack(order + "I", word)


def _with_major(majors: tuple[int, ...]) -> Callable[[random.Random, str], bytes]:
    def make(rng: random.Random, order: str) -> bytes:
        word = rng.getrandbits(32)
        if rng.random() < 0.8:
            word = word & 0x03FFFFFF | rng.choice(majors) << 26
        return struct.pack(order + "I", word)

    return make


def _s390x(rng: random.Random, _order: str) -> bytes:
    code = rng.randbytes(6)
    return bytes((rng.choice(_S390_FIRST),)) + code[1:] if rng.random() < 0.8 else code


_MAKERS: dict[str, Callable[[random.Random, str], bytes]] = {
    "x86": _x86,
    "x86-64": _x86_64,
    "arm": _arm,
    "thumb": _thumb,
    "aarch64": _any_word,
    "riscv64": _riscv,
    **dict.fromkeys(("mips", "mipsel", "mips64", "mips64el"), _with_major(_MIPS_MAJORS)),
    **dict.fromkeys(("ppc", "ppc64", "ppc64le"), _with_major(_PPC_MAJORS)),
    "s390x": _s390x,
}
