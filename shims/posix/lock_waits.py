"""Waiting for locks: how often to look again, since no event tells that a lock is free; and who waits for whose record
lock, so that two processes that wait for each other hear of it (EDEADLK, fcntl(2)).

The host is never asked to wait, and so can't know. Each process that waits leaves a link in the run's private folder:
its name is the waiting process, its text the one that holds the lock.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from shims.posix.state import PosixProcess

__all__ = ["LockWait", "forget_wait", "note_wait"]

_LONGEST = 64  # processes in a chain; Linux looks at 10 (MAX_DEADLK_ITERATIONS of fs/locks.c)
_FIRST_LOOK, _LAST_LOOK = 0.0002, 0.02  # seconds


class LockWait:
    """Kept while a call waits for a lock: the process *pid* that holds it, 0 where nobody can tell, and in how many
    seconds to look again: most locks are held for a moment only, so soon at first."""

    def __init__(self, before: object) -> None:
        self.pid = 0
        self.pause: float = min(before.pause * 1.5, _LAST_LOOK) if isinstance(before, LockWait) else _FIRST_LOOK


@contextmanager
def _folder(process: PosixProcess) -> Iterator[int]:
    fd = process.view.private.folder(b"locks", 0o777)
    try:
        yield fd
    finally:
        process.host.close(fd)


def note_wait(process: PosixProcess, holder: int) -> None:
    """*process* is about to wait for *holder*; raises OSError(EDEADLK) if that waits for *process*."""
    with _folder(process) as folder:
        _remove(process, folder)
        following = holder
        for _ in range(_LONGEST):
            if following == process.pid:
                raise OSError(errno.EDEADLK, "processes wait for each other")
            try:
                following = int(process.host.readlinkat(folder, b"%d" % following))
            except FileNotFoundError:
                break
        process.host.symlinkat(b"%d" % holder, folder, b"%d" % process.pid)


def forget_wait(process: PosixProcess) -> None:
    """*process* waits no longer."""
    with _folder(process) as folder:
        _remove(process, folder)


def _remove(process: PosixProcess, folder: int) -> None:
    try:
        process.host.unlinkat(folder, b"%d" % process.pid)
    except FileNotFoundError:
        pass
