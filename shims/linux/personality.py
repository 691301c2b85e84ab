"""What the engine asks of Linux: start a program, turn faults into signals, deliver what is pending.

What a guest without signals does not need is imported where it is used: its start is to be short.
"""

from __future__ import annotations

import os
import signal

from compat.abi.abi import Abi
from compat.errors import BadFile, MemoryFault
from compat.host import Host
from compat.host.census import Census
from compat.memory import AddressSpace
from compat.process import CpuFault, Options, Program, Registers, Thread
from compat.sandbox.place import Opened
from shims.linux.execution import OpenProgram, open_program
from shims.linux.heeding import heed_questions
from shims.linux.replacing import prepare_execute
from shims.linux.standard import adopt_standard_files
from shims.linux.start import enter
from shims.linux.state import QUEUES, LinuxProcess, LinuxThread
from shims.linux.view import build_view
from shims.posix import limits

__all__ = ["Linux", "make_personality", "make_process"]


_SHELLS = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
"""What shells and their like have programs begin with ignored."""


def make_process(abi: Abi, memory: AddressSpace, host: Host, options: Options) -> LinuxProcess:
    """A process without a program."""
    return LinuxProcess(abi, memory, host, options)


def make_personality(process: LinuxProcess) -> Linux:
    return Linux(process)


def _new_census() -> Census | None:
    try:
        return Census()
    except OSError:
        return None  # this host has no such files


class Linux:
    """The personality of one Linux process."""

    def __init__(self, process: LinuxProcess) -> None:
        self.process = process

    def start(self, program: Program, registers: Registers) -> Thread:
        """Map *program*, adopt the user's standard files, and stand at its first instruction."""
        process = self.process
        process.pid = os.getpid()
        limits.begin(process)
        process.execute = prepare_execute
        process.umask = process.host.umask(0)
        process.host.umask(process.umask)
        signal.signal(
            signal.SIGPIPE, signal.SIG_IGN
        )  # a failed write tells the guest itself (shims/posix/transfers.py)
        heed_questions(process)
        build_view(process, program)
        adopt_standard_files(process)
        thread = process.threads[process.pid] = LinuxThread(process, process.pid, registers)
        process.census = _new_census()
        if process.host.held_signals() or signal.SIG_IGN in map(signal.getsignal, _SHELLS):
            from shims.linux.catching import adopt_dispositions

            adopt_dispositions(thread)
        try:
            opened, arguments = self.open(program)
            enter(thread, opened, arguments, program.environment)
        except OSError as error:
            raise BadFile(f"{os.fsdecode(program.path)}: can't start: {error.strerror}") from None
        return thread

    def open(self, program: Program) -> tuple[OpenProgram, list[bytes]]:
        """The image that is to run, and its arguments. Raises OSError or CompatError."""
        file = Opened(os.open(program.path, os.O_RDONLY | os.O_CLOEXEC), None, program.guest_path, None)
        return open_program(self.process, file, program.guest_path, program.arguments)

    def fault(self, thread: Thread, fault: MemoryFault | CpuFault) -> None:
        from shims.linux import delivery, faults
        from shims.linux.emulation import emulate

        assert isinstance(thread, LinuxThread)
        remains = emulate(thread, fault) if isinstance(fault, CpuFault) else fault
        if remains is not None:
            faults.raise_fault(thread, remains)
            delivery.deliver(thread)

    def attend(self, thread: Thread) -> None:
        from shims.linux import delivery

        assert isinstance(thread, LinuxThread)
        delivery.deliver(thread)

    def finish(self) -> None:
        if self.process.parent_gate >= 0:
            from shims.linux.vfork import give_back

            give_back(self.process)
        if self.process.ipc is not None:
            self.process.ipc.end()
        if not hasattr(self.process, "view"):
            return  # it never began
        if self.process.pid == self.process.root_pid and self.process.view.private.has(QUEUES):
            from shims.linux.queues import remove_queues

            remove_queues(self.process)
        self.process.view.close()
