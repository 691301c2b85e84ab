"""What only Linux keeps for a process and a thread."""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from compat.abi.abi import Abi
from compat.host import Host
from compat.host.census import Entry
from compat.memory import AddressSpace
from compat.process import Options, Registers
from shims.posix.credentials import Credentials, Ids
from shims.posix.openfiles import OpenFile
from shims.posix.state import Child, Pending, PosixProcess, PosixThread

if TYPE_CHECKING:
    from shims.linux.futex_sleepers import Sleeper, Sleepers
    from shims.linux.seccomp import Filter

__all__ = ["QUEUES", "LinuxProcess", "LinuxThread", "Sleep", "Timer", "Waiter"]

QUEUES: Final = b"queues"
"""The run's private folder that lists the message queues it made."""


class LinuxProcess(PosixProcess):
    """Adds the program break [*break_start*, *break_end*), the auxiliary vector, the *trampoline* page's addresses by
    name (`sigreturn`, `rt_sigreturn`), *personality*, *dumpable*, futex queues and those of locks with priority
    inheritance by address, host threads that wait at shared words (*sleepers*), the registered memory *barriers*,
    whether it has *executed* a program since its birth, whether it has *touched_credentials*, as most never do, the
    children that *departed*, as was told before the host did, the first thread's exit status, and the host descriptor
    whose closing ends the parent's vfork (*parent_gate*)."""

    def __init__(self, abi: Abi, memory: AddressSpace, host: Host, options: Options) -> None:
        super().__init__(abi, memory, host, options)
        self.break_start = 0
        self.break_end = 0
        self.stack_top = 0
        self.auxv = b""
        self.trampolines: dict[str, int] = {}
        self.personality = 0
        self.dumpable = 1
        self.keep_capabilities = False
        self.touched_credentials = False
        self.departed: set[int] = set()
        self.asking = False  # shims/linux/inquiries.py
        self.next_tid = 0
        self.leader_status = 0
        self.parent_gate = -1
        self.executed = True
        self.thp_disabled = False
        self.futexes: dict[int, deque[Waiter]] = {}
        self.locks: dict[int, deque[Sleep]] = {}
        self.sleepers: Sleepers | None = None
        self.barriers: set[str] = set()
        self.timers: dict[int, Timer] = {}
        self.timer_serial = 0
        self.signal_files: WeakSet[OpenFile] = WeakSet()  # those of signalfd
        self.fixes_unaligned = True  # sysmips(MIPS_FIXADE)
        self.function_descriptors = False  # PowerPC's first 64-bit ABI: a handler's address is that of a descriptor

    def recognize(self, thread: PosixThread, fd: int) -> object:
        from shims.linux.recognizing import recognize  # rarely needed, and it knows all kinds of files

        return recognize(self, fd)

    def declare(self) -> None:
        """Tell the other processes of the run what this one is now."""
        if self.census is None:
            return
        leader = self.threads.get(self.pid) or next(iter(self.threads.values()), None)
        name = leader.name if isinstance(leader, LinuxThread) else b""
        arguments, environment = (
            b"".join(text + b"\0" for text in texts) for texts in (self.arguments, self.environment)
        )
        born = self.host.relation(self.pid).born
        program, size = self.executable.guest_path, self.memory.mapped
        state = self.host.fstat(self.executable.fd) if self.executable.fd >= 0 else None
        file = (state.st_dev, state.st_ino) if state is not None else (0, 0)
        self.census.enter(self.pid, Entry(born, self.executed, name, program, arguments, size, environment, file))

    def runs(self, state: os.stat_result) -> bool:
        file = (state.st_dev, state.st_ino)
        for pid in self.census.pids() if self.census is not None else ():
            entry = self.census.entry(pid) if self.census is not None else None
            if entry is not None and entry.file == file and self._lives(pid, entry.born):
                return True
        return False

    def _lives(self, pid: int, born: int) -> bool:
        try:
            return self.host.relation(pid).born == born
        except OSError:
            return False

    def capable(self, capability: str) -> bool:
        try:
            found = self.host.capget().effective
        except OSError:
            return super().capable(capability)
        return bool(found >> self.abi.constants("Capability").encode(capability) & 1)

    def buried(self, pid: int, child: Child) -> None:
        if child.signal != self.abi.signals.values["SIGCHLD"]:
            from shims.linux.departures import mark_departed

            mark_departed(self, pid, child)

    def renew_helpers(self) -> None:
        """The host's calling thread alone has changed its rights. The C library gives up where a later change of ids
        ends otherwise in one thread than in another, so all are to have the same."""
        self.touched_credentials = True
        if self.engine is not None:
            self.engine.renew_helpers()
        if self.sleepers is not None:
            self.sleepers.renew()

    def changed_credentials(self, before: Credentials) -> None:
        """commit_creds() of kernel/cred.c."""
        self.touched_credentials = True
        now = self.credentials
        if _judged(now.users) != _judged(before.users) or _judged(now.groups) != _judged(before.groups):
            self.dumpable = 0
            for thread in self.threads.values():
                assert isinstance(thread, LinuxThread)
                thread.parent_death_signal = 0

    def pending_changed(self, added: int = 0) -> None:
        for file in self.signal_files:
            if file.fd >= 0:
                file.kind.refresh(self, file, added)

    def become_child(self, thread: PosixThread, *, borrows: bool = False) -> None:
        assert isinstance(thread, LinuxThread)
        if self.parent_gate >= 0:  # it is the parent's own parent that waits there
            self.host.close(self.parent_gate)
            self.parent_gate = -1
        for file in self.signal_files:
            if file.fd >= 0:
                file.kind.forked(file)
        self.timers = {}
        self.futexes, self.locks = {}, {}
        if self.sleepers is not None:
            self.sleepers.close()
            self.sleepers = None
        self.leader_status = 0
        thread.clear_tid = 0
        thread.robust_list = 0
        thread.parent_death_signal = 0
        self.executed = False
        self.departed = set()
        super().become_child(thread, borrows=borrows)
        if not borrows:  # else it will soon be another program
            self.declare()

    @property
    def read_implies_exec(self) -> bool:
        return bool(self.personality & self.abi.flags("Personality").values["READ_IMPLIES_EXEC"])


def _judged(ids: Ids) -> tuple[int, int]:
    """The ids by which others judge the process."""
    return ids.effective, ids.files


class Waiter:
    """A place in a futex queue, from which it may be moved to another; *index* is its word's among those of *sleep*."""

    __slots__ = ("address", "index", "mask", "sleep")

    def __init__(self, sleep: Sleep, address: int, mask: int, index: int = 0) -> None:
        self.sleep = sleep
        self.address = address
        self.mask = mask
        self.index = index


class Sleep:
    """A futex call that waits: the key by which the engine wakes its thread.

    *until* as in Wait; *waiters* are its places in queues of this process, *sleepers* wait for it at words in shared
    memory, by the words' indices. *woken* is the index of the word that was woken, or -1. *lock* is the address of the
    lock that the thread *tid* wants to own, 0 for none.
    """

    __slots__ = ("lock", "sleepers", "tid", "until", "waiters", "woken")

    def __init__(self, tid: int, until: float | None, lock: int = 0) -> None:
        self.tid = tid
        self.until = until
        self.lock = lock
        self.waiters: list[Waiter] = []
        self.sleepers: dict[int, Sleeper] = {}
        self.woken = -1


class Timer:
    """A POSIX timer: it sends *signal* (0: none) with *value*, a guest word, to *thread* or, for 0, to the process.

    *host* is the host's timer, which tells *serial*. *pending* is the last signal that was queued, *told* the one
    before. It fires each *interval* ns, on the host each *times* of that; *streak* and *late*: see timer_pace.
    """

    __slots__ = (
        "host",
        "interval",
        "late",
        "pending",
        "serial",
        "signal",
        "streak",
        "thread",
        "times",
        "told",
        "value",
    )

    def __init__(self, signal: int, value: int, thread: int) -> None:
        self.signal = signal
        self.value = value
        self.thread = thread
        self.host = 0
        self.serial = 0
        self.interval, self.times, self.streak, self.late = 0, 1, 0, False
        self.pending: Pending | None = None
        self.told: Pending | None = None


class LinuxThread(PosixThread):
    """Adds *name* (comm), the address that CLONE_CHILD_CLEARTID clears and futex-wakes, the robust list head."""

    process: LinuxProcess

    def __init__(self, process: LinuxProcess, tid: int, registers: Registers) -> None:
        super().__init__(process, tid, registers)
        self.name = b""
        self.clear_tid = 0
        self.robust_list = 0
        self.parent_death_signal = 0
        self.timer_slack = 50000
        self.filters: Filter | None = None  # of seccomp
        self.strict = False
