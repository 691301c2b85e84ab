"""The pages of kernel code that a process sees: signal trampolines, ARM's user helpers, x86-64's vsyscalls.

There is no vDSO image (AT_SYSINFO_EHDR): one saves a system call what costs here as much as the trap that it would
need, and every C library, Go's runtime included, makes the call where there is none. Unwinders know a signal frame by
the instructions of its trampoline. Nor is there AT_SYSINFO: C libraries for x86 then use `int $0x80`.
"""

from __future__ import annotations

import struct

from compat.abi.conventions import Cpu
from compat.memory import PAGE
from shims.linux.state import LinuxProcess

__all__ = ["map_kernel_pages"]

_INSTRUCTION = 4

_VSYSCALLS = 0xFFFF_FFFF_FF60_0000
"""arch/x86/include/uapi/asm/vsyscall.h, as is the order of the calls, 1024 bytes apart."""


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
    elif cpu.kind == "x86-64":
        process.memory.map_above(_VSYSCALLS, PAGE, 5, b"[vsyscall]")
        process.memory.store(_VSYSCALLS, _vsyscalls(process))


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
        # push {r4-r7}; ldrd r4, r5, [r0]; ldrd r6, r7, [r1]; dmb ish; 1: ldrexd r0, r1, [r2]; eors r3, r0, r4;
        # eorseq r3, r1, r5; bne 2f; strexd r3, r6, r7, [r2]; cmp r3, #0; bne 1b; dmb ish; 2: rsbs r0, r3, #0;
        # pop {r4-r7}; bx lr
        0xF60: (0xE92D00F0, 0xE1C040D0, 0xE1C160D0, 0xF57FF05B, 0xE1B20F9F, 0xE0303004, 0x00313005, 0x1A000003,
                0xE1A23F96, 0xE3530000, 0x1AFFFFF8, 0xF57FF05B, 0xE2730000, 0xE8BD00F0, 0xE12FFF1E),
        0xFA0: (0xF57FF05B, 0xE12FFF1E),  # dmb ish; bx lr
        # dmb ish; 1: ldrex r3, [r2]; subs r3, r3, r0; strexeq r3, r1, [r2]; teqeq r3, #1; beq 1b; rsbs r0, r3, #0;
        # b 0xffff0fa0 (eight instructions are the room)
        0xFC0: (0xF57FF05B, 0xE1923F9F, 0xE0533000, 0x01823F91, 0x03330001, 0x0AFFFFFA, 0xE2730000, 0xEAFFFFEF),
        0xFE0: (0xEE1D0F70, 0xE12FFF1E),  # mrc p15, 0, r0, c13, c0, 3; bx lr
        0xFFC: (5,),  # __kuser_helper_version
    }  # fmt: skip
    for offset, words in code.items():
        struct.pack_into(f"<{len(words)}I", page, offset, *words)
    return bytes(page)


def _vsyscalls(process: LinuxProcess) -> bytes:
    """Each is `mov $number, %rax; syscall; ret`, as the kernel's own native page had it; anything else is HLT."""
    page = bytearray(b"\xf4" * PAGE)
    numbers = process.abi.tables.columns["numbers"]
    for k, name in enumerate(("gettimeofday", "time", "getcpu")):
        code = struct.pack("<3sI3s", b"\x48\xc7\xc0", numbers[name], b"\x0f\x05\xc3")
        page[1024 * k : 1024 * k + len(code)] = code
    return bytes(page)
