"""Atomic instructions that are atomic for other host processes too, which may share memory with this one.

Unicorn translates for a single CPU: an atomic instruction becomes a load, the operation and a store. QEMU's way for
many CPUs (`CF_PARALLEL` in `qemu/include/exec/exec-all.h`) is still in its translator, but nothing asks for it. It is
asked for by functions that take the places of the library's own in its table of jumps (`.rela.plt` of ELF), around each
translation: the flag must be in the translator's context, and, for operations on pairs of registers, in the block; it
must have left the block when that is put among the others, or it would not be found there. What code translated so
calls is mended by `atomic_loops`.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable
from functools import cache
from typing import Any

from compat.cpu._unicorn import ffi
from compat.cpu.atomic_loops import mend_operations
from compat.cpu.library_symbols import SUFFIXES, Symbols, symbols_of_library

__all__ = ["Translator", "translator"]

_PARALLEL = 0x0008_0000
_BIG = frozenset(("mips", "mips64", "ppc", "ppc64", "s390x"))
_PAIRS = frozenset(("x86_64", "aarch64", "s390x"))
"""Where pairs of registers are atomic so. On PowerPC lqarx would reserve nothing, and stqcx. never succeed."""
_BLOCK_FLAGS = 24
"""Where `cflags` is in TranslationBlock of a CPU of 64 bits: behind two addresses and 8 bytes (exec-all.h)."""


class Translator:
    """The library's translator for one CPU; *parallel* tells how it translates from now on, *keep* lives as long.

    *field* is where the flags are in its context.
    """

    def __init__(self, field: int, keep: object) -> None:
        self.parallel = False
        self._field = field
        self._keep = [keep]
        self._block: Any = None

    def take_over(self, symbols: Symbols, suffix: str, unlock: Callable[[int], None]) -> None:
        """Be called before a block is translated; for pairs, when it is allocated and between the halves of that too.

        *unlock* makes a place writable; what it raises comes out of here, and nothing is changed then.
        """
        exchanges: list[tuple[str, str, Callable[[Any], Callable[..., Any]]]]
        exchanges = [("tcg_func_start", "void(*)(char *)", self._beginning)]
        if suffix in _PAIRS:
            exchanges.append(("tcg_tb_alloc", "char *(*)(char *)", self._allocating))
            exchanges.append(("tcg_gen_code", "int(*)(char *, char *)", self._generating))
        places = []
        for name, signature, make in exchanges:
            full = f"{name}_{suffix}".encode()
            own = ffi.callback(signature, make(ffi.cast(signature, symbols.address(full))))
            places.append((symbols.slot(full), own))
        for slot, _ in places:
            unlock(slot)
        for slot, own in places:
            self._keep.append(own)
            ffi.cast("uintptr_t *", slot)[0] = int(ffi.cast("uintptr_t", own))

    def _allocating(self, original: Any) -> Callable[[Any], Any]:
        def allocate(context: Any) -> Any:
            self._block = original(context)
            return self._block

        return allocate

    def _beginning(self, original: Any) -> Callable[[Any], None]:
        def begin(context: Any) -> None:
            original(context)
            if self.parallel:
                ffi.cast("uint32_t *", context + self._field)[0] |= _PARALLEL
                if self._block:
                    ffi.cast("uint32_t *", self._block + _BLOCK_FLAGS)[0] |= _PARALLEL

        return begin

    def _generating(self, original: Any) -> Callable[[Any, Any], int]:
        def generate(context: Any, block: Any) -> int:
            ffi.cast("uint32_t *", block + _BLOCK_FLAGS)[0] &= ~_PARALLEL
            return int(original(context, block))

        return generate


@cache
def translator(library: Any, cpu: str) -> Translator | None:
    """The translator for *cpu* in *library*, for as long as this process lives; None if it can't be reached."""

    def unlock(place: int) -> None:
        page = ffi.cast("void *", place & -mmap.PAGESIZE)
        if library.mprotect(page, mmap.PAGESIZE, mmap.PROT_READ | mmap.PROT_WRITE):
            raise OSError("the table of jumps stays as it is")

    suffix = SUFFIXES.get(cpu, cpu)
    try:
        symbols = symbols_of_library()
        field = _flags_field(symbols.address(f"tcg_gen_mb_{suffix}".encode()))
        if field is None:
            return None
        loops = mend_operations(library, symbols, suffix, cpu in _BIG)
        found = Translator(field, loops)
        found.take_over(symbols, suffix, unlock)
    except (OSError, KeyError, struct.error):
        return None
    return found


def _flags_field(function: int) -> int | None:
    """Where `tb_cflags` is in TCGContext: the first thing that *function*, `tcg_gen_mb`, looks at."""
    code = bytes(ffi.buffer(ffi.cast("char *", function), 10))
    if code[:2] == b"\xf6\x47" and code[3] == 8:  # x86-64: testb $8, N(%rdi), the flag's byte
        return code[2] - 2
    if code[:2] == b"\xf6\x87" and code[6] == 8:
        return int(struct.unpack("<I", code[2:6])[0]) - 2
    (word,) = struct.unpack("<I", code[:4])
    if word >> 22 == 0x2E5 and word >> 5 & 31 == 0:  # AArch64: ldr wN, [x0, #N]
        return int(word >> 10 & 0xFFF) * 4
    return None
