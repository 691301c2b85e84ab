"""System V IPC among the processes of one run: the shared state, its lock, and how one process wakes another.

The state lies in a file of the run's private folder, so every process of the guest's tree finds it and nobody else.
A thread that waits does so at its gate, a named pipe in that folder, into which whoever changes an entry writes. What
a killed process left undone, the next one to look does for it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, TypeVar

from compat.abi.flags import FlagSet
from compat.errors import Restart
from shims.posix.ipc_state import KINDS, PRIVATE, Entry, Namespace, Segment
from shims.posix.state import PosixProcess, PosixThread

__all__ = ["Ipc", "Sleep", "find_or_make", "ipc_of", "ipc_of_process", "new_entry", "now"]

_LOOK_AGAIN = 0.25  # seconds: a process that was killed wakes nobody
_E = TypeVar("_E", bound=Entry)


class Sleep:
    """Kept while a call waits: until when, by time.monotonic()."""

    def __init__(self, until: float | None) -> None:
        self.until = until


class Ipc:
    """One process's way to the state. *count* tells how many mappings of each segment the process has."""

    def __init__(self, process: PosixProcess, count: Callable[[], dict[int, int]]) -> None:
        self._process = process
        self._host = process.host
        self._folder = process.view.private.folder(b"ipc", 0o777)
        self._lock = self._open(b"lock", os.O_RDWR | os.O_CREAT)
        self._gates: dict[bytes, int] = {}
        self._count = count
        self._raw = b""

    def _open(self, name: bytes, flags: int) -> int:
        """Open a file of the folder; a new one is open to all users that the run's processes become."""
        fd = self._host.openat(self._folder, name, flags | os.O_CLOEXEC, 0o666)
        if flags & os.O_CREAT and self._host.fstat(fd).st_uid == self._host.geteuid():
            self._host.fchmod(fd, 0o666)  # the umask is the guest's
        return fd

    @contextmanager
    def open(self) -> Iterator[Namespace]:
        """The state, while no other process has it; what is changed in it is kept, also where an error is raised."""
        self._host.lockf(self._lock, fcntl.LOCK_EX)
        try:
            raw = self._load()
            state = Namespace(raw)
            self._bury(state)
            try:
                yield state
            finally:
                packed = state.pack()
                if packed != raw:
                    self._store(packed)
        finally:
            self._host.lockf(self._lock, fcntl.LOCK_UN)

    def _load(self) -> bytes:
        try:
            fd = self._open(b"state", os.O_RDONLY)
        except FileNotFoundError:
            return b""
        try:
            return self._host.read(fd, self._host.fstat(fd).st_size)
        finally:
            self._host.close(fd)

    def _store(self, data: bytes) -> None:
        """A new file takes the old one's place whole: who is killed on the way leaves the old one."""
        fd = self._open(b"next", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            self._host.write(fd, data)
        finally:
            self._host.close(fd)
        self._host.renameat(self._folder, b"next", self._folder, b"state")

    # --- processes that end ---

    def _bury(self, state: Namespace) -> None:
        """Do for processes that were killed what they would have done at their end."""
        holders = set[int]()
        for kind in KINDS.values():
            for each in state.entries[kind].values():
                holders |= getattr(each, "undo", {}).keys() | getattr(each, "attached", {}).keys()
        for pid in holders:
            if pid != self._process.pid and not self._lives(pid):
                self._forget(state, pid)

    def _lives(self, pid: int) -> bool:
        try:
            self._host.kill(pid, 0)
        except PermissionError:
            return True  # another user's
        except OSError:
            return False
        return True

    def _forget(self, state: Namespace, pid: int) -> None:
        for kind in KINDS.values():
            for each in state.entries[kind].values():
                if each.forget(pid):
                    self.wake(each)
        self.sweep(state)

    def sweep(self, state: Namespace) -> None:
        """Remove segments that wait for it and that nobody has any more."""
        segments = state.all(Segment)
        for id in [id for id, each in segments.items() if each.doomed and not each.attached]:
            del segments[id]
            self._host.unlinkat(self._folder, b"shm%d" % id)

    def recount(self) -> None:
        """Tell the state which segments this process has mapped now."""
        with self.open() as state:
            self.count(state)

    def count(self, state: Namespace) -> None:
        """As `recount`, in a state that is open already."""
        mine, pid = self._count(), self._process.pid
        for id, each in state.all(Segment).items():
            before = each.attached.pop(pid, 0)
            if id in mine:
                each.attached[pid] = mine[id]
            elif before:
                each.detached_at, each.last = now(), pid
        self.sweep(state)

    def forked(self) -> None:
        """This process is a fresh child: its threads have gates of their own, its mappings count too."""
        for fd in self._gates.values():
            self._host.close(fd)
        self._gates = {}
        if self._count():
            self.recount()

    def end(self) -> None:
        """The process ends: undo, detach, and leave nothing behind."""
        with self.open() as state:
            self._forget(state, self._process.pid)
        for name, fd in self._gates.items():
            self._host.close(fd)
            self._host.unlinkat(self._folder, name)
        for fd in (self._lock, self._folder):
            self._host.close(fd)

    # --- files of segments ---

    def make_segment(self, id: int, size: int) -> None:
        """The memory of the segment *id*, all zero; raises the host's OSError."""
        fd = self._open(b"shm%d" % id, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        try:
            self._host.ftruncate(fd, size)
        finally:
            self._host.close(fd)

    def open_segment(self, id: int, *, writable: bool) -> int:
        """A descriptor of its memory, which the caller closes."""
        return self._open(b"shm%d" % id, os.O_RDWR if writable else os.O_RDONLY)

    # --- waiting ---

    def wait(self, thread: PosixThread, entry: Entry, note: object, until: float | None, restart: Restart) -> NoReturn:
        """Wait until *entry* changes; *note* tells others what for. The call is entered again, with a `Sleep`."""
        name = self._gate_name(thread)
        entry.waiting.pop(name, None)
        if not thread.interrupted:
            entry.waiting[name] = note
        soon = time.monotonic() + _LOOK_AGAIN
        look = soon if until is None else min(soon, until)
        gate = self._gate(name)
        thread.wait(descriptors={gate: select.POLLIN}, until=look, resume=Sleep(until), restart=restart)

    def leave(self, thread: PosixThread, entry: Entry) -> None:
        """*thread* waits for *entry* no longer."""
        entry.waiting.pop(self._gate_name(thread), None)

    def _gate_name(self, thread: PosixThread) -> bytes:
        return b"gate%d-%d" % (self._process.pid, thread.id)

    def _gate(self, name: bytes) -> int:
        """The descriptor of a gate, with nothing in it."""
        fd = self._gates.get(name)
        if fd is None:
            self._host.mknodat(self._folder, name, stat.S_IFIFO | 0o666)
            self._host.fchmodat(self._folder, name, 0o666, 0)
            fd = self._gates[name] = self._open(name, os.O_RDWR | os.O_NONBLOCK)
        try:
            self._host.read(fd, 4096)
        except BlockingIOError:
            pass
        return fd

    def wake(self, entry: Entry) -> None:
        """*entry* has changed: everyone who waits for it looks again once the state is free."""
        for name in list(entry.waiting):
            try:
                fd = self._open(name, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # its process was killed
                del entry.waiting[name]
                continue
            try:
                self._host.write(fd, b".")
            except BlockingIOError:
                pass  # full: it will look anyway
            finally:
                self._host.close(fd)


def ipc_of(thread: PosixThread) -> Ipc:
    """The process's way to the state, made at first need."""
    return ipc_of_process(thread.process)


def ipc_of_process(process: PosixProcess) -> Ipc:
    """As `ipc_of`, for one without a thread at hand."""
    if process.ipc is None:
        from shims.posix.shared_memory import mappings

        process.ipc = Ipc(process, lambda: mappings(process.memory))
    return process.ipc


def now() -> int:
    """Seconds since 1970."""
    return int(time.time())


def find_or_make(
    thread: PosixThread,
    kind: type[_E],
    key: int,
    flags: FlagSet,
    *,
    check: Callable[[_E], None],
    make: Callable[[Namespace], int],
) -> int:
    """What the three get calls do with a key (ipcget, ipc/util.c).

    *check* refuses an existing entry that does not fit; *make* adds one and returns its id.
    Raises OSError: ENOENT, EEXIST, EACCES, and what the two raise.
    """
    with ipc_of(thread).open() as state:
        found = state.find(kind, key) if key != PRIVATE else None
        if found is None:
            if key != PRIVATE and "IPC_CREAT" not in flags:
                raise OSError(errno.ENOENT, "no such key")
            return make(state)
        if {"IPC_CREAT", "IPC_EXCL"} <= flags:
            raise OSError(errno.EEXIST, "key in use")
        check(found[1])
        mode = flags.value & 0o777
        found[1].check(thread.process.credentials, mode >> 6 | mode >> 3 | mode)
        return found[0]


def new_entry(thread: PosixThread, kind: type[_E], key: int, mode: int) -> _E:
    """An entry that belongs to the caller."""
    users, groups = thread.process.credentials.users, thread.process.credentials.groups
    owner, group = users.effective, groups.effective
    return kind(key, owner, group, owner, group, mode & 0o777, 0, now())
