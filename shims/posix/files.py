"""Open files: reading, writing, seeking, duplicating, making durable."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from typing import Final

from compat.abi.flags import Constant, FlagSet
from compat.abi.handles import ArrayHandle, Buffer, CString
from compat.abi.structs import Record
from compat.errors import MemoryFault
from compat.host import Lock
from shims.posix import directories
from shims.posix.names import existing, here, open_file
from shims.posix.openfiles import OpenFile, SpecialFile
from shims.posix.opening import creat, open, openat, refuse_running
from shims.posix.state import PosixThread
from shims.posix.transfers import Span, receive, send

__all__ = [
    "close", "creat", "dup", "dup2", "dup3", "fdatasync", "flock", "fsync", "ftruncate", "lseek", "open", "openat",
    "read", "readv", "seek", "spans_of", "sync", "truncate", "write", "writev",
]  # fmt: skip

IOV_MAX: Final = 1024  # UIO_MAXIOV of include/uapi/linux/uio.h
_WHENCE: Final[dict[str, int]] = {
    name: getattr(os, name)
    for name in ("SEEK_SET", "SEEK_CUR", "SEEK_END", "SEEK_DATA", "SEEK_HOLE")
    if hasattr(os, name)
}


def close(thread: PosixThread, fd: int) -> None:
    """close(2)."""
    file = thread.process.files.get(fd)
    if file.locked:
        thread.memory.backings.release(file.fd)
    if file.locked and file.links > 1:
        everything = Lock(fcntl.F_UNLCK, os.SEEK_SET, 0, 0)
        thread.host.set_lock(file.fd, everything)  # any close of a file ends the process's record locks on it: fcntl(2)
    thread.process.files.close(fd)


# --- reading and writing ---


def read(thread: PosixThread, fd: int, buf: Buffer, count: int) -> int:
    """read(2)."""
    file = thread.process.files.get(fd)
    if file.may_block or file.kind is not None:
        return receive(thread, file, ((buf.address, count),))
    if file.is_directory:
        raise OSError(errno.EISDIR, "fd")
    try:
        return thread.host.readv(file.fd, buf.views(write=True))
    except MemoryFault:
        return receive(thread, file, ((buf.address, count),))


def write(thread: PosixThread, fd: int, buf: Buffer, count: int) -> int:
    """write(2)."""
    file = thread.process.files.get(fd)
    if file.may_block or file.kind is not None:
        return send(thread, file, ((buf.address, count),))
    try:
        return thread.host.writev(file.fd, buf.views(write=False))
    except MemoryFault:
        return send(thread, file, ((buf.address, count),))


def readv(thread: PosixThread, fd: int, vec: ArrayHandle[Record], count: int) -> int:
    """readv(2)."""
    file = open_file(thread, fd)
    spans = spans_of(vec)
    if file.is_directory:
        raise OSError(errno.EISDIR, "fd")
    return receive(thread, file, spans)


def writev(thread: PosixThread, fd: int, vec: ArrayHandle[Record], count: int) -> int:
    """writev(2)."""
    return send(thread, open_file(thread, fd), spans_of(vec))


def spans_of(vec: ArrayHandle[Record]) -> list[Span]:
    """The buffers of an iovec array.

    Raises OSError(EINVAL) for more than IOV_MAX of them, or for a length that is negative as ssize_t.
    """
    if not 0 <= vec.count <= IOV_MAX:
        raise OSError(errno.EINVAL, "count")
    if not vec.count:
        return []
    spans = [(record.int("base"), record.int("len")) for record in vec.read()]
    most = 1 << (8 * vec.codec.size // 2 - 1)
    if any(size >= most for _, size in spans):
        raise OSError(errno.EINVAL, "iov_len")
    return spans


# --- position ---


def lseek(thread: PosixThread, fd: int, offset: int, whence: Constant) -> int:
    """lseek(2); raises OSError(EOVERFLOW) where the new position does not fit the guest's off_t."""
    position = seek(thread, open_file(thread, fd), offset, whence)
    if position >> (thread.abi.cpu.bits - 1):
        raise OSError(errno.EOVERFLOW, "position")
    return position


def seek(thread: PosixThread, file: OpenFile, offset: int, whence: Constant) -> int:
    """Move the position of *file*; a directory's counts its names."""
    if whence not in _WHENCE:
        raise OSError(errno.EINVAL, "whence")
    if isinstance(file.kind, SpecialFile) and file.kind.seekable is False:
        raise OSError(errno.ESPIPE, "fd")
    if file.is_directory:
        return directories.seek(file, offset, whence)
    return thread.host.lseek(file.fd, offset, _WHENCE[whence])


def truncate(thread: PosixThread, path: CString, size: int) -> None:
    """truncate(2)."""
    if size < 0:
        raise OSError(errno.EINVAL, "size")
    with existing(thread, here(thread), path) as place:
        refuse_running(thread, place)
        place.truncate(size)
    thread.memory.file_changed()


def ftruncate(thread: PosixThread, fd: int, size: int) -> None:
    """ftruncate(2)."""
    if size < 0:
        raise OSError(errno.EINVAL, "size")
    thread.host.ftruncate(open_file(thread, fd).fd, size)
    thread.memory.file_changed()


# --- descriptors ---


def dup(thread: PosixThread, old: int) -> int:
    """dup(2)."""
    files = thread.process.files
    return files.add(files.get(old))


def dup2(thread: PosixThread, old: int, new: int) -> int:
    """dup2(2)."""
    files = thread.process.files
    if old == new:
        files.get(old)
        return new
    return _put(thread, old, new, close_on_exec=False)


def dup3(thread: PosixThread, old: int, new: int, flags: FlagSet) -> int:
    """dup3(2)."""
    if old == new or flags.unknown or flags - {"O_CLOEXEC", "O_RDONLY"}:
        raise OSError(errno.EINVAL, "dup3")
    return _put(thread, old, new, close_on_exec="O_CLOEXEC" in flags)


def _put(thread: PosixThread, old: int, new: int, *, close_on_exec: bool) -> int:
    files = thread.process.files
    if not 0 <= new < files.limit:
        raise OSError(errno.EBADF, "new")
    files.put(new, files.get(old), close_on_exec=close_on_exec)
    return new


# --- durability and whole-file locks ---


def sync(thread: PosixThread) -> None:
    """sync(2)."""
    thread.host.sync()


def fsync(thread: PosixThread, fd: int) -> None:
    """fsync(2)."""
    thread.host.fsync(open_file(thread, fd).fd)


def fdatasync(thread: PosixThread, fd: int) -> None:
    """fdatasync(2)."""
    thread.host.fdatasync(open_file(thread, fd).fd)


def flock(thread: PosixThread, fd: int, op: FlagSet) -> None:
    """flock(2); waits by looking again, since no event tells that the lock is free."""
    kinds = {"LOCK_SH": fcntl.LOCK_SH, "LOCK_EX": fcntl.LOCK_EX, "LOCK_UN": fcntl.LOCK_UN}
    chosen = [bits for name, bits in kinds.items() if name in op]
    if len(chosen) != 1 or op.unknown or op - kinds.keys() - {"LOCK_NB"}:
        raise OSError(errno.EINVAL, "op")
    file = open_file(thread, fd)
    try:
        thread.host.flock(file.fd, chosen[0] | fcntl.LOCK_NB)
    except BlockingIOError:
        if "LOCK_NB" in op:
            raise
        from shims.posix.lock_waits import LockWait  # rarely needed

        waited = LockWait(thread.resume)
        thread.wait(until=time.monotonic() + waited.pause, resume=waited)
