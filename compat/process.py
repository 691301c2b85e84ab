"""Process and Thread: what is common to every guest. Families add their state by subclassing (shims/<family>/state.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from compat.abi.abi import Abi
from compat.errors import Interrupted, MemoryFault, Restart, ThreadExit, Wait
from compat.host import Host
from compat.memory import AddressSpace

__all__ = ["CpuFault", "Options", "Process", "Program", "Registers", "Thread"]


class Registers(Protocol):
    """A CPU's registers by name, wherever they live at the moment."""

    def read(self, name: str) -> int: ...
    def write(self, name: str, value: int) -> None: ...


@dataclass
class Options:
    """What the user granted: see `compat run --help`. Sizes in bytes, times in seconds; None is no limit."""

    sysroot: str | None = None
    mounts: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    network: bool = False
    trust: bool = False
    memory: int | None = None
    cpu_time: int | None = None
    files: int | None = None
    processes: int | None = None
    stack: int = 8 << 20


@dataclass
class Program:
    """What to run: *path* on the host, arguments with argv[0], environment."""

    path: bytes
    arguments: list[bytes]
    environment: list[bytes]


@dataclass(frozen=True)
class CpuFault:
    """A CPU exception that is no memory fault: *name* is "illegal", "breakpoint", "divide", …; *code* the CPU's number."""

    name: str
    code: int


class Process:
    """One guest process: an address space, threads, and the host it is served by."""

    def __init__(self, abi: Abi, memory: AddressSpace, host: Host, options: Options) -> None:
        self.abi = abi
        self.memory = memory
        self.host = host
        self.options = options
        self.threads: dict[int, Thread] = {}
        self.status: int | None = None
        self.attention = False
        self.engine: Engine | None = None

    def exit(self, status: int) -> None:
        """End the process with a wait status word; raises ThreadExit in the calling thread."""
        self.status = status
        raise ThreadExit


class Thread:
    """One guest thread. *resume* is what the last `Wait` of this call kept; *woken* tells that its key was woken."""

    def __init__(self, process: Process, tid: int, registers: Registers) -> None:
        self.process = process
        self.memory = process.memory
        self.host = process.host
        self.abi = process.abi
        self.id = tid
        self.registers = registers
        self.resume: object = None
        self.woken = False
        self.interrupted = False
        self.waiting: Wait | None = None
        self.restart: Restart | None = None
        self.jumped = False

    def wait(
        self,
        *,
        descriptors: Mapping[int, int] | None = None,
        until: float | None = None,
        key: object = None,
        resume: object = None,
        restart: Restart = "sa_restart",
    ) -> None:
        """Wait: raises Wait, or Interrupted where a signal already ended this wait (see compat.errors)."""
        if self.interrupted:
            raise Interrupted(restart)
        raise Wait(descriptors=descriptors, until=until, key=key, resume=resume)


class Engine(Protocol):
    """What shims may ask of the engine: it stays behind this protocol, so that shims never see a CPU."""

    def wake(self, key: object, most: int) -> int:
        """Let up to *most* threads that wait for *key* go on; returns how many there were."""

    def spawn(self, thread: Thread) -> None:
        """Let a new thread run, its registers a copy of the caller's changed by `Thread.registers`."""

    def copy_registers(self) -> Registers:
        """The running thread's registers, as a new thread will start with."""

    def jump(self, thread: Thread) -> None:
        """The running thread's registers were replaced (execve, sigreturn): no result is written."""

    def set_tls(self, registers: Registers, value: int) -> None:
        """Point a thread's thread-local storage register at *value*."""

    def attend(self) -> None:
        """Interrupt guest code soon, also from another host thread: a signal is pending."""

    def forked(self) -> None:
        """This host process is a fresh child of fork: only the calling thread lives on."""

    def invalidate(self, address: int, size: int) -> None:
        """Guest code in this range changed behind the CPU's back."""


FaultHandler = Callable[[Thread, "MemoryFault | CpuFault"], None]
