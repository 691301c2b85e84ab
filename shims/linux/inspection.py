"""Looking into another process of the guest's tree: process_vm_readv(2), kcmp(2), pidfd_getfd(2)."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import Any, Final

from compat.abi.flags import Constant
from compat.abi.handles import ArrayHandle
from compat.abi.structs import Record
from compat.errors import MemoryFault
from compat.memory import PAGE
from shims.linux.inquiries import MOST, ask
from shims.linux.state import LinuxThread
from shims.posix.arrivals import arrive
from shims.posix.family import is_visible
from shims.posix.names import open_file

_MOST_VECTORS: Final = 1024  # UIO_MAXIOV
_SHARED: Final = ("KCMP_VM", "KCMP_FILES", "KCMP_FS", "KCMP_SIGHAND", "KCMP_IO", "KCMP_SYSVSEM")
"""What the threads of a process share, and no two processes do."""

Spans = list[tuple[int, int]]


def _ask(thread: LinuxThread, pid: int, *question: Any) -> tuple[Any, list[int]]:
    """As `ask`; EPERM for a process that does not answer, as for one that may not be traced."""
    try:
        return ask(thread.process, pid, *question)
    except PermissionError:
        raise OSError(errno.EPERM, f"process {pid}") from None


def _check(thread: LinuxThread, pid: int) -> bool:
    """Whether *pid* is this process, or one of its threads; raises OSError(ESRCH) for one that the guest can't see."""
    if pid in (thread.process.pid, *thread.process.threads):
        return True
    if not is_visible(thread.process, pid):
        raise OSError(errno.ESRCH, f"process {pid}")
    return False


# --- memory ---


def process_vm_readv(
    thread: LinuxThread,
    pid: int,
    vec: ArrayHandle[Record],
    count: int,
    remote: ArrayHandle[Record],
    remote_count: int,
    flags: int,
) -> int:
    """process_vm_readv(2)."""
    local, there = _vectors(thread, vec, count, remote, remote_count, flags)
    return _copy(thread, there, local) if _check(thread, pid) else _fetch(thread, pid, local, there)


def process_vm_writev(
    thread: LinuxThread,
    pid: int,
    vec: ArrayHandle[Record],
    count: int,
    remote: ArrayHandle[Record],
    remote_count: int,
    flags: int,
) -> int:
    """process_vm_writev(2)."""
    local, there = _vectors(thread, vec, count, remote, remote_count, flags)
    return _copy(thread, local, there) if _check(thread, pid) else _send(thread, pid, local, there)


def _vectors(
    thread: LinuxThread,
    vec: ArrayHandle[Record],
    count: int,
    remote: ArrayHandle[Record],
    remote_count: int,
    flags: int,
) -> tuple[Spans, Spans]:
    """(address, size) of the local and the remote pieces."""
    if flags or count > _MOST_VECTORS or remote_count > _MOST_VECTORS:
        raise OSError(errno.EINVAL, "flags or count")
    both = [[(v.int("base"), v.int("len")) for v in array.read()] for array in (vec, remote)]
    if any(size >> (thread.abi.cpu.bits - 1) for spans in both for _, size in spans):
        raise OSError(errno.EINVAL, "length")
    return both[0], both[1]


def _copy(thread: LinuxThread, sources: Spans, targets: Spans) -> int:
    """Copy page by page until one side ends or can't be accessed; raises MemoryFault if nothing was copied."""
    total = 0
    sources, targets = [s for s in reversed(sources) if s[1]], [t for t in reversed(targets) if t[1]]
    while sources and targets:
        (source, left), (target, room) = sources.pop(), targets.pop()
        size = min(left, room, PAGE - source % PAGE, PAGE - target % PAGE)
        try:
            thread.memory.write(target, thread.memory.read(source, size))
        except MemoryFault:
            if total:
                return total
            raise
        total += size
        if left > size:
            sources.append((source + size, left - size))
        if room > size:
            targets.append((target + size, room - size))
    return total


def _fetch(thread: LinuxThread, pid: int, local: Spans, there: Spans) -> int:
    """Read what lies *there* in another process into *local*."""
    done = 0
    for here, wanted in _portions(local, there):
        try:
            data, _ = _ask(thread, pid, "read", wanted)
            at = 0
            for address, size in here:
                thread.memory.write(address, data[at : at + size])
                at += size
        except (OSError, MemoryFault):
            if done:
                return done
            raise
        done += len(data)
        if len(data) < sum(size for _, size in wanted):
            break
    return done


def _send(thread: LinuxThread, pid: int, local: Spans, there: Spans) -> int:
    """Write what is in *local* to where it shall be in another process."""
    done = 0
    for here, wanted in _portions(local, there):
        try:
            data = b"".join(thread.memory.read(address, size) for address, size in here)
            written, _ = _ask(thread, pid, "write", wanted, data)
        except (OSError, MemoryFault):
            if done:
                return done
            raise
        done += written
        if written < len(data):
            break
    return done


def _portions(local: Spans, there: Spans) -> Iterator[tuple[Spans, Spans]]:
    """Both sides in pieces of one size, as much as an answer holds."""
    left = min(sum(size for _, size in spans) for spans in (local, there))
    sides = [[span for span in reversed(spans) if span[1]] for spans in (local, there)]
    while left:
        size = min(left, MOST)
        yield _cut(sides[0], size), _cut(sides[1], size)
        left -= size


def _cut(spans: Spans, size: int) -> Spans:
    """Take *size* bytes off the end of *spans*, which are in reverse order."""
    taken = Spans()
    while size:
        address, length = spans.pop()
        taken.append((address, min(length, size)))
        if length > size:
            spans.append((address + size, length - size))
        size -= taken[-1][1]
    return taken


# --- descriptors ---


def pidfd_getfd(thread: LinuxThread, pid_fd: int, fd: int, flags: int) -> int:
    """A descriptor for an open file of the process that *pid_fd* stands for.

    Raises OSError: EINVAL for flags, EBADF for either descriptor, ESRCH if the process has ended, EPERM.
    """
    if flags:
        raise OSError(errno.EINVAL, "pidfd_getfd flags")
    process = thread.process
    pid = process.host.pidfd_pid(process.files.get(pid_fd).fd)
    if pid <= 0:
        raise OSError(errno.ESRCH, "the process has ended")
    process.files.free_number()
    if _check(thread, pid):
        return process.files.add(open_file(thread, fd), close_on_exec=True)
    _, files = _ask(thread, pid, "file", fd)
    return process.files.add(arrive(thread, files[0]), close_on_exec=True)


def kcmp(thread: LinuxThread, pid: int, other_pid: int, type: Constant, index: int, other_index: int) -> int:
    """Whether two processes share something: 0 if they do, else 1 or 2 for an order of all that there is.

    Raises OSError: EINVAL for no type, EBADF for no descriptor, EOPNOTSUPP for a file in an epoll set, ESRCH, EPERM.
    """
    own, own_too = _check(thread, pid), _check(thread, other_pid)
    if type == "KCMP_FILE":
        return _compare_files(thread, (pid, index), (other_pid, other_index))
    if type in _SHARED:
        return 0 if (own and own_too) or pid == other_pid else 1 if pid < other_pid else 2
    raise OSError(errno.EOPNOTSUPP if type == "KCMP_EPOLL_TFD" else errno.EINVAL, f"{type}")


def _compare_files(thread: LinuxThread, one: tuple[int, int], other: tuple[int, int]) -> int:
    fds = list[int]()
    try:
        for pid, number in (one, other):
            if _check(thread, pid):
                fds.append(thread.host.dup(open_file(thread, number).fd))
            else:
                fds += _ask(thread, pid, "file", number)[1]
        return 0 if thread.host.same_file(*fds) else 1 if one < other else 2
    finally:
        for fd in fds:
            thread.host.close(fd)
