"""Bytes from one open file to another, and advice about what will be read."""

from __future__ import annotations

import errno
import os
import stat
from typing import Final

from compat.abi.flags import Constant, FlagSet
from compat.abi.handles import Pointer
from shims.linux.state import LinuxThread
from shims.posix.names import open_file
from shims.posix.openfiles import OpenFile, SpecialFile
from shims.posix.transfers import MAX_COUNT, send_views

__all__ = [
    "advise_first", "copy_file_range", "fadvise64", "flush_first", "move_on", "readahead", "sendfile",
    "sync_file_range",
]  # fmt: skip

_PIECE = 0x10000  # bytes of one turn where the receiver may block: a short count is allowed
_ADVICE: Final = {
    name: getattr(os, name)
    for name in (
        "POSIX_FADV_NORMAL", "POSIX_FADV_RANDOM", "POSIX_FADV_SEQUENTIAL", "POSIX_FADV_WILLNEED", "POSIX_FADV_DONTNEED",
        "POSIX_FADV_NOREUSE",
    )
    if hasattr(os, name)
}  # fmt: skip


def sendfile(thread: LinuxThread, out_fd: int, in_fd: int, offset: Pointer[int] | None, count: int) -> int:
    """sendfile(2) and sendfile64: from *offset*, which moves on, or from the file's position."""
    place = offset.read() if offset is not None else None
    source = open_file(thread, in_fd)
    if place is not None and place < 0:
        raise OSError(errno.EINVAL, "offset")
    target = open_file(thread, out_fd)
    if source.is_directory or target.is_directory:
        raise OSError(errno.EINVAL, "a directory")
    count = min(count, MAX_COUNT)
    moved = _send(thread, source, target, place, count)
    move_on(offset, place, moved)
    return moved


def _send(thread: LinuxThread, source: OpenFile, target: OpenFile, place: int | None, count: int) -> int:
    if not target.may_block and not isinstance(target.kind, SpecialFile):
        return thread.host.sendfile(target.fd, source.fd, place, count)
    if source.may_block:
        raise OSError(errno.EINVAL, "in_fd")
    start = thread.host.lseek(source.fd, 0, os.SEEK_CUR) if place is None else place
    piece = thread.host.pread(source.fd, min(count, _PIECE), start)
    moved = send_views(thread, target, [memoryview(piece)] if piece else [])
    if place is None:
        thread.host.lseek(source.fd, start + moved, os.SEEK_SET)
    return moved


def copy_file_range(
    thread: LinuxThread,
    in_fd: int,
    in_offset: Pointer[int] | None,
    out_fd: int,
    out_offset: Pointer[int] | None,
    count: int,
    flags: int,
) -> int:
    """copy_file_range(2)."""
    source, target = open_file(thread, in_fd), open_file(thread, out_fd)
    begin, end = (None if each is None else each.read() for each in (in_offset, out_offset))
    if flags:
        raise OSError(errno.EINVAL, "flags")
    if source.is_directory or target.is_directory:
        raise OSError(errno.EISDIR, "a directory")
    if source.may_block or target.may_block or isinstance(target.kind, SpecialFile):
        raise OSError(errno.EINVAL, "no regular file")
    copied = thread.host.copy_file_range(source.fd, target.fd, min(count, MAX_COUNT), begin, end)
    move_on(in_offset, begin, copied)
    move_on(out_offset, end, copied)
    return copied


def move_on(offset: Pointer[int] | None, start: int | None, moved: int) -> None:
    """Tell the guest where in the file the transfer ended that began at *start*."""
    if offset is not None and start is not None:
        offset.write(start + moved)


# --- advice and write-back ---


def fadvise64(thread: LinuxThread, fd: int, offset: int, length: int, advice: Constant) -> None:
    """fadvise64(2) and fadvise64_64."""
    _advise(thread, open_file(thread, fd), offset, length, advice)


def advise_first(thread: LinuxThread, fd: int, advice: Constant, offset: int, length: int) -> None:
    """fadvise64_64 as ARM and PowerPC order it, so that the pairs are aligned."""
    _advise(thread, open_file(thread, fd), offset, length, advice)


def _advise(thread: LinuxThread, file: OpenFile, offset: int, length: int, advice: Constant) -> None:
    if file.may_try:
        raise OSError(errno.ESPIPE, "fd")
    if not advice.known or not 0 <= length < 1 << 63:  # a size, which the kernel takes for a loff_t
        raise OSError(errno.EINVAL, "advice")
    if advice in _ADVICE and not file.may_block and not file.is_directory:
        thread.host.posix_fadvise(file.fd, offset, length, _ADVICE[advice])


def readahead(thread: LinuxThread, fd: int, offset: int, count: int) -> None:
    """readahead(2): only a regular file that is open for reading."""
    file = open_file(thread, fd)
    thread.host.readv(file.fd, [bytearray(0)]) if not file.is_directory else None  # EBADF without read access
    if not stat.S_ISREG(thread.host.fstat(file.fd).st_mode):
        raise OSError(errno.EINVAL, "fd")
    thread.host.posix_fadvise(file.fd, offset, min(count, MAX_COUNT), os.POSIX_FADV_WILLNEED)


def sync_file_range(thread: LinuxThread, fd: int, offset: int, length: int, flags: FlagSet) -> None:
    """sync_file_range(2); a wait for write-back writes all of the file's data."""
    file = open_file(thread, fd)
    if flags.unknown or offset < 0 or length < 0:
        raise OSError(errno.EINVAL, "range")
    mode = thread.host.fstat(file.fd).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISBLK(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.ESPIPE, "fd")
    if flags & {"SYNC_FILE_RANGE_WAIT_BEFORE", "SYNC_FILE_RANGE_WAIT_AFTER"}:
        thread.host.fdatasync(file.fd)


def flush_first(thread: LinuxThread, fd: int, flags: FlagSet, offset: int, length: int) -> None:
    """sync_file_range2, as ARM and PowerPC order it."""
    sync_file_range(thread, fd, offset, length, flags)
