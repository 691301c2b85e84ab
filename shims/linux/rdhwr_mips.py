"""RDHWR of the registers that the engine has no truth for (simulate_rdhwr, arch/mips/kernel/traps.c)."""

from __future__ import annotations

import time

from shims.linux.branch_mips import branch_target
from shims.linux.state import LinuxThread

__all__ = ["emulate"]

_RDHWR_MASK, _RDHWR = 0xFFE0_07FF, 0x7C00_003B
_CPU, _COUNT = 0, 2
_NANOSECONDS_PER_COUNT = 10
"""A counter of 100 MHz."""


def emulate(thread: LinuxThread) -> bool:
    """Read CPUNum or CC, and step over the instruction and the branch whose delay slot it is in; False for another."""
    registers = thread.registers
    pc = registers.read("pc")
    word = _code(thread, pc)
    following: int | None = pc + 4
    if word & _RDHWR_MASK != _RDHWR:
        following = branch_target(thread, pc, word)
        word = _code(thread, pc + 4) if following is not None else 0
    number, target = word >> 11 & 31, word >> 16 & 31
    if following is None or word & _RDHWR_MASK != _RDHWR or number not in (_CPU, _COUNT):
        return False
    if target:
        registers.write(f"r{target}", _value(thread, number))
    registers.write("pc", following & thread.abi.cpu.mask)
    return True


def _code(thread: LinuxThread, address: int) -> int:
    return int.from_bytes(thread.memory.read(address, 4), thread.abi.cpu.byte_order)


def _value(thread: LinuxThread, number: int) -> int:
    if number == _CPU:
        return thread.host.getcpu()
    count = thread.host.clock_gettime(time.CLOCK_MONOTONIC) // _NANOSECONDS_PER_COUNT & 0xFFFF_FFFF
    return (count ^ 1 << 31) - (1 << 31) & thread.abi.cpu.mask  # sign-extended, as MFC0 has it
