"""Loads and stores at unaligned addresses, which Linux does for MIPS programs (arch/mips/kernel/unaligned.c).

Instruction facts: the MIPS64 Architecture, volume II; the floating-point ones go through the kernel's FPU emulator.
"""

from __future__ import annotations

from typing import NamedTuple

from shims.linux.branch_mips import branch_target
from shims.linux.state import LinuxThread

__all__ = ["emulate"]


class _Access(NamedTuple):
    """What an instruction does: *size* bytes at *address*; *register* is a general or a floating-point one."""

    store: bool
    size: int
    signed: bool
    floating: bool
    register: int
    address: int


_LOADS = {0x21: (2, True), 0x23: (4, True), 0x25: (2, False), 0x27: (4, False), 0x37: (8, False)}
"""By opcode: lh, lw, lhu, lwu, ld."""
_STORES = {0x29: 2, 0x2B: 4, 0x3F: 8}
"""sh, sw, sd."""
_FLOATS = {0x31: (False, 4), 0x35: (False, 8), 0x39: (True, 4), 0x3D: (True, 8)}
"""lwc1, ldc1, swc1, sdc1."""
_INDEXED = {0: (False, 4), 1: (False, 8), 8: (True, 4), 9: (True, 8)}
"""By function, of opcode 0x13: lwxc1, ldxc1, swxc1, sdxc1."""
_DSP_INDEXED = {0: (4, True), 4: (2, True), 8: (8, False)}
"""Of opcode 0x1f, function 0x0a: lwx, lhx, ldx."""


def emulate(thread: LinuxThread) -> bool:
    """Do the access at which the running thread stands and step over it, and over the branch before it.

    False for what Linux does not do: LL, SC, and jumps to unaligned code. Raises MemoryFault for a bad address.
    """
    pc = thread.registers.read("pc")
    if pc % 4 or not thread.process.fixes_unaligned:
        return False
    word, target = _code(thread, pc), pc + 4
    access = _decode(thread, word)
    if access is None:  # the PC of an access in a delay slot is the branch's
        following = branch_target(thread, pc, word)
        if following is None:
            return False
        target = following
        access = _decode(thread, _code(thread, pc + 4))
    if access is None:
        return False
    _do(thread, access)
    thread.registers.write("pc", target & thread.abi.cpu.mask)
    return True


def _code(thread: LinuxThread, address: int) -> int:
    return int.from_bytes(thread.memory.read(address, 4), thread.abi.cpu.byte_order)


def _general(thread: LinuxThread, number: int) -> int:
    return thread.registers.read(f"r{number}") if number else 0


def _decode(thread: LinuxThread, word: int) -> _Access | None:
    opcode, target = word >> 26, word >> 16 & 31
    base = _general(thread, word >> 21 & 31)
    address = base + (word & 0x7FFF) - (word & 0x8000) & thread.abi.cpu.mask
    if opcode in _LOADS:
        return _Access(False, *_LOADS[opcode], False, target, address)
    if opcode in _STORES:
        return _Access(True, _STORES[opcode], False, False, target, address)
    if opcode in _FLOATS:
        store, size = _FLOATS[opcode]
        return _Access(store, size, False, True, target, address)
    address = base + _general(thread, target) & thread.abi.cpu.mask
    function, low = word & 63, word >> 6 & 31
    if opcode == 0x13 and function in _INDEXED:
        store, size = _INDEXED[function]
        return _Access(store, size, False, True, word >> 11 & 31 if store else low, address)
    if opcode == 0x1F and function == 0x0A and low in _DSP_INDEXED:
        return _Access(False, *_DSP_INDEXED[low], False, word >> 11 & 31, address)
    return None


def _do(thread: LinuxThread, access: _Access) -> None:
    if access.store:
        value = _float(thread, access) if access.floating else _general(thread, access.register)
        data = (value & (1 << 8 * access.size) - 1).to_bytes(access.size, thread.abi.cpu.byte_order)
        thread.memory.write(access.address, data)
        return
    data = thread.memory.read(access.address, access.size)
    value = int.from_bytes(data, thread.abi.cpu.byte_order, signed=access.signed)
    if access.floating:
        _set_float(thread, access, value)
    elif access.register:
        thread.registers.write(f"r{access.register}", value)


def _paired(thread: LinuxThread, access: _Access) -> bool:
    """Whether a double lies in the low halves of two registers: Status.FR is 0, as 32-bit programs begin."""
    return access.size == 8 and thread.abi.cpu.bits == 32


def _float(thread: LinuxThread, access: _Access) -> int:
    read, low = thread.registers.read, 0xFFFF_FFFF
    if _paired(thread, access):
        return read(f"f{access.register & 30}") & low | (read(f"f{access.register | 1}") & low) << 32
    return read(f"f{access.register}")


def _set_float(thread: LinuxThread, access: _Access, value: int) -> None:
    if _paired(thread, access):
        _set_low(thread, access.register & 30, value & 0xFFFF_FFFF)
        _set_low(thread, access.register | 1, value >> 32)
    elif access.size == 4:
        _set_low(thread, access.register, value)
    else:
        thread.registers.write(f"f{access.register}", value)


def _set_low(thread: LinuxThread, number: int, value: int) -> None:
    high = thread.registers.read(f"f{number}") >> 32 << 32
    thread.registers.write(f"f{number}", high | value & 0xFFFF_FFFF)
