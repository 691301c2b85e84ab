"""Bytes between open files and guest memory, without a copy of their own, and without blocking the host."""

from __future__ import annotations

import errno
import fcntl
import os
import select
from collections.abc import Sequence
from typing import Final

from compat.data import dataclass
from compat.errors import MemoryFault
from shims.posix.openfiles import OpenFile, SpecialFile
from shims.posix.sending import queue_for_thread, sender
from shims.posix.state import Pending, PosixThread

__all__ = [
    "MAX_COUNT",
    "Span",
    "is_ready",
    "nonblocking",
    "receive",
    "send",
    "send_views",
    "views_of",
    "wait_until_ready",
]

Span = tuple[int, int]
"""Guest address and size in bytes."""

MAX_COUNT: Final = 0x7FFF_F000  # MAX_RW_COUNT of include/linux/fs.h
_MOST_VIEWS: Final = 1024  # the host's IOV_MAX
_NOWAIT: Final[int] = getattr(os, "RWF_NOWAIT", 0)
_CANNOT_TRY: Final = (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS, errno.ESPIPE)


@dataclass(frozen=True)
class Progress:
    """Kept while a write waits: *done* bytes have been taken."""

    done: int


def views_of(thread: PosixThread, spans: Sequence[Span], *, write: bool) -> list[memoryview]:
    """The guest's memory of *spans* as far as it can be used, at most MAX_COUNT bytes.

    As in a kernel, what lies before a bad page is still transferred. Raises MemoryFault where nothing does.
    """
    memory, views, room = thread.memory, list[memoryview](), MAX_COUNT
    for address, size in spans:
        if not room:
            break
        if address + size > memory.top:
            raise MemoryFault(address, "write" if write else "read")
        size = min(size, room)
        try:
            views += memory.views(address, size, write)
        except MemoryFault as fault:
            if fault.address > address:
                views += memory.views(address, fault.address - address, write)
            if not views:
                raise
            break
        room -= size
    return views[:_MOST_VIEWS]


def nonblocking(file: OpenFile) -> bool:
    """Whether the open file has O_NONBLOCK; other processes may share and change it, so the host is asked."""
    return bool(file.host.fcntl(file.fd, fcntl.F_GETFL) & os.O_NONBLOCK)


def is_ready(thread: PosixThread, file: OpenFile, events: int) -> bool:
    return bool(thread.host.poll([(file.fd, events)], 0))


def wait_until_ready(thread: PosixThread, file: OpenFile, events: int) -> None:
    """Return if one of *events* holds or the file is O_NONBLOCK, so that the host call will not block; else wait."""
    if not is_ready(thread, file, events) and not nonblocking(file):
        thread.wait(descriptors={file.fd: events})


def receive(thread: PosixThread, file: OpenFile, spans: Sequence[Span]) -> int:
    """Read from the file's position into *spans*; waits where the file has nothing yet. Returns bytes read."""
    views = views_of(thread, spans, write=True)
    if isinstance(file.kind, SpecialFile):
        return file.kind.read(thread, file, views)
    if not file.may_block or not views:
        return thread.host.readv(file.fd, views)
    if file.may_try and _NOWAIT:
        try:
            return thread.host.preadv(file.fd, views, -1, _NOWAIT)
        except BlockingIOError:
            if nonblocking(file):
                raise
            thread.wait(descriptors={file.fd: select.POLLIN})
        except OSError as error:
            if error.errno not in _CANNOT_TRY:
                raise
    if file.is_terminal:
        from shims.posix.jobs import check_foreground  # only here: few guests read from a terminal

        check_foreground(thread, file)
    wait_until_ready(thread, file, select.POLLIN)
    return thread.host.readv(file.fd, views)


def send(thread: PosixThread, file: OpenFile, spans: Sequence[Span]) -> int:
    """Write *spans* at the file's position; a file that blocks takes all of them in the end. Returns bytes written."""
    return send_views(thread, file, views_of(thread, spans, write=False))


def send_views(thread: PosixThread, file: OpenFile, views: list[memoryview]) -> int:
    """Write *views*, which must be the same when the call is entered again after a wait."""
    if isinstance(file.kind, SpecialFile):
        return file.kind.write(thread, file, views)
    try:
        if not file.may_block or not views:
            return thread.host.writev(file.fd, views)
        return _send_all(thread, file, views)
    except BrokenPipeError:
        queue_for_thread(thread, Pending(thread.abi.signals.encode("SIGPIPE"), "SI_USER", fields=sender(thread)))
        raise


def _send_all(thread: PosixThread, file: OpenFile, views: list[memoryview]) -> int:
    done = thread.resume.done if isinstance(thread.resume, Progress) else 0
    total = sum(map(len, views))
    while done < total:
        try:
            done += _send_some(thread, file, skip(views, done))
        except BlockingIOError:
            if nonblocking(file):
                if done:
                    break
                raise
            if thread.interrupted and done:
                break
            thread.wait(descriptors={file.fd: select.POLLOUT}, resume=Progress(done))
        except OSError:
            if not done:
                raise
            break
    return done


def _send_some(thread: PosixThread, file: OpenFile, views: list[memoryview]) -> int:
    """Write what can be written at once; BlockingIOError where that is nothing."""
    if file.may_try and _NOWAIT:
        try:
            return thread.host.pwritev(file.fd, views, -1, _NOWAIT)
        except BlockingIOError:
            raise
        except OSError as error:
            if error.errno not in _CANNOT_TRY:
                raise
    if not is_ready(thread, file, select.POLLOUT):
        raise BlockingIOError(errno.EAGAIN, "would block")
    if file.may_try and not nonblocking(file):
        views = [views[0][: select.PIPE_BUF]]  # a pipe that is ready takes so much without blocking
    return thread.host.writev(file.fd, views)


def skip(views: list[memoryview], count: int) -> list[memoryview]:
    """*views* without their first *count* bytes."""
    if not count:
        return views
    rest = list[memoryview]()
    for view in views:
        if count < len(view):
            rest.append(view[count:])
        count = max(0, count - len(view))
    return rest
