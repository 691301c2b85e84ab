"""The page of kernel code that a process sees: signal trampolines, and ARM's user helpers."""

from __future__ import annotations

import struct

from compat.abi.conventions import Cpu
from compat.memory import PAGE
from shims.linux.state import LinuxProcess

__all__ = ["map_kernel_pages"]

_INSTRUCTION = 4


def map_kernel_pages(process: LinuxProcess) -> None:
    """Map the page(s) and note where each trampoline lies in `process.trampolines`."""
    cpu = process.abi.cpu
    page = bytearray()
    process.trampolines = {}
    address = process.memory.map(PAGE, 5, name=b"[vdso]")
    for name, code in _codes(process):
        process.trampolines[name] = address + len(page)
        page += code + bytes(-len(code) % 16)
    process.memory.store(address, bytes(page))
    if cpu.kind == "arm":
        process.memory.map_above(cpu.top, PAGE, 5, b"[vectors]")
        process.memory.store(cpu.top, _arm_helpers())


def _codes(process: LinuxProcess) -> list[tuple[str, bytes]]:
    """(name, code) of each trampoline; the grid is in big-endian order for CPUs that have both."""
    cpu = process.abi.cpu
    grid = process.abi.tables.grids["trampolines"]
    return [(keys[0], _ordered(cpu, bytes.fromhex(cell))) for keys, cell, _ in grid.texts(cpu.kind)]


def _ordered(cpu: Cpu, code: bytes) -> bytes:
    if cpu.endian == "little" and cpu.family in ("mips", "ppc"):
        return b"".join(code[k : k + _INSTRUCTION][::-1] for k in range(0, len(code), _INSTRUCTION))
    return code


def _arm_helpers() -> bytes:
    """Kernel-provided user helpers (Documentation/arch/arm/kernel_user_helpers.rst) at fixed offsets of the page."""
    page = bytearray(PAGE)
    code = {
        0xFA0: (0xF57FF05B, 0xE12FFF1E),  # dmb ish; bx lr
        0xFC0: (0xF57FF05B, 0xE1923F9F, 0xE0533000, 0x01823F91, 0x03330001, 0x0AFFFFFA, 0xE2730000, 0xF57FF05B,
                0xE12FFF1E),
        0xFE0: (0xEE1D0F70, 0xE12FFF1E),  # mrc p15, 0, r0, c13, c0, 3; bx lr
        0xFFC: (3,),  # __kuser_helper_version: up to memory_barrier; cmpxchg64 (5) is not offered
    }  # fmt: skip
    for offset, words in code.items():
        struct.pack_into(f"<{len(words)}I", page, offset, *words)
    return bytes(page)
