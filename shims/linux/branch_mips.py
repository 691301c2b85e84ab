"""Where a MIPS branch goes whose delay slot the kernel did itself (arch/mips/kernel/branch.c)."""

from __future__ import annotations

from shims.linux.state import LinuxThread

__all__ = ["branch_target"]

_ALWAYS = {2, 3}
"""j, jal."""


def branch_target(thread: LinuxThread, pc: int, word: int) -> int | None:
    """The address behind the delay slot of the branch *word* at *pc*, or the one it jumps to; None for no branch.

    The branch has run already: a link register holds the return address.
    """
    opcode, source, other = word >> 26, word >> 21 & 31, word >> 16 & 31
    if opcode in _ALWAYS:
        return (pc + 4) & ~0x0FFF_FFFF | (word & 0x03FF_FFFF) << 2
    if opcode == 0 and word & 63 in (8, 9):  # jr, jalr
        return _signed(thread, source)
    taken = _taken(thread, opcode, source, other)
    if taken is None:
        return None
    return pc + 4 + (((word & 0x7FFF) - (word & 0x8000)) << 2) if taken else pc + 8


def _signed(thread: LinuxThread, number: int) -> int:
    bits = thread.abi.cpu.bits
    value = thread.registers.read(f"r{number}") if number else 0
    return value - (value >> bits - 1 << bits)


def _taken(thread: LinuxThread, opcode: int, source: int, other: int) -> bool | None:
    """Whether a conditional branch is taken; None for another instruction."""
    if opcode == 1 and other & 0x0C == 0:  # bltz, bgez, and their likely and linking kinds
        return (_signed(thread, source) >= 0) == bool(other & 1)
    if opcode == 0x11 and source == 8:  # bc1f, bc1t
        code = other >> 2
        condition = thread.registers.read("fcsr") >> (23 if code == 0 else 24 + code) & 1
        return bool(condition) == bool(other & 1)
    kind = opcode & 0x2F  # bit 4 is "likely"
    if kind not in (4, 5, 6, 7):
        return None
    first = _signed(thread, source)
    if kind in (4, 5):  # beq, bne
        return (first == _signed(thread, other)) == (kind == 4)
    return (first <= 0) == (kind == 6)  # blez, bgtz
