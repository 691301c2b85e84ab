"""The time-of-day clock and the facility list of s390x, stored by instructions that the engine does not have.

Source: z/Architecture Principles of Operation, "TOD Clock" in chapter 4, STORE CLOCK and STORE FACILITY LIST EXTENDED
in chapters 7 and 10; Linux's clock runs from 1900 without leap seconds (arch/s390/include/asm/timex.h).
"""

from __future__ import annotations

import time

from shims.linux.state import LinuxThread

__all__ = ["emulate"]

_STCKE, _STFLE = 0x78, 0xB0
_TOD_OF_1970 = 0x7D91_048B_CA00_0000
_CONDITION = 3 << 44
"""The condition code in the PSW."""


def emulate(thread: LinuxThread) -> bool:
    """Do the instruction before the running thread's PC. Raises MemoryFault with the PC at it."""
    registers = thread.registers
    pc = registers.read("pc")
    registers.write("pc", pc - 4)
    code = thread.memory.read(pc - 4, 4)
    base = registers.read(f"r{code[2] >> 4}") if code[2] >> 4 else 0
    address = base + (code[2] & 15) * 256 + code[3] & thread.abi.cpu.mask
    condition = 0
    if code[1] == _STFLE:
        if address % 8:
            registers.write("pc", pc)
            return False
        condition = _store_facilities(thread, address)
    else:
        _store_clock(thread, address, code[1] == _STCKE)
    registers.write("pswm", registers.read("pswm") & ~_CONDITION | condition << 44)
    registers.write("pc", pc)
    return True


def _store_clock(thread: LinuxThread, address: int, extended: bool) -> None:
    """STCK and STCKF store the clock, in units of 1/4096 microsecond; STCKE an epoch index before it, a 1 behind."""
    now = _TOD_OF_1970 + thread.host.clock_gettime(time.CLOCK_REALTIME) * 512 // 125
    value = (now << 56 | 1 << 16).to_bytes(16, "big") if extended else now.to_bytes(8, "big")
    thread.memory.write(address, value)


def _store_facilities(thread: LinuxThread, address: int) -> int:
    """Store as many double words as r0 asks for and there are; r0 tells how many there are. The condition code."""
    bits = list(thread.abi.tables.grids["facilities"].column("bit").values())
    count = max(bits) // 64 + 1
    words = sum(1 << 64 * count - 1 - bit for bit in bits).to_bytes(8 * count, "big")
    r0 = thread.registers.read("r0")
    wanted = (r0 & 0xFF) + 1
    thread.memory.write(address, words[: 8 * wanted])
    thread.registers.write("r0", r0 & ~0xFF | count - 1)
    return 0 if wanted >= count else 3
