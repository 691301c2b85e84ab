"""epoll: the host's own set, which keeps the guest's data for each of its files."""

from __future__ import annotations

import errno
import select
import time
from weakref import WeakKeyDictionary

from compat.abi.flags import Constant, FlagSet
from compat.abi.handles import ArrayHandle, Pointer
from compat.abi.structs import Record
from shims.linux.polling import masked
from shims.linux.state import LinuxThread
from shims.posix.clock import SECOND, nanoseconds
from shims.posix.names import open_file
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


class EpollSet:
    """What the host's set can't know. *copies* has the host's descriptor for each file and guest number in the set that
    this process put there: that of the file, or a copy of it where a second guest number stands for the same file. The
    guest's data are the host's."""

    def __init__(self) -> None:
        self.copies: WeakKeyDictionary[OpenFile, dict[int, int]] = WeakKeyDictionary()


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
    holder, file = open_file(thread, epoll), open_file(thread, fd)
    if holder is file or not isinstance(holder.kind, EpollSet):
        raise OSError(errno.EINVAL, "no epoll set, or itself")
    numbers = holder.kind.copies.setdefault(file, {})
    if op == "EPOLL_CTL_ADD" and record is not None:
        _add(thread, holder, fd, file, numbers, record)
    elif op == "EPOLL_CTL_DEL":
        _remove(thread, holder, fd, file, numbers)
    elif op == "EPOLL_CTL_MOD" and record is not None:
        _control(thread, holder, _MOD, _member(fd, file, numbers), record)
    else:
        raise OSError(errno.EINVAL, f"epoll_ctl {op}")


def _add(
    thread: LinuxThread, holder: OpenFile, fd: int, file: OpenFile, numbers: dict[int, int], record: Record
) -> None:
    """Two guest numbers of one open file are one descriptor of the host's, so that the second needs a copy of it."""
    if fd in numbers:
        raise OSError(errno.EEXIST, "in the set already")
    member = thread.host.dup(file.fd) if file.fd in numbers.values() else file.fd
    try:
        _control(thread, holder, _ADD, member, record)
    except OSError:
        if member != file.fd:
            thread.host.close(member)
        raise
    if member != file.fd:
        file.copies.append(member)
    numbers[fd] = member


def _remove(thread: LinuxThread, holder: OpenFile, fd: int, file: OpenFile, numbers: dict[int, int]) -> None:
    member = _member(fd, file, numbers)
    thread.host.epoll_ctl(holder.fd, _DEL, member, 0, bytes(8))
    numbers.pop(fd, None)
    if member != file.fd:
        file.copies.remove(member)
        thread.host.close(member)


def _member(fd: int, file: OpenFile, numbers: dict[int, int]) -> int:
    """The host's descriptor in the set; one that another process put there since a fork has the same number here."""
    if fd not in numbers and file.fd in numbers.values():
        raise OSError(errno.ENOENT, "another number of the same file is in the set")
    return numbers.get(fd, file.fd)


def _control(thread: LinuxThread, holder: OpenFile, op: int, member: int, record: Record) -> None:
    events = thread.abi.flags("EpollEvents").decode(record.int("events")).host(_HOST_EVENTS)
    data = record["data"]
    assert isinstance(data, bytes)
    thread.host.epoll_ctl(holder.fd, op, member, events, data)


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
    if not 0 < count <= 0x7FFFFFFF // events.codec.size:
        raise OSError(errno.EINVAL, "room for events")
    holder = open_file(thread, epoll)
    if not isinstance(holder.kind, EpollSet):
        raise OSError(errno.EINVAL, "no epoll set")
    flags = thread.abi.flags("EpollEvents")
    found = [
        {"events": flags.from_host(bits, _HOST_EVENTS), "data": data}
        for bits, data in thread.host.epoll_wait(holder.fd, min(count, _MOST))
    ]
    if not found and (until is None or time.monotonic() < until):
        thread.wait(descriptors={holder.fd: select.POLLIN}, until=until, resume=Deadline(until), restart="never")
    events.write(found)
    return len(found)
