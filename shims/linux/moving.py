"""execve of a program for another CPU: what a process keeps, in that CPU's numbers.

A real machine runs such programs by binfmt_misc and an emulator; here the process itself goes on, with all that execve
keeps. Of that only signals have numbers which differ between CPUs (arch/mips/include/uapi/asm/signal.h).
"""

from __future__ import annotations

from collections.abc import Callable

from compat.abi.abi import Abi
from compat.process import Registers
from shims.linux.catching import catch_again
from shims.linux.execution import OpenProgram
from shims.linux.replacing import enter_or_die
from shims.linux.state import LinuxProcess, LinuxThread
from shims.posix.state import Pending

__all__ = ["move"]

Renumber = Callable[[int], int]


def move(
    thread: LinuxThread,
    old: Abi,
    program: OpenProgram,
    arguments: list[bytes],
    environment: list[bytes],
    registers: Registers,
) -> LinuxThread:
    """Let *thread* enter *program*, for the process's new CPU; *old* are the tables that it had before."""
    thread.move(registers)
    process = thread.process
    _renumber(process, thread, _renumbering(old, process.abi))
    process.barriers = set()
    enter_or_die(thread, program, arguments, environment)
    return thread


def _renumbering(old: Abi, new: Abi) -> Renumber:
    """Signals of the old CPU as the new one has them by name, 0 for those without."""
    first_real_time = old.signals.values["SIGRTMIN"]
    last = new.signals.values["SIGRTMAX"]

    def renumber(number: int) -> int:
        if number >= first_real_time:
            return number if number <= last else 0
        return new.signals.values.get(str(old.signals.decode(number)), 0)

    return renumber


def _renumber(process: LinuxProcess, thread: LinuxThread, renumber: Renumber) -> None:
    process.actions = {new: action for n, action in process.actions.items() if (new := renumber(n))}
    process.pending = _queue(process.pending, renumber)
    thread.pending = _queue(thread.pending, renumber)
    thread.mask = _mask(thread.mask, renumber)
    thread.parent_death_signal = renumber(thread.parent_death_signal)
    catch_again(process, {new for n in process.caught if (new := renumber(n))})


def _queue(queue: list[Pending], renumber: Renumber) -> list[Pending]:
    for each in queue:
        each.number = renumber(each.number)
    return [each for each in queue if each.number]


def _mask(mask: int, renumber: Renumber) -> int:
    new = 0
    for bit in range(mask.bit_length()):
        if mask >> bit & 1 and (number := renumber(bit + 1)):
            new |= 1 << (number - 1)
    return new
