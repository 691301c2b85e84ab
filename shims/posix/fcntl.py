"""fcntl(2): descriptor flags, status flags, record locks, owners."""

from __future__ import annotations

import errno
import fcntl as host_fcntl
import os
import time
from typing import Final, NoReturn

from compat.abi.flags import Constant, FlagSet
from compat.abi.handles import Pointer
from compat.abi.structs import Record
from compat.host import Lock
from shims.posix.lock_waits import LockWait, forget_wait, note_wait
from shims.posix.names import open_file
from shims.posix.openfiles import OpenFile
from shims.posix.opening import HOST_FLAGS
from shims.posix.state import PosixProcess, PosixThread

__all__ = [
    "duplicate", "duplicate_cloexec", "get_descriptor_flags", "get_lock", "get_status_flags",
    "set_descriptor_flags", "set_lock", "set_status_flags", "status_flags", "take_lock",
    "unknown", "wait_lock",
]  # fmt: skip

_SETTABLE: Final = ("O_APPEND", "O_NONBLOCK", "O_DIRECT", "O_NOATIME", "O_ASYNC")
_TOLD: Final = {name: HOST_FLAGS[name] for name in (*_SETTABLE, "O_DSYNC", "O_SYNC") if name in HOST_FLAGS}
_ACCESS: Final = {os.O_RDONLY: "O_RDONLY", os.O_WRONLY: "O_WRONLY", os.O_RDWR: "O_RDWR"}
_LOCK_KINDS: Final = {"F_RDLCK": host_fcntl.F_RDLCK, "F_WRLCK": host_fcntl.F_WRLCK, "F_UNLCK": host_fcntl.F_UNLCK}
_WHENCE: Final = {"SEEK_SET": os.SEEK_SET, "SEEK_CUR": os.SEEK_CUR, "SEEK_END": os.SEEK_END}


def unknown(thread: PosixThread, fd: int, cmd: Constant, arg: int) -> None:
    """A command that has no row: EINVAL, after EBADF."""
    open_file(thread, fd)
    raise OSError(errno.EINVAL, "cmd")


# --- descriptors ---


def duplicate(thread: PosixThread, fd: int, cmd: Constant, least: int) -> int:
    """F_DUPFD."""
    return _duplicate(thread, fd, least, close_on_exec=False)


def duplicate_cloexec(thread: PosixThread, fd: int, cmd: Constant, least: int) -> int:
    """F_DUPFD_CLOEXEC."""
    return _duplicate(thread, fd, least, close_on_exec=True)


def _duplicate(thread: PosixThread, fd: int, least: int, *, close_on_exec: bool) -> int:
    files = thread.process.files
    file = files.get(fd)
    if not 0 <= least < files.limit:
        raise OSError(errno.EINVAL, "least")
    return files.add(file, close_on_exec=close_on_exec, least=least)


def get_descriptor_flags(thread: PosixThread, fd: int, cmd: Constant) -> int:
    """F_GETFD."""
    marked = thread.process.files.slot(fd).close_on_exec
    return thread.abi.flags("FdFlags").encode(["FD_CLOEXEC"]) if marked else 0


def set_descriptor_flags(thread: PosixThread, fd: int, cmd: Constant, flags: FlagSet) -> None:
    """F_SETFD; bits other than FD_CLOEXEC are ignored."""
    thread.process.files.slot(fd).close_on_exec = "FD_CLOEXEC" in flags


# --- status flags ---


def get_status_flags(thread: PosixThread, fd: int, cmd: Constant) -> int:
    """F_GETFL."""
    return status_flags(thread.process, thread.process.files.get(fd))


def status_flags(process: PosixProcess, file: OpenFile) -> int:
    """The guest's O_* number for how *file* is open."""
    names = set(file.flags)
    if "O_PATH" not in file.flags:
        bits = process.host.fcntl(file.fd, host_fcntl.F_GETFL)
        names |= {name for name, bit in _TOLD.items() if bits & bit == bit}
        names |= {_ACCESS[bits & os.O_ACCMODE]} if bits & os.O_ACCMODE in _ACCESS else {"O_ACCMODE"}
    return process.abi.flags("OpenFlags").encode(names)


def set_status_flags(thread: PosixThread, fd: int, cmd: Constant, flags: FlagSet) -> None:
    """F_SETFL: O_APPEND, O_NONBLOCK, O_DIRECT, O_NOATIME and O_ASYNC can change, the rest is ignored."""
    file = open_file(thread, fd)
    wanted = FlagSet(flags & set(_SETTABLE)).host(HOST_FLAGS)
    thread.host.fcntl(file.fd, host_fcntl.F_SETFL, wanted)


# --- record locks ---


def get_lock(thread: PosixThread, fd: int, cmd: Constant, lock: Pointer[Record]) -> None:
    """F_GETLK, F_GETLK64: the lock in the way, or F_UNLCK."""
    report_lock(thread, fd, lock, open_file_lock=False)


def report_lock(thread: PosixThread, fd: int, pointer: Pointer[Record], *, open_file_lock: bool) -> None:
    """Put the lock in the way of the one at *pointer* there; raises OSError(EOVERFLOW) where it does not fit."""
    file = open_file(thread, fd)
    record = pointer.read()
    found = thread.host.get_lock(file.fd, _lock(thread, record), open_file=open_file_lock)
    if found.kind == host_fcntl.F_UNLCK:
        kind = {"type": thread.abi.constants("LockType").encode("F_UNLCK")}
        pointer.write({**record, **kind})
        return
    pointer.write({**record, **_fields(thread, found)})


def set_lock(thread: PosixThread, fd: int, cmd: Constant, lock: Pointer[Record]) -> None:
    """F_SETLK, F_SETLK64."""
    take_lock(thread, fd, lock, wait=False, open_file_lock=False)


def wait_lock(thread: PosixThread, fd: int, cmd: Constant, lock: Pointer[Record]) -> None:
    """F_SETLKW, F_SETLKW64."""
    take_lock(thread, fd, lock, wait=True, open_file_lock=False)


def take_lock(thread: PosixThread, fd: int, pointer: Pointer[Record], *, wait: bool, open_file_lock: bool) -> None:
    """Take or release the lock at *pointer*; waits by looking again, since no event tells that a lock is free."""
    file = open_file(thread, fd)
    lock = _lock(thread, pointer.read())
    if not open_file_lock:
        file.locked = True
        thread.memory.backings.keep(file.fd)
    waited = isinstance(thread.resume, LockWait) and thread.resume.pid
    try:
        thread.host.set_lock(file.fd, lock, open_file=open_file_lock)
    except (BlockingIOError, PermissionError):
        if not wait:
            raise
        _wait_for_holder(thread, file, lock, open_file_lock=open_file_lock)
    if waited:
        forget_wait(thread.process)


def _wait_for_holder(thread: PosixThread, file: OpenFile, lock: Lock, *, open_file_lock: bool) -> NoReturn:
    """Wait, unless the holder waits for this process. Locks of open files have no holder to tell."""
    waited = LockWait(thread.resume)
    soon = time.monotonic() + waited.pause
    if open_file_lock:
        thread.wait(until=soon, resume=waited)
    known = thread.resume.pid if isinstance(thread.resume, LockWait) else 0
    if thread.interrupted:
        forget_wait(thread.process)
        thread.wait()
    holder = thread.host.get_lock(file.fd, lock).pid
    if holder > 0 and holder != known:
        note_wait(thread.process, holder)
    waited.pid = holder
    thread.wait(until=soon, resume=waited)


def _lock(thread: PosixThread, record: Record) -> Lock:
    """The host's lock; raises OSError(EINVAL) for an unknown type or whence."""
    kind = thread.abi.constants("LockType").decode(record.int("type"))
    whence = thread.abi.constants("Whence").decode(record.int("whence"))
    if kind not in _LOCK_KINDS or whence not in _WHENCE:
        raise OSError(errno.EINVAL, "lock")
    return Lock(_LOCK_KINDS[kind], _WHENCE[whence], record.int("start"), record.int("len"), record.int("pid"))


def _fields(thread: PosixThread, lock: Lock) -> dict[str, object]:
    kind = next(name for name, number in _LOCK_KINDS.items() if number == lock.kind)
    whence = next(name for name, number in _WHENCE.items() if number == lock.whence)
    return {
        "type": thread.abi.constants("LockType").encode(kind),
        "whence": thread.abi.constants("Whence").encode(whence),
        "start": lock.start,
        "len": lock.length,
        "pid": lock.pid,
    }
