"""The state of a POSIX-like process: open files, folders, identity, signals."""

from __future__ import annotations

from dataclasses import dataclass, field

from compat.abi.abi import Abi
from compat.host import Host
from compat.memory import AddressSpace
from compat.process import Options, Process, Registers, Thread
from compat.sandbox.place import Opened
from compat.sandbox.view import FileView
from shims.posix.openfiles import FileTable

__all__ = ["Action", "AltStack", "Pending", "PosixProcess", "PosixThread"]


@dataclass(frozen=True)
class Action:
    """What sigaction installed. *handler* is a guest address, or 0 (SIG_DFL) or 1 (SIG_IGN); *mask* has bit n-1 for
    signal n; *flags* holds the names of SA_* flags; *restorer* is a guest address or 0."""

    handler: int = 0
    mask: int = 0
    flags: frozenset[str] = frozenset()
    restorer: int = 0


@dataclass(frozen=True)
class AltStack:
    """sigaltstack(2): a guest address and size in bytes; disabled while *size* is 0."""

    address: int = 0
    size: int = 0
    autodisarm: bool = False


@dataclass
class Pending:
    """A signal that waits for delivery. *number* is the guest's; *code* the name of its si_code; *fields* are those of
    the siginfo struct *layout* (SiginfoKill, SiginfoFault, …)."""

    number: int
    code: str
    layout: str = "SiginfoKill"
    fields: dict[str, object] = field(default_factory=dict)


class PosixProcess(Process):
    """Adds to a process: *files*, *view* (what of the host it sees), *directory* (cwd), *umask*, signal *actions* by the
    guest's signal number, signals *pending* for any thread, and *limits* by RLIMIT name as (soft, hard)."""

    def __init__(self, abi: Abi, memory: AddressSpace, host: Host, options: Options, view: FileView) -> None:
        super().__init__(abi, memory, host, options)
        self.view = view
        self.directory: Opened = view.root()
        self.umask = 0o022
        self.files = FileTable(1024)
        self.actions: dict[int, Action] = {}
        self.pending: list[Pending] = []
        self.limits: dict[str, tuple[int, int]] = {}
        self.pid = 0
        self.children: dict[int, object] = {}
        self.executable = b""
        self.arguments: list[bytes] = []
        self.environment: list[bytes] = []


class PosixThread(Thread):
    """Adds to a thread: the signal *mask* (bit n-1 for signal n), signals *pending* for it alone, the alternate stack.

    *saved_mask* is the mask that sigsuspend, ppoll and pselect put back once a handler has run."""

    process: PosixProcess

    def __init__(self, process: PosixProcess, tid: int, registers: Registers) -> None:
        super().__init__(process, tid, registers)
        self.mask = 0
        self.saved_mask: int | None = None
        self.pending: list[Pending] = []
        self.altstack = AltStack()
