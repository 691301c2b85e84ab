"""Loads and stores of several registers, which little-endian PowerPC leaves to the kernel.

Linux does them whatever the address (arch/powerpc/kernel/align.c, fix_alignment; arch/powerpc/lib/sstep.c).
Instruction facts: Power ISA 3.0, book I, 3.3.5 and 3.3.6.
"""

from __future__ import annotations

from shims.linux.state import LinuxThread

__all__ = ["emulate"]

_LMW, _STMW, _EXTENDED = 46, 47, 31
_LSWX, _LSWI, _STSWX, _STSWI = 533, 597, 661, 725


def emulate(thread: LinuxThread) -> bool:
    """Do the instruction at which the running thread stands and step over it; False if Linux would not.

    Raises MemoryFault for a bad address.
    """
    registers = thread.registers
    pc = registers.read("pc")
    word = int.from_bytes(thread.memory.read(pc, 4), thread.abi.cpu.byte_order)
    primary, extended = word >> 26, word >> 1 & 0x3FF
    register, base = word >> 21 & 31, word >> 16 & 31
    address = registers.read(f"r{base}") if base else 0
    if primary in (_LMW, _STMW):
        size = 4 * (32 - register)
        address += (word & 0x7FFF) - (word & 0x8000)
    elif primary == _EXTENDED and extended in (_LSWI, _STSWI):
        size = (word >> 11 & 31) or 32
    elif primary == _EXTENDED and extended in (_LSWX, _STSWX):
        size = registers.save()["xer"] & 127
        address += registers.read(f"r{word >> 11 & 31}")
    else:
        return False
    address &= thread.abi.cpu.mask
    stores = primary == _STMW or (primary == _EXTENDED and extended in (_STSWX, _STSWI))
    (_store if stores else _load)(thread, register, address, size)
    registers.write("pc", pc + 4)
    return True


def _load(thread: LinuxThread, register: int, address: int, size: int) -> None:
    data = thread.memory.read(address, size)
    for at in range(0, size, 4):
        value = int.from_bytes(data[at : at + 4].ljust(4, b"\0"), thread.abi.cpu.byte_order)
        thread.registers.write(f"r{(register + at // 4) & 31}", value)


def _store(thread: LinuxThread, register: int, address: int, size: int) -> None:
    numbers = ((register + k) & 31 for k in range(-(-size // 4)))
    values = (thread.registers.read(f"r{number}") & 0xFFFF_FFFF for number in numbers)
    thread.memory.write(address, b"".join(value.to_bytes(4, thread.abi.cpu.byte_order) for value in values)[:size])
