"""Atomic instructions that are atomic for other host processes too, which may share memory with this one.

Unicorn translates for a single CPU: an atomic instruction becomes a load, the operation and a store. QEMU's way for
many CPUs (`CF_PARALLEL` in `qemu/include/exec/exec-all.h`) is still in its translator, but nothing asks for it. So the
function that is called before each translation (`tcg_func_start`) is exchanged in the library's table of jumps
(`.rela.plt` of ELF) for one that asks. Pairs of registers stay as they are: they are translated another way.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from functools import cache
from typing import Any

from compat.cpu._unicorn import ffi

__all__ = ["Translator", "translator"]

_PARALLEL = 0x0008_0000
_START, _BARRIER = b"tcg_func_start_", b"tcg_gen_mb_"
_STRINGS, _SYMBOLS, _JUMPS_SIZE, _JUMPS = 5, 6, 2, 23  # DT_STRTAB, DT_SYMTAB, DT_PLTRELSZ, DT_JMPREL (elf.h)
_DYNAMIC = 2  # PT_DYNAMIC
_SUFFIXES = {"x86": "x86_64", "x86-64": "x86_64", "ppc64le": "ppc64"}
"""What the names of the library's functions end in, where that isn't our name of the CPU."""


class Translator:
    """The library's translator for one CPU; *parallel* tells how it translates from now on."""

    def __init__(self, slot: int, start: int, field: int) -> None:
        self.parallel = False
        original = ffi.cast("void(*)(char *)", start)

        def begin(context: Any) -> None:
            original(context)
            if self.parallel:
                ffi.cast("uint32_t *", context + field)[0] |= _PARALLEL

        self._begin = ffi.callback("void(char *)", begin)
        ffi.cast("uintptr_t *", slot)[0] = int(ffi.cast("uintptr_t", self._begin))


@cache
def translator(library: Any, cpu: str) -> Translator | None:
    """The translator for *cpu* in *library*, for as long as this process lives; None if it can't be reached."""
    suffix = _SUFFIXES.get(cpu, cpu).encode()
    try:
        base = _base()
        found = {name: place for name, *place in _jumps(base) if name in (_START + suffix, _BARRIER + suffix)}
        (slot, start), (_, barrier) = found[_START + suffix], found[_BARRIER + suffix]
    except (OSError, KeyError, struct.error):
        return None
    field = _flags_field(barrier)
    page = ffi.cast("void *", slot & -mmap.PAGESIZE)
    if field is None or library.mprotect(page, mmap.PAGESIZE, mmap.PROT_READ | mmap.PROT_WRITE):
        return None
    return Translator(slot, start, field)


def _base() -> int:
    """Where the library begins; raises OSError on hosts that don't tell."""
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        for line in maps:
            if "/libunicorn." in line:
                return int(line.partition("-")[0], 16)
    raise OSError("libunicorn is in no map")


def _memory(address: int, size: int) -> bytes:
    return bytes(ffi.buffer(ffi.cast("char *", address), size))


def _jumps(base: int) -> Iterator[tuple[bytes, int, int]]:
    """Names of the functions in the table of jumps, where it says to jump, and where the function is."""
    headers, count = struct.unpack("=32xQ16xH", _memory(base, 58))
    segments = struct.iter_unpack("=I12xQ32x", _memory(base + headers, 56 * count))
    dynamic = next(address for kind, address in segments if kind == _DYNAMIC)
    entries = dict(struct.iter_unpack("=QQ", _memory(base + dynamic, 16 * 40)))
    strings, symbols, jumps = (
        entries[tag] + (base if entries[tag] < base else 0) for tag in (_STRINGS, _SYMBOLS, _JUMPS)
    )
    for offset, information, _ in struct.iter_unpack("=QQQ", _memory(jumps, entries[_JUMPS_SIZE])):
        name, value = struct.unpack("=I4xQ", _memory(symbols + 24 * (information >> 32), 16))
        if value:
            yield ffi.string(ffi.cast("char *", strings + name)), base + offset, base + value


def _flags_field(function: int) -> int | None:
    """Where `tb_cflags` is in TCGContext: the first thing that *function*, `tcg_gen_mb`, looks at."""
    code = _memory(function, 10)
    if code[:2] == b"\xf6\x47" and code[3] == 8:  # x86-64: testb $8, N(%rdi), the flag's byte
        return code[2] - 2
    if code[:2] == b"\xf6\x87" and code[6] == 8:
        return int(struct.unpack("<I", code[2:6])[0]) - 2
    (word,) = struct.unpack("<I", code[:4])
    if word >> 22 == 0x2E5 and word >> 5 & 31 == 0:  # AArch64: ldr wN, [x0, #N]
        return int(word >> 10 & 0xFFF) * 4
    return None
