"""Which address an access wanted that must be aligned: what si_addr of SIGBUS tells (BUS_ADRALN).

Only atomic accesses come here, and PowerPC's stay in one form; of others each CPU does all, or Linux does them
(shims/linux/emulation.py).
"""

from __future__ import annotations

from compat.errors import MemoryFault
from shims.linux.state import LinuxThread

__all__ = ["unaligned_address"]


def unaligned_address(thread: LinuxThread) -> int:
    """The address that the instruction at which the running thread stands could not reach.

    RISC-V's kernel tells the instruction's own (do_trap_error, arch/riscv/kernel/traps.c).
    """
    pc = thread.registers.read("pc")
    try:
        code = thread.memory.read(pc, 4)
    except MemoryFault:
        return pc
    word = int.from_bytes(code, thread.abi.cpu.byte_order)
    match thread.abi.cpu.kind:
        case "aarch64":  # C4.1.88, loads and stores: Rn; atomic ones have no offset
            number = word >> 5 & 31
            return pc if pc % 4 else thread.registers.read("sp" if number == 31 else f"x{number}")
        case "arm":
            return _arm(thread, word)
        case "ppc" | "ppc64":  # lwarx and its like: RA and RB
            base, index = word >> 16 & 31, word >> 11 & 31
            value = thread.registers.read(f"r{base}") if base else 0
            return value + thread.registers.read(f"r{index}") & thread.abi.cpu.mask
    return pc


def _arm(thread: LinuxThread, word: int) -> int:
    """LDREX and its like: Rn, and in Thumb (half-words swapped in memory) an offset for the word-sized ones."""
    names = [*(f"r{k}" for k in range(13)), "sp", "lr", "pc"]
    if not thread.registers.read("cpsr") & 0x20:
        return thread.registers.read(names[word >> 16 & 15])
    first, second = word & 0xFFFF, word >> 16
    offset = (second & 0xFF) << 2 if first & 0xFFE0 == 0xE840 else 0
    return thread.registers.read(names[first & 15]) + offset & 0xFFFF_FFFF
