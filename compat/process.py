"""Process and Thread: what is common to every guest. Families add their state by subclassing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, Protocol

from compat.abi.abi import Abi
from compat.abi.rows import Row
from compat.data import dataclass, field
from compat.errors import CompatError, Interrupted, MemoryFault, Restart, Wait
from compat.host import Host
from compat.image import Image, Script
from compat.memory import AddressSpace

__all__ = [
    "CpuFault",
    "Engine",
    "ForeignCall",
    "LoadImage",
    "OnSignal",
    "Options",
    "OtherCpu",
    "Personality",
    "Process",
    "Program",
    "Registers",
    "Thread",
]


class Registers(Protocol):
    """A CPU's registers by name, wherever they live at the moment."""

    def has(self, name: str) -> bool: ...
    def save(self) -> dict[str, int]: ...
    def restore(self, registers: Mapping[str, int]) -> None: ...
    def snapshot(self) -> object: ...
    def resume(self, snapshot: Any) -> None: ...
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
    """What to run: *path* on the host, what the guest calls it, arguments with argv[0], environment."""

    path: bytes
    arguments: list[bytes]
    environment: list[bytes]
    guest_path: bytes = b""


@dataclass(frozen=True)
class CpuFault:
    """A CPU exception other than a memory fault: *name* is "illegal", "breakpoint", "divide", …"""

    name: str
    code: int


@dataclass(frozen=True)
class ForeignCall:
    """A call of another system than the process's own: *row* of *abi*.

    *fail* makes a result of what its shim raised (OSError, MemoryFault); it is None where arguments and errors travel
    as in the process's own system. *unwritten* does what that system would if a row that isn't written is called.
    """

    abi: Abi
    row: Row
    fail: Callable[[Thread, Exception], int] | None
    unwritten: Callable[[Thread], int]


class Process:
    """One guest process: an address space, threads, and the host it is served by. *screen* may refuse calls.

    *attention* tells that threads may have something to heed (signals). *notices* is a host descriptor that becomes
    readable when the host has something for the process, or -1; *gather* takes that in, and may set *attention*.
    *preload* imports what the process may need when it may read compat's own files no more. *traced* tells that calls
    are shown to somebody. *other_abi* are the tables of its foreign calls.
    """

    def __init__(self, abi: Abi, memory: AddressSpace, host: Host, options: Options) -> None:
        self.abi = abi
        self.memory = memory
        self.host = host
        self.options = options
        self.threads: dict[int, Thread] = {}
        self.status: int | None = None
        self.attention = False
        self.engine: Engine | None = None
        self.load_image: LoadImage = _no_loader
        self.preload: Callable[[], None] = _nothing
        self.on_signal: OnSignal | None = None
        self.screen: Screen | None = None
        self.notices = -1
        self.gather: Callable[[], None] = _nothing
        self.traced = False
        self.other_abi: Abi | None = None

    def foreign(self, number: int) -> ForeignCall | None:
        """What a number means that is none of the process's own system; None for nothing."""
        return None

    def move(self, abi: Abi, memory: AddressSpace) -> None:
        """Go on with the tables of another CPU and another address space."""
        self.abi = abi
        self.memory = memory

    def deliverable(self, thread: Thread) -> bool:
        """Whether a signal is pending that would end a wait of *thread*."""
        return False


class Thread:
    """One guest thread.

    For a call that waits: *resume* is what the last `Wait` kept, *woken* tells that its key was woken,
    *interrupted* that a signal ended the wait, *values* what the trap's registers held if other threads run
    meanwhile, *restart* how the interrupted call goes on, *paused* what *resume* then was. *jump*, set by a shim
    that replaces the registers (sigreturn, execve), runs once the CPU has left guest code; the call then has no
    result.
    """

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
        self.entered = False
        self.waiting: Wait | None = None
        self.values: list[int] | None = None
        self.restart: Restart | None = None
        self.paused: object = None
        self.jump: Callable[[], None] | None = None

    def wait(
        self,
        *,
        descriptors: Mapping[int, int] | None = None,
        until: float | None = None,
        key: object = None,
        resume: object = None,
        restart: Restart = "sa_restart",
    ) -> NoReturn:
        """Wait: raises Wait, or Interrupted where a signal already ended this wait (see compat.errors)."""
        if self.interrupted:
            raise Interrupted(restart)
        raise Wait(descriptors=descriptors, until=until, key=key, resume=resume)

    def move(self, registers: Registers) -> None:
        """Go on with the process's present CPU and memory."""
        self.memory, self.abi, self.registers = self.process.memory, self.process.abi, registers

    def leave(self) -> None:
        """The call that waited is over."""
        self.resume = None
        self.woken = self.interrupted = self.entered = False


class OtherCpu(Exception):
    """The process now runs a program for another CPU, which takes another machine. *begin* gives the one thread left
    its first registers there, when the process has that CPU's tables and an empty address space."""

    def __init__(self, cpu: str, begin: Callable[[Registers], Thread]) -> None:
        super().__init__(cpu)
        self.cpu = cpu
        self.begin = begin


class Engine(Protocol):
    """What shims may ask of the engine: it stays behind this protocol, so that shims never see a CPU. *current* is
    the thread whose call is being served."""

    current: Thread

    def wake(self, key: object, most: int) -> int:
        """Let up to *most* threads that wait for *key* go on; returns how many there were."""

    def give_way(self) -> bool:
        """End the running thread's turn after its call; False if no other can run."""

    def spawn(self, thread: Thread) -> None:
        """Let a new thread run; its registers came from `copy_registers` and were changed since."""

    def copy_registers(self) -> Registers:
        """The running thread's registers, as a new thread will start with; the program counter is behind the call."""

    def set_result(self, registers: Registers, value: int) -> None:
        """What the call under way returns in *registers*, a copy of the running thread's."""

    def set_tls(self, registers: Registers, value: int) -> None:
        """Point the thread-local storage register at *value*."""

    def retry(self, thread: Thread) -> None:
        """Put the running thread back to the system call instruction that it stands behind."""

    def finish(self, thread: Thread, error: int) -> None:
        """Give the running thread's call the result *error*, a host errno."""

    def listen(self) -> None:
        """Let `Process.notices` interrupt guest code and waits from now on."""

    def attend(self) -> None:
        """Something needs the personality's attention: interrupt guest code and waits soon."""

    def alone(self, thread: Thread) -> None:
        """Only *thread* lives on, all its registers as a new program finds them."""

    def forked(self) -> None:
        """This host process is a fresh child of fork: only the calling thread lives on."""

    def at_rest(self) -> bool:
        """Whether the host process waits on the host for something, and nothing of the guest's state is half done."""

    def renew_helpers(self) -> None:
        """Let host threads beside this one have the rights that it has given itself alone."""

    def rebind(self) -> None:
        """Calls are bound anew: the process has a `screen` from now on."""

    def invalidate(self, address: int, size: int) -> None:
        """Guest code in this range changed behind the CPU's back (cacheflush, a JIT's barrier)."""


class Personality(Protocol):
    """What the engine asks of a guest's operating system (shims/<guest>/personality.py)."""

    def start(self, program: Program, registers: Registers) -> Thread:
        """Load *program* and return its first thread, which owns *registers*; raises CompatError."""

    def fault(self, thread: Thread, fault: MemoryFault | CpuFault) -> None:
        """Turn a fault of the running thread into the guest's own exception."""

    def attend(self, thread: Thread) -> None:
        """Deliver what is pending to the running thread and settle an interrupted call (`thread.restart`)."""

    def finish(self) -> None:
        """The process has its status: release what it holds of the host."""


OnSignal = Callable[["Thread", str, str, Mapping[str, object]], None]
"""Told of each signal that is delivered: its thread, name, si_code and siginfo fields."""

Screen = Callable[["Thread", int, Callable[[], Sequence[int]], int], "int | None"]
"""Asked before each system call with its number, a function that tells its six arguments, and where guest code goes on.

None lets the call be made, a number is its result; it may raise what a shim may."""

LoadImage = Callable[[int, bytes], Image | Script]
"""What a host descriptor holds, called by this name in sentences; raises CompatError."""


def _nothing() -> None:
    pass


def _no_loader(fd: int, name: bytes) -> Image | Script:
    raise CompatError("no loader was given to this process")
