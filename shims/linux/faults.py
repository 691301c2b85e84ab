"""CPU faults as signals: SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP with the siginfo of force_sig_fault()."""

from __future__ import annotations

from compat.errors import MemoryFault
from compat.process import CpuFault
from shims.linux.alignment import unaligned_address
from shims.linux.state import LinuxThread
from shims.posix.state import Action, Pending

__all__ = ["force", "raise_fault"]


def raise_fault(thread: LinuxThread, fault: MemoryFault | CpuFault) -> None:
    """Queue the signal for what the running thread just did."""
    if isinstance(fault, MemoryFault):
        name, code = _memory_signal(fault)
        told = _S390X_ADDRESS if thread.abi.cpu.kind == "s390x" else -1
        address = fault.address & told
    else:
        name, code = _exception_signal(thread, fault)
        aligned = fault.name == "alignment"
        address = unaligned_address(thread) if aligned else thread.registers.read(thread.abi.cpu.pc)
    layout = "SiginfoKill" if code == "SI_KERNEL" else "SiginfoFault"
    fields: dict[str, object] = {} if code == "SI_KERNEL" else {"addr": address}
    force(thread, Pending(thread.abi.signals.encode(name), code, layout, fields))


def _memory_signal(fault: MemoryFault) -> tuple[str, str]:
    if fault.beyond_file:
        return "SIGBUS", "BUS_ADRERR"
    return "SIGSEGV", "SEGV_ACCERR" if fault.mapped else "SEGV_MAPERR"


_S390X_ADDRESS = -0x1000  # this CPU tells only the page (arch/s390/mm/fault.c, __FAIL_ADDR_MASK)
_MIPS_CODES = {6: ("SIGFPE", "FPE_INTOVF"), 7: ("SIGFPE", "FPE_INTDIV")}  # asm/break.h: BRK_OVERFLOW, BRK_DIVZERO


def _mips_code(thread: LinuxThread) -> int | None:
    """The code inside `break` or a conditional trap, with which compilers tell a division by zero."""
    cpu = thread.abi.cpu
    try:
        word = thread.memory.read(thread.registers.read(cpu.pc), 4)
    except MemoryFault:
        return None
    instruction = int.from_bytes(word, "little" if cpu.endian == "little" else "big")
    if instruction & 0xFC00_003F == 0x0D:  # break: the assembler puts the code into either half
        return instruction >> 16 & 0x3FF or instruction >> 6 & 0x3FF
    return instruction >> 6 & 0x3FF


def _is_arm_breakpoint(thread: LinuxThread) -> bool:
    """Undefined instructions that Linux takes as breakpoints (arch/arm/kernel/ptrace.c: arm, thumb, thumb2)."""
    pc, thumb = thread.registers.read("pc"), thread.registers.read("cpsr") & 0x20
    try:
        code = thread.memory.read(pc, 2 if thumb else 4)
        word = int.from_bytes(code, "little")
        if thumb:
            return word == 0xDE01 or (word == 0xF7F0 and thread.memory.read(pc + 2, 2) == b"\x00\xa0")
    except MemoryFault:
        return False
    return word & 0x0FFF_FFFF == 0x07F0_01F0


def _exception_signal(thread: LinuxThread, fault: CpuFault) -> tuple[str, str]:
    if thread.abi.cpu.family == "mips" and fault.name in ("breakpoint", "trap"):
        found = _MIPS_CODES.get(_mips_code(thread) or 0)
        if found:
            return found
    if thread.abi.cpu.kind == "arm" and fault.name == "illegal" and _is_arm_breakpoint(thread):
        return "SIGTRAP", "TRAP_BRKPT"
    grid = thread.abi.tables.grids["faults"]
    for keys, cell, _ in grid.texts(f"linux/{thread.abi.cpu.family}", "linux"):
        if keys[0] == fault.name:
            name, _, code = cell.partition(":")
            return name, code
    return "SIGILL", "ILL_ILLOPC"


def force(thread: LinuxThread, pending: Pending) -> None:
    """Queue a signal that can't be held back: blocked or ignored, it kills (kernel/signal.c, force_sig_info)."""
    bit = 1 << (pending.number - 1)
    action = thread.process.actions.get(pending.number, Action())
    if thread.mask & bit or action.handler == 1:
        thread.mask &= ~bit
        thread.process.actions[pending.number] = Action()
    thread.pending.insert(0, pending)
    thread.process.pending_changed(pending.number)
    thread.process.attention = True
