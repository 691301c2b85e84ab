"""epoll: the host's own set, which knows guest descriptors by their numbers."""

from __future__ import annotations

import errno
import select
import time

from compat.abi.flags import Constant, FlagSet
from compat.abi.handles import ArrayHandle, Pointer
from compat.abi.structs import Record
from compat.data import dataclass, field
from shims.linux.polling import masked
from shims.linux.state import LinuxThread
from shims.posix.clock import SECOND, nanoseconds
from shims.posix.openfiles import OpenFile
from shims.posix.polling import Deadline, after

_HOST_EVENTS = {
    name: getattr(select, name)
    for name in (
        "EPOLLIN", "EPOLLPRI", "EPOLLOUT", "EPOLLERR", "EPOLLHUP", "EPOLLRDNORM", "EPOLLRDBAND", "EPOLLWRNORM",
        "EPOLLWRBAND", "EPOLLMSG", "EPOLLRDHUP", "EPOLLEXCLUSIVE", "EPOLLONESHOT", "EPOLLET",
    )
    if hasattr(select, name)
}  # fmt: skip
_ADD, _DEL, _MOD = 1, 2, 3
_MOST = 1 << 16  # events fetched at once, whatever the guest has room for


@dataclass
class _Entry:
    """A file in the set: *data* is the guest's, *fd* the host's descriptor, of our own if *own*."""

    file: OpenFile
    fd: int
    own: bool
    data: bytes


@dataclass
class EpollSet:
    """Entries by the guest's descriptor number."""

    entries: dict[int, _Entry] = field(default_factory=dict)


# --- making ---


def epoll_create(thread: LinuxThread, size: int) -> int:
    """An empty set. Raises OSError: EINVAL for a size below 1, EMFILE."""
    if size <= 0:
        raise OSError(errno.EINVAL, "epoll_create size")
    return _make(thread, close_on_exec=False)


def epoll_create1(thread: LinuxThread, flags: FlagSet) -> int:
    """An empty set. Raises OSError: EINVAL for unknown flags, EMFILE."""
    if flags.unknown:
        raise OSError(errno.EINVAL, "epoll_create1 flags")
    return _make(thread, close_on_exec="EPOLL_CLOEXEC" in flags)


def _make(thread: LinuxThread, *, close_on_exec: bool) -> int:
    file = OpenFile(thread.host, thread.host.epoll_create(), path=b"anon_inode:[eventpoll]", kind=EpollSet())
    try:
        return thread.process.files.add(file, close_on_exec=close_on_exec)
    except OSError:
        file.close()
        raise


def _find(thread: LinuxThread, epoll: int) -> tuple[OpenFile, EpollSet]:
    file = thread.process.files.get(epoll)
    if not isinstance(file.kind, EpollSet):
        raise OSError(errno.EINVAL, "no epoll set")
    return file, file.kind


# --- changing ---


def epoll_ctl(thread: LinuxThread, epoll: int, op: Constant, fd: int, event: Pointer[Record] | None) -> None:
    """Add, change or remove a file.

    Raises:
        OSError: EBADF, EINVAL for no set, itself or another operation, EEXIST, ENOENT, EPERM for a file that can't be
            waited for, EFAULT without an event.
    """
    record = None
    if op != "EPOLL_CTL_DEL":
        if event is None:
            raise OSError(errno.EFAULT, "no event")
        record = event.read()
    holder, kept = thread.process.files.get(epoll), thread.process.files.get(fd)
    if holder is kept or not isinstance(holder.kind, EpollSet):
        raise OSError(errno.EINVAL, "no epoll set, or itself")
    entries = holder.kind.entries
    entry = entries.get(fd)
    if entry is not None and entry.file is not kept:
        _forget(thread, holder, fd)
        entry = None
    if op == "EPOLL_CTL_ADD" and record is not None:
        if entry is not None:
            raise OSError(errno.EEXIST, "in the set already")
        entries[fd] = _add(thread, holder, fd, kept, record)
        return
    if entry is None:
        raise OSError(errno.ENOENT if op in ("EPOLL_CTL_DEL", "EPOLL_CTL_MOD") else errno.EINVAL, "not in the set")
    if op == "EPOLL_CTL_DEL":
        _forget(thread, holder, fd)
    elif op == "EPOLL_CTL_MOD" and record is not None:
        thread.host.epoll_ctl(holder.fd, _MOD, entry.fd, _host_events(thread, record), fd)
        entry.data = _data(record)
    else:
        raise OSError(errno.EINVAL, f"epoll_ctl {op}")


def _add(thread: LinuxThread, holder: OpenFile, fd: int, file: OpenFile, record: Record) -> _Entry:
    """Two guest numbers of one open file are one descriptor of the host's, so that the second needs a copy of it."""
    host, events = thread.host, _host_events(thread, record)
    try:
        host.epoll_ctl(holder.fd, _ADD, file.fd, events, fd)
        return _Entry(file, file.fd, False, _data(record))
    except FileExistsError:
        copy = host.dup(file.fd)
    try:
        host.epoll_ctl(holder.fd, _ADD, copy, events, fd)
    except OSError:
        host.close(copy)
        raise
    return _Entry(file, copy, True, _data(record))


def _forget(thread: LinuxThread, holder: OpenFile, fd: int) -> None:
    """Remove an entry, whose file may be closed by now."""
    entry = holder.kind.entries.pop(fd)
    try:
        if entry.own or entry.file.fd == entry.fd:
            thread.host.epoll_ctl(holder.fd, _DEL, entry.fd, 0, 0)
    except OSError:
        pass  # the host has forgotten it at its close
    if entry.own:
        thread.host.close(entry.fd)


def _host_events(thread: LinuxThread, record: Record) -> int:
    return thread.abi.flags("EpollEvents").decode(record.int("events")).host(_HOST_EVENTS)


def _data(record: Record) -> bytes:
    data = record["data"]
    assert isinstance(data, bytes)
    return data


# --- waiting ---


def epoll_wait(thread: LinuxThread, epoll: int, events: ArrayHandle[Record], count: int, timeout: int) -> int:
    """Up to *count* events; waits *timeout* milliseconds, or for ever if negative.

    Raises:
        OSError: EBADF, EINVAL for no set or no room.
    """
    return _wait(thread, epoll, events, count, after(thread, None if timeout < 0 else timeout / 1000))


def epoll_pwait(
    thread: LinuxThread,
    epoll: int,
    events: ArrayHandle[Record],
    count: int,
    timeout: int,
    set: Pointer[Record] | None,
    size: int,
) -> int:
    """epoll_wait under another signal mask. Raises OSError: EINVAL also for the size of the mask."""
    return masked(thread, set, size, lambda: epoll_wait(thread, epoll, events, count, timeout))


def epoll_pwait2(
    thread: LinuxThread,
    epoll: int,
    events: ArrayHandle[Record],
    count: int,
    timeout: Pointer[Record] | None,
    set: Pointer[Record] | None,
    size: int,
) -> int:
    """epoll_pwait with a timeout in nanoseconds. Raises OSError: EINVAL also for a time that is none."""
    seconds = None if timeout is None else nanoseconds(thread, timeout.read()) / SECOND
    until = after(thread, seconds)
    return masked(thread, set, size, lambda: _wait(thread, epoll, events, count, until))


def _wait(thread: LinuxThread, epoll: int, events: ArrayHandle[Record], count: int, until: float | None) -> int:
    holder, kept = _find(thread, epoll)
    if not 0 < count <= 0x7FFFFFFF // events.codec.size:
        raise OSError(errno.EINVAL, "room for events")
    found = _collect(thread, holder, kept, min(count, _MOST))
    if not found and (until is None or time.monotonic() < until):
        thread.wait(descriptors={holder.fd: select.POLLIN}, until=until, resume=Deadline(until), restart="never")
    events.write(found)
    return len(found)


def _collect(thread: LinuxThread, holder: OpenFile, kept: EpollSet, most: int) -> list[dict[str, object]]:
    """What has happened, as structs; a number that the set no longer has is left out."""
    flags = thread.abi.flags("EpollEvents")
    return [
        {"events": flags.from_host(bits, _HOST_EVENTS), "data": kept.entries[fd].data}
        for bits, fd in thread.host.epoll_wait(holder.fd, most)
        if fd in kept.entries
    ]
