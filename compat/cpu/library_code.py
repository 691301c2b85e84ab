"""Writes machine code: over functions of the Unicorn library, in this process's copy of it, and into memory of its own.

Pages are writable, then executable, never both: on CPUs whose caches of code don't see stores, Linux brings these up to
date when a page becomes executable.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Mapping
from typing import Any

from compat.cpu._unicorn import ffi

__all__ = ["jump", "new_code", "overwrite", "overwrite_data"]


def overwrite(library: Any, pieces: Mapping[int, bytes]) -> bool:
    """Write each of *pieces* at its address in the library's code, which must not run meanwhile.

    Returns False, with nothing changed, on a host that keeps code as it is.
    """
    return _overwrite(library, pieces, mmap.PROT_READ | mmap.PROT_EXEC)


def overwrite_data(library: Any, pieces: Mapping[int, bytes]) -> bool:
    """The same in its tables."""
    return _overwrite(library, pieces, mmap.PROT_READ | mmap.PROT_WRITE)


def _overwrite(library: Any, pieces: Mapping[int, bytes], protection: int) -> bool:
    begin = min(pieces) & -mmap.PAGESIZE
    size = max(address + len(code) for address, code in pieces.items()) - begin
    if not _protect(library, begin, size, mmap.PROT_READ | mmap.PROT_WRITE):
        return False
    for address, code in pieces.items():
        ffi.buffer(ffi.cast("char *", address), len(code))[:] = code
    return _protect(library, begin, size, protection)


def new_code(library: Any, code: bytes) -> tuple[int, object] | None:
    """Return the address of a copy of *code* that can run, and what must be kept for as long; None where it can't."""
    memory = mmap.mmap(-1, len(code), mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory[:] = code
    view = ffi.from_buffer(memory)
    address = int(ffi.cast("uintptr_t", view))
    return (address, view) if _protect(library, address, len(code), mmap.PROT_READ | mmap.PROT_EXEC) else None


def jump(target: int) -> bytes:
    """Return code that goes on at *target*; raises OSError on a host whose CPU isn't known."""
    machine = os.uname().machine
    if machine == "x86_64":
        return b"\x49\xbb" + struct.pack("<Q", target) + b"\x41\xff\xe3"  # mov r11, target; jmp r11
    if machine == "aarch64":
        return struct.pack("<2IQ", 0x58000050, 0xD61F0200, target)  # ldr x16, target; br x16
    raise OSError(f"no code is known for {machine}")


def _protect(library: Any, address: int, size: int, protection: int) -> bool:
    return bool(library.mprotect(ffi.cast("void *", address), size, protection) == 0)
