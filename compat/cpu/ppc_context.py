"""Where a saved context of Unicorn keeps the PowerPC state that has no Unicorn register.

The fields are those of QEMU's CPUPPCState (target/ppc/cpu.h): `xer` and, each in a word of its own behind it, its bits
SO, OV, CA, OV32 and CA32; `spr[VRSAVE]`; `vsr`, whole 128-bit numbers in the host's order, the AltiVec registers last;
`vscr_sat`, any bit of which means VSCR.SAT; `vscr`, whose NJ also sets a flag of `vec_status`. Their places are learnt
by comparing contexts in which they hold known values.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from compat.cpu.library import EngineError

__all__ = ["PROBE_VRSAVE", "PROBE_VSCR", "PROBE_XER", "ContextFields", "probe_vector"]

_XER_BITS = (31, 30, 29, 19, 18)
_XER_REST = 0x7F
"""The byte count of string instructions; the other bits of XER are reserved."""

_NJ, _SAT = 1 << 16, 1
_BLOCK = 512

PROBE_XER = 0xE00C_0055
PROBE_VRSAVE = 0x5EB1_A7C3
PROBE_VSCR = (_NJ, _SAT, _NJ)
"""What VSCR must hold in the three contexts that are compared."""


def probe_vector(number: int) -> int:
    """What vector register *number* must hold in the contexts that are compared."""
    return (0x0123_4567_89AB_CD00 + number) << 64 | 0xFEDC_BA98_7654_3200 + number


class ContextFields:
    """Reads and changes xer, vrsave, vscr and the vector registers *names* in contexts like the three *probes*.

    A name with `_low` in it stands for the low half alone. *size* is that of the CPU's word in bytes. Raises
    EngineError if this library's contexts don't look so.
    """

    def __init__(self, probes: Sequence[bytes], names: Sequence[str], size: int) -> None:
        count, context, word = len(names), probes[0], "Q" if size == 8 else "I"
        pattern = b"".join(probe_vector(i).to_bytes(16, sys.byteorder) for i in range(count))
        self._vectors = _only(context, pattern, "the vector registers")
        self._xer = _only(context, struct.pack(f"={word * 6}", PROBE_XER & _XER_REST, *(1,) * 5), "XER")
        self._vrsave = _only(context, struct.pack(f"={word}", PROBE_VRSAVE), "VRSAVE")
        self._saturated = self._vectors + len(pattern)
        self._no_java = self._find_vscr(probes)
        self._places = {name: self._place(name, i) for i, name in enumerate(names)}
        self._xer_words = struct.Struct(f"={word * 6}")
        self._word = struct.Struct(f"={word}")

    def _place(self, name: str, number: int) -> tuple[int, int]:
        """Offset and size of a vector register, or of its low half."""
        at = self._vectors + 16 * number
        return (at + (0 if sys.byteorder == "little" else 8), 8) if "_low" in name else (at, 16)

    def _find_vscr(self, probes: Sequence[bytes]) -> dict[int, int]:
        """The words that NJ changes, by offset, and the bits that it turns in each; the first is `vscr`."""
        first, second, third = probes
        changed = {at for at in _differing(first, second) if first[at : at + 4] == third[at : at + 4]}
        turned = {at: _word(first, at) ^ _word(second, at) for at in changed if not self._is_saturation(at)}
        found = sorted(turned, key=lambda at: turned[at] != _NJ)
        if len(found) != 2 or turned[found[0]] != _NJ or len(changed) == len(turned):
            raise EngineError(f"unicorn: {len(changed)} fields of a context change with VSCR; is this 2.1.4?")
        return {at: turned[at] for at in found}

    def _is_saturation(self, offset: int) -> bool:
        return self._saturated <= offset < self._saturated + 16

    def read(self, context: Any) -> dict[str, int]:
        """The registers by name."""
        rest, *bits = self._xer_words.unpack_from(context, self._xer)
        (vrsave,) = self._word.unpack_from(context, self._vrsave)
        return {
            "xer": rest & _XER_REST | sum((bit & 1) << at for bit, at in zip(bits, _XER_BITS, strict=True)),
            "vrsave": vrsave & 0xFFFF_FFFF,
            "vscr": self._modes(context) & _NJ | any(context[self._saturated : self._saturated + 16]),
            **{
                name: int.from_bytes(context[at : at + size], sys.byteorder)
                for name, (at, size) in self._places.items()
            },
        }

    def write(self, context: Any, values: Mapping[str, int]) -> None:
        """Change the registers that *values* names; others that it has are left alone."""
        if (xer := values.get("xer")) is not None:
            bits = (xer >> at & 1 for at in _XER_BITS)
            self._xer_words.pack_into(context, self._xer, xer & _XER_REST, *bits)
        if (vrsave := values.get("vrsave")) is not None:
            self._word.pack_into(context, self._vrsave, vrsave & 0xFFFF_FFFF)
        if (vscr := values.get("vscr")) is not None:
            self._write_vscr(context, vscr)
        for name, (at, size) in self._places.items():
            if (value := values.get(name)) is not None:
                context[at : at + size] = (value & (1 << 8 * size) - 1).to_bytes(size, sys.byteorder)

    def _write_vscr(self, context: Any, vscr: int) -> None:
        saturated = (vscr & _SAT).to_bytes(16, sys.byteorder)
        context[self._saturated : self._saturated + 16] = saturated
        if (self._modes(context) ^ vscr) & _NJ:
            for at, bits in self._no_java.items():
                struct.pack_into("=I", context, at, _word(context, at) ^ bits)

    def _modes(self, context: Any) -> int:
        return _word(context, next(iter(self._no_java)))


def _only(context: bytes, pattern: bytes, what: str) -> int:
    """Where *pattern* is in *context*; EngineError unless it is there once."""
    found = context.find(pattern)
    if found < 0 or context.find(pattern, found + 1) >= 0:
        raise EngineError(f"unicorn: {what} can't be found in a context; is this 2.1.4?")
    return found


def _word(context: Any, offset: int) -> int:
    return int.from_bytes(context[offset : offset + 4], sys.byteorder)


def _differing(one: bytes, other: bytes) -> Iterator[int]:
    """Offsets of the 32-bit words in which two contexts differ."""
    for block in range(0, len(one), _BLOCK):
        if one[block : block + _BLOCK] != other[block : block + _BLOCK]:
            for at in range(block, min(block + _BLOCK, len(one)), 4):
                if one[at : at + 4] != other[at : at + 4]:
                    yield at
