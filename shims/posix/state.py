"""The state of a POSIX-like process: open files, folders, identity, signals."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from compat.abi.abi import Abi
from compat.data import dataclass, field
from compat.host import Host
from compat.host.census import Census
from compat.memory import AddressSpace
from compat.process import Options, Process, Registers, Thread
from compat.sandbox.place import Opened
from compat.sandbox.view import FileView
from shims.posix.credentials import Credentials, Ids
from shims.posix.openfiles import FileTable
from shims.posix.socketnames import SocketNames

if TYPE_CHECKING:
    from shims.posix.ipc import Ipc

__all__ = ["Action", "AltStack", "Child", "Execute", "Pending", "PosixProcess", "PosixThread"]

Execute = Callable[["PosixThread", "int | None", bytes, list[bytes], list[bytes], frozenset[str]], Callable[[], None]]
"""(thread, directory descriptor or None for the current folder, path, arguments, environment, names of ExecFlags) →
what puts the new image in place once the CPU has left guest code. Raises OSError while the old image still stands."""


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
    """A signal that waits for delivery. *number* is the guest's; *code* the name of its si_code, or a number that has
    none; *fields* are those of the siginfo struct *layout* (SiginfoKill, SiginfoFault, …)."""

    number: int
    code: str | int
    layout: str = "SiginfoKill"
    fields: dict[str, object] = field(default_factory=dict)


@dataclass
class Child:
    """A child process that has not been waited for, by the id of the thread that is its *parent*, and the guest's
    number of the *signal* that tells of its end, 0 for none, and whether it was *told*. *watch* is a host descriptor
    that becomes readable then, once somebody waits, else -1; owned here."""

    signal: int
    parent: int
    watch: int = -1
    told: bool = False

    def forget(self, host: Host) -> None:
        """Release the descriptor."""
        if self.watch >= 0:
            host.close(self.watch)
            self.watch = -1


class PosixProcess(Process):
    """Adds to a process: *files*, *view* (what of the host it sees), *directory* (cwd), *umask*, signal *actions* by
    the guest's signal number, signals *pending* for any thread, and *limits* by RLIMIT name as (soft, hard).

    Also *credentials*, *children* by pid, whether it adopts orphans (*subreaper*), and *root_pid*, the first guest
    process, *census*, which tells of the run's processes on hosts that can, *executable*, the program's file,
    *socket_names*, and *ipc* once System V IPC is used."""

    def __init__(self, abi: Abi, memory: AddressSpace, host: Host, options: Options) -> None:
        super().__init__(abi, memory, host, options)
        self.view: FileView
        self.directory: Opened
        self.umask = 0o022
        self.locks_future = False  # mlockall(MCL_FUTURE)
        self.files = FileTable(1024)
        self.actions: dict[int, Action] = {}
        self.pending: list[Pending] = []
        self.caught: set[int] = set()
        self.caught_mask = 0
        self.limits: dict[str, tuple[int, int]] = {}
        self._count_signals()
        self.pid = self.root_pid = host.getpid()
        self.children: dict[int, Child] = {}
        self.credentials = Credentials.of(host)
        self.execute: Execute | None = None
        self.subreaper = False
        self.census: Census | None = None
        self.executable = Opened(-1, None, b"", None)
        self.arguments: list[bytes] = []
        self.environment: list[bytes] = []
        self.ipc: Ipc | None = None
        self.socket_names = SocketNames(host.getrandom(4).hex().encode())
        self._prepared = False

    def move(self, abi: Abi, memory: AddressSpace) -> None:
        super().move(abi, memory)
        self._count_signals()

    def _count_signals(self) -> None:
        names = self.abi.signals.values
        self.most_signals = 128 if self.abi.cpu.family == "mips" else 64  # _NSIG of asm/signal.h
        self.unblockable = 1 << (names["SIGKILL"] - 1) | 1 << (names["SIGSTOP"] - 1)

    @property
    def read_implies_exec(self) -> bool:
        """Whether what can be read can be executed."""
        return False

    def recognize(self, thread: PosixThread, fd: int) -> object:
        """The `OpenFile.kind` of the host's *fd*, which is no socket and came from another process."""
        return None

    def deliverable(self, thread: Thread) -> bool:
        """Whether an unblocked signal is pending that is not ignored, or one that sigtimedwait waits for."""
        assert isinstance(thread, PosixThread)
        open_mask = ~thread.mask | thread.wanted
        return any(
            open_mask >> (p.number - 1) & 1 and (thread.wanted >> (p.number - 1) & 1 or not self._ignores(p.number))
            for p in (*thread.pending, *self.pending)
        )

    def _ignores(self, number: int) -> bool:
        action = self.actions.get(number)
        if action is None or action.handler == 0:
            return str(self.abi.signals.decode(number)) in ("SIGCHLD", "SIGURG", "SIGWINCH", "SIGCONT")
        return action.handler == 1

    def buried(self, pid: int, child: Child) -> None:
        """*child* has been waited for, and is a child no more."""

    def runs(self, state: os.stat_result) -> bool:
        """Whether the file with these attributes is the program of a process that the guest can see."""
        return False

    def capable(self, capability: str) -> bool:
        """Whether the process has the privilege that Linux calls *capability*."""
        return self.host.geteuid() == 0

    def prepare_change(self, users: Ids) -> None:
        """The process is about to have the users *users*, or fewer privileges: what it will need is to be at hand."""
        if not hasattr(self, "view"):
            return  # it never began
        if not self._prepared:
            self.view.private.hold()
            self.preload()
            self._prepared = True
        if self.pid == self.root_pid and users.real == users.effective == users.saved:
            self.view.private.give_to(users.real)

    def changed_credentials(self, before: Credentials) -> None:
        """The process has others than *before*."""

    def pending_changed(self, added: int = 0) -> None:
        """Signals were taken from the queues, or the signal *added* was put there."""

    def become_child(self, thread: PosixThread, *, borrows: bool = False) -> None:
        """This host process is a fresh child of fork: nothing is pending, and the parent's children are not its own.
        *borrows* tells that the parent will want its memory back, with what the child did to it."""
        for child in self.children.values():
            child.forget(self.host)
        self.children = {}
        self.subreaper = False
        if borrows:
            self.memory.borrowed()
        else:
            self.memory.forked()
            self.locks_future = False
        self.pending = []
        self.pid = self.host.getpid()
        thread.id = self.pid
        thread.pending = []
        if self.engine is not None:
            self.engine.forked()
        if self.ipc is not None:
            self.ipc.forked()


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
        self.wanted = 0  # the signals that sigtimedwait waits for

    def leave(self) -> None:
        super().leave()
        self.wanted = 0
