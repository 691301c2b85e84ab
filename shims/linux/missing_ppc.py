"""PowerPC instructions that Linux does where the CPU does not (emulate_instruction, arch/powerpc/kernel/traps.c)."""

from __future__ import annotations

from shims.linux.hwcap import hardware
from shims.linux.state import LinuxThread

__all__ = ["emulate"]

_PVR_MASK, _PVR = 0xFC1F_FFFE, 0x7C1F_42A6
_POPCNTB_MASK, _POPCNTB = 0xFC00_07FE, 0x7C00_00F4
_ISEL_MASK, _ISEL = 0xFC00_003E, 0x7C00_001E


def emulate(thread: LinuxThread) -> bool:
    """Do the instruction at which the running thread stands: MFPVR, POPCNTB, ISEL; False for another."""
    registers = thread.registers
    pc = registers.read("pc")
    word = int.from_bytes(thread.memory.read(pc, 4), thread.abi.cpu.byte_order)
    source, target = word >> 21 & 31, word >> 16 & 31
    if word & _PVR_MASK == _PVR:
        registers.write(f"r{source}", hardware(thread.abi).version)
    elif word & _POPCNTB_MASK == _POPCNTB:
        counts = [byte.bit_count() for byte in registers.read(f"r{source}").to_bytes(thread.abi.cpu.word, "big")]
        registers.write(f"r{target}", int.from_bytes(bytes(counts), "big"))
    elif word & _ISEL_MASK == _ISEL:
        chosen = target if registers.read("cr") >> 31 - (word >> 6 & 31) & 1 else word >> 11 & 31
        zero = chosen == target == 0
        registers.write(f"r{source}", 0 if zero else registers.read(f"r{chosen}"))
    else:
        return False
    registers.write("pc", pc + 4)
    return True
