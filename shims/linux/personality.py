"""What the engine asks of Linux: start a program, turn faults into signals, deliver what is pending."""

from __future__ import annotations

import os
import resource

from compat.abi.abi import Abi
from compat.errors import BadFile, MemoryFault
from compat.host import Host
from compat.memory import AddressSpace
from compat.process import CpuFault, Options, Program, Registers, Thread
from shims.linux import delivery, faults
from shims.linux.execution import open_program
from shims.linux.standard import adopt_standard_files
from shims.linux.start import enter
from shims.linux.state import LinuxProcess, LinuxThread
from shims.linux.view import build_view

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
        process.limits = _limits(process.options)
        build_view(process, program)
        adopt_standard_files(process)
        thread = LinuxThread(process, process.pid, registers)
        fd = os.open(program.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            opened, arguments = open_program(process, fd, program.guest_path, program.arguments)
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


_INFINITY = (1 << 64) - 1


def _limits(options: Options) -> dict[str, tuple[int, int]]:
    """RLIMIT name → (soft, hard), the host's own cut by what the user granted."""
    limits = {}
    for name in ("CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NPROC", "NOFILE", "MEMLOCK", "AS"):
        soft, hard = resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))
        limits[f"RLIMIT_{name}"] = (_unlimited(soft), _unlimited(hard))
    for name in ("LOCKS", "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME"):
        limits[f"RLIMIT_{name}"] = _host_limit(name)
    granted = {"RLIMIT_AS": options.memory, "RLIMIT_CPU": options.cpu_time, "RLIMIT_NOFILE": options.files}
    for name, most in granted.items():
        if most is not None:
            limits[name] = (most, most)
    limits["RLIMIT_STACK"] = (options.stack, limits["RLIMIT_STACK"][1])
    return limits


def _host_limit(name: str) -> tuple[int, int]:
    number = getattr(resource, f"RLIMIT_{name}", None)
    if number is None:
        return (_INFINITY, _INFINITY) if name in ("LOCKS", "RTTIME") else (0, 0)
    soft, hard = resource.getrlimit(number)
    return _unlimited(soft), _unlimited(hard)


def _unlimited(value: int) -> int:
    return _INFINITY if value == resource.RLIM_INFINITY or value < 0 else value
