"""What the engine asks of Linux: start a program, turn faults into signals, deliver what is pending."""

from __future__ import annotations

import os
import signal

from compat.abi.abi import Abi
from compat.errors import BadFile, MemoryFault
from compat.host import Host
from compat.memory import AddressSpace
from compat.process import CpuFault, Options, Program, Registers, Thread
from shims.linux import delivery, faults
from shims.linux.catching import adopt_dispositions
from shims.linux.execution import open_program
from shims.linux.replacing import prepare_execute
from shims.linux.signals import set_mask
from shims.linux.standard import adopt_standard_files
from shims.linux.start import enter
from shims.linux.state import LinuxProcess, LinuxThread
from shims.linux.view import build_view
from shims.posix import limits

__all__ = ["Linux", "make_personality", "make_process"]


def make_process(abi: Abi, memory: AddressSpace, host: Host, options: Options) -> LinuxProcess:
    """A process without a program."""
    return LinuxProcess(abi, memory, host, options)


def make_personality(process: LinuxProcess) -> Linux:
    return Linux(process)


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
        build_view(process, program)
        adopt_standard_files(process)
        thread = LinuxThread(process, process.pid, registers)
        set_mask(thread, adopt_dispositions(process))
        fd = os.open(program.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            opened, arguments = open_program(process, fd, program.guest_path, program.guest_path, program.arguments)
            enter(thread, opened, arguments, program.environment)
        except OSError as error:
            raise BadFile(f"{os.fsdecode(program.path)}: can't start: {error.strerror}") from None
        return thread

    def fault(self, thread: Thread, fault: MemoryFault | CpuFault) -> None:
        assert isinstance(thread, LinuxThread)
        faults.raise_fault(thread, fault)
        delivery.deliver(thread)

    def attend(self, thread: Thread) -> None:
        assert isinstance(thread, LinuxThread)
        delivery.deliver(thread)

    def finish(self) -> None:
        self.process.view.close()
