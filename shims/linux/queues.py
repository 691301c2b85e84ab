"""POSIX message queues (mq_overview(7)): the host's own, under names that only this run can guess.

The names are listed in the run's private folder; the first process removes what is left of them at its end.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import stat
import time
from typing import Final

from compat.abi.flags import FlagSet
from compat.abi.handles import Buffer, CString, Pointer
from compat.abi.structs import Record
from shims.linux.state import QUEUES, LinuxProcess, LinuxThread
from shims.posix.clock import nanoseconds
from shims.posix.host_signals import to_host
from shims.posix.openfiles import OpenFile
from shims.posix.opening import HOST_FLAGS
from shims.posix.socketfiles import Socket
from shims.posix.transfers import nonblocking, wait_until_ready

__all__ = ["remove_queues"]

_LONGEST_NAME: Final = 200  # 255, less what stands before it on the host
_LONGEST: Final = 16 << 20  # HARD_MSGSIZEMAX, include/linux/ipc_namespace.h
_COOKIE: Final = 32  # NOTIFY_COOKIE_LEN, include/linux/mqueue.h
_PRIORITIES: Final = 32768  # MQ_PRIO_MAX
_EVENTS: Final = {"SIGEV_SIGNAL": 0, "SIGEV_NONE": 1}  # include/uapi/asm-generic/siginfo.h


class Queue:
    """What stands in `OpenFile.kind` for a queue."""


class Deadline:
    """Kept while a call waits: a time.monotonic() value."""

    def __init__(self, until: float) -> None:
        self.until = until


# --- names ---


def _host_name(process: LinuxProcess, name: bytes) -> bytes:
    return b"/" + os.path.basename(process.view.private.top) + b"." + name


def _text(name: CString) -> bytes:
    """The queue's name without a slash before it; raises OSError: ENAMETOOLONG, EACCES, ENOENT."""
    try:
        text = name.read(_LONGEST_NAME + 1)
    except ValueError:
        raise OSError(errno.ENAMETOOLONG, "name") from None
    if not text:
        raise OSError(errno.ENOENT, "name")
    if b"/" in text or text in (b".", b".."):
        raise OSError(errno.EACCES, "name")
    return text


def _list(process: LinuxProcess, name: bytes) -> None:
    """Note that the queue *name* was made."""
    folder = process.view.private.folder(QUEUES, 0o777)
    try:
        process.host.mknodat(folder, name, stat.S_IFREG | 0o600)
    except FileExistsError:
        pass
    finally:
        process.host.close(folder)


def remove_queues(process: LinuxProcess) -> None:
    """Remove the queues that the run has left."""
    for name in os.listdir(os.path.join(process.view.private.path, QUEUES)):
        try:
            process.host.mq_unlink(_host_name(process, name))
        except OSError:
            pass  # the guest has done it


# --- calls ---


def mq_open(thread: LinuxThread, name: CString, flags: FlagSet, mode: int, attr: Pointer[Record] | None) -> int:
    """mq_open(2). Raises OSError: ENOENT, EEXIST, EACCES, EINVAL, EMFILE, ENOSPC."""
    process, text = thread.process, _text(name)
    process.files.free_number()
    limits = None
    if attr is not None and "O_CREAT" in flags:
        given = attr.read()
        limits = given.int("maxmsg"), given.int("msgsize")
    wanted = FlagSet(flags & {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_CREAT", "O_EXCL", "O_NONBLOCK"})
    if "O_CREAT" in flags:
        _list(process, text)
    bits = wanted.host(HOST_FLAGS) | os.O_CLOEXEC
    fd = process.host.mq_open(_host_name(process, text), bits, mode & 0o7777, limits)
    file = OpenFile(process.host, fd, path=b"/" + text, kind=Queue())
    return process.files.add(file, close_on_exec="O_CLOEXEC" in flags)


def mq_unlink(thread: LinuxThread, name: CString) -> None:
    """mq_unlink(2)."""
    thread.host.mq_unlink(_host_name(thread.process, _text(name)))


def _queue(thread: LinuxThread, number: int, access: int | None = None) -> OpenFile:
    """The queue at *number*, open for reading or writing; raises OSError(EBADF)."""
    file = thread.process.files.get(number)
    if not isinstance(file.kind, Queue):
        raise OSError(errno.EBADF, "no queue")
    mode = thread.host.fcntl(file.fd, fcntl.F_GETFL) & os.O_ACCMODE
    if access is not None and mode not in (access, os.O_RDWR):
        raise OSError(errno.EBADF, "not open for that")
    return file


def _until(thread: LinuxThread, timeout: Pointer[Record] | None) -> float | None:
    """When the wait of the call under way ends; *timeout* is a time of day. Raises OSError(EINVAL)."""
    if isinstance(thread.resume, Deadline):
        return thread.resume.until
    if timeout is None:
        return None
    return time.monotonic() + nanoseconds(thread, timeout.read()) / 1e9 - time.time()


def _wait(thread: LinuxThread, file: OpenFile, events: int, until: float | None) -> None:
    """Return when the queue is ready, or the call must not wait; raises OSError(ETIMEDOUT)."""
    if until is None:
        wait_until_ready(thread, file, events)
    elif not thread.host.poll([(file.fd, events)], 0) and not nonblocking(file):
        if time.monotonic() >= until:
            raise OSError(errno.ETIMEDOUT, "queue")
        thread.wait(descriptors={file.fd: events}, until=until, resume=Deadline(until))


def mq_timedsend(
    thread: LinuxThread, queue: int, buf: Buffer, count: int, priority: int, timeout: Pointer[Record] | None
) -> None:
    """mq_timedsend(2). Raises OSError: EINVAL, EBADF, EMSGSIZE, EAGAIN, ETIMEDOUT; Interrupted."""
    if priority >= _PRIORITIES:
        raise OSError(errno.EINVAL, "priority")
    until = _until(thread, timeout)
    file = _queue(thread, queue, os.O_WRONLY)
    if count > thread.host.mq_getattr(file.fd).size:
        raise OSError(errno.EMSGSIZE, "message")
    data = buf.read()
    _wait(thread, file, select.POLLOUT, until)
    try:
        thread.host.mq_timedsend(file.fd, data, priority)
    except TimeoutError:  # another process was faster
        thread.wait(descriptors={file.fd: select.POLLOUT}, until=until, resume=until and Deadline(until))


def mq_timedreceive(
    thread: LinuxThread,
    queue: int,
    buf: Buffer,
    count: int,
    priority: Pointer[int] | None,
    timeout: Pointer[Record] | None,
) -> int:
    """mq_timedreceive(2). Raises OSError: EINVAL, EBADF, EMSGSIZE, EAGAIN, ETIMEDOUT; Interrupted."""
    until = _until(thread, timeout)
    file = _queue(thread, queue, os.O_RDONLY)
    if count < thread.host.mq_getattr(file.fd).size:
        raise OSError(errno.EMSGSIZE, "buffer")
    _wait(thread, file, select.POLLIN, until)
    try:
        data, found = thread.host.mq_timedreceive(file.fd, min(count, _LONGEST))
    except TimeoutError:  # another process was faster
        thread.wait(descriptors={file.fd: select.POLLIN}, until=until, resume=until and Deadline(until))
    buf.write(data)
    if priority is not None:
        priority.write(found)
    return len(data)


def mq_notify(thread: LinuxThread, queue: int, event: Pointer[Record] | None) -> None:
    """mq_notify(2). Raises OSError: EBADF, EBUSY, EINVAL."""
    if event is None:
        thread.host.mq_notify(_queue(thread, queue).fd, None)
        return
    given = event.read()
    kind = thread.abi.constants("SigNotify").decode(given.int("notify"))
    if kind == "SIGEV_THREAD":
        _notify_socket(thread, queue, given)
        return
    if kind not in _EVENTS:
        raise OSError(errno.EINVAL, f"{kind}")
    signal = 0
    if kind == "SIGEV_SIGNAL":
        if not 0 <= given.int("signo") <= thread.process.most_signals:
            raise OSError(errno.EINVAL, "signal")
        signal = to_host(thread.abi, given.int("signo"))
    thread.host.mq_notify(_queue(thread, queue).fd, (given.int("value"), signal, _EVENTS[kind]))


def _notify_socket(thread: LinuxThread, queue: int, event: Record) -> None:
    """SIGEV_THREAD, from which C libraries make threads: 32 bytes at the value go to a netlink socket."""
    cookie = thread.memory.read(event.int("value"), _COOKIE)
    file = thread.process.files.get(event.int("signo"))
    if not isinstance(file.kind, Socket) or file.kind.family != "AF_NETLINK":
        raise OSError(errno.ENOTSOCK if not isinstance(file.kind, Socket) else errno.EINVAL, "no netlink socket")
    thread.host.mq_notify_socket(_queue(thread, queue).fd, file.fd, cookie)


def mq_getsetattr(
    thread: LinuxThread, queue: int, attr: Pointer[Record] | None, old_attr: Pointer[Record] | None
) -> None:
    """mq_getattr and mq_setattr(3), which changes O_NONBLOCK only. Raises OSError: EBADF, EINVAL."""
    file, kinds = _queue(thread, queue), thread.abi.flags("OpenFlags")
    found = thread.host.mq_getattr(file.fd)
    wanted = None if attr is None else kinds.decode(attr.read().int("flags"))
    if wanted is not None and (wanted.unknown or wanted - {"O_NONBLOCK", "O_RDONLY"}):
        raise OSError(errno.EINVAL, "flags")
    if wanted is not None:
        thread.host.set_blocking(file.fd, "O_NONBLOCK" not in wanted)
    if old_attr is not None:
        flags = kinds.encode(["O_NONBLOCK"]) if found.flags else 0
        counts = {"maxmsg": found.most, "msgsize": found.size, "curmsgs": found.waiting}
        old_attr.write({"flags": flags, **counts})
