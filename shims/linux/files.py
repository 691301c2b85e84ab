"""Open files: what Linux adds; transfers at an offset, 64-bit positions, openat2, ranges of descriptors."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from typing import Final

from compat.abi.flags import Constant, FlagSet
from compat.abi.handles import ArrayHandle, Buffer, CString, Pointer
from compat.abi.structs import Record
from shims.linux.extensible import read_extensible
from shims.linux.state import LinuxThread
from shims.posix.files import seek, spans_of
from shims.posix.names import open_file
from shims.posix.openfiles import OpenFile, SpecialFile
from shims.posix.opening import WITH_PATH, host_flags, install, open_at
from shims.posix.transfers import Span, receive, send, views_of

__all__ = [
    "cachestat", "close_range", "fallocate", "llseek", "memfd_create", "openat2", "pread64", "preadv", "preadv2",
    "pwrite64", "pwritev", "pwritev2", "syncfs",
]  # fmt: skip

_Here = Callable[[LinuxThread, OpenFile, Sequence[Span]], int]
_At = Callable[[LinuxThread, OpenFile, Sequence[Span], int, int], int]
_HOW_SIZE = 24  # OPEN_HOW_SIZE_VER0 of include/uapi/linux/openat2.h
_MEMFD: Final = {
    "MFD_ALLOW_SEALING": 2, "MFD_HUGETLB": 4, "MFD_NOEXEC_SEAL": 8, "MFD_EXEC": 16,
}  # fmt: skip
_FALLOCATE: Final = {
    "FALLOC_FL_KEEP_SIZE": 1, "FALLOC_FL_PUNCH_HOLE": 2, "FALLOC_FL_COLLAPSE_RANGE": 8, "FALLOC_FL_ZERO_RANGE": 16,
    "FALLOC_FL_INSERT_RANGE": 32, "FALLOC_FL_UNSHARE_RANGE": 64,
}  # fmt: skip
_TRANSFER: Final = {
    "RWF_HIPRI": getattr(os, "RWF_HIPRI", 0),
    "RWF_DSYNC": getattr(os, "RWF_DSYNC", 0),
    "RWF_SYNC": getattr(os, "RWF_SYNC", 0),
    "RWF_NOWAIT": getattr(os, "RWF_NOWAIT", 0),
    "RWF_APPEND": getattr(os, "RWF_APPEND", 0),
}


# --- at an offset ---


def pread64(thread: LinuxThread, fd: int, buf: Buffer, count: int, offset: int) -> int:
    """pread64(2)."""
    file = _positioned(thread, fd, offset)
    return _read_at(thread, file, ((buf.address, count),), offset)


def pwrite64(thread: LinuxThread, fd: int, buf: Buffer, count: int, offset: int) -> int:
    """pwrite64(2)."""
    file = _positioned(thread, fd, offset)
    return _write_at(thread, file, ((buf.address, count),), offset)


def preadv(thread: LinuxThread, fd: int, vec: ArrayHandle[Record], count: int, low: int, high: int) -> int:
    """preadv(2)."""
    offset = _offset(thread, low, high)
    file = _positioned(thread, fd, offset)
    return _read_at(thread, file, spans_of(vec), offset)


def pwritev(thread: LinuxThread, fd: int, vec: ArrayHandle[Record], count: int, low: int, high: int) -> int:
    """pwritev(2)."""
    offset = _offset(thread, low, high)
    file = _positioned(thread, fd, offset)
    return _write_at(thread, file, spans_of(vec), offset)


def preadv2(
    thread: LinuxThread, fd: int, vec: ArrayHandle[Record], count: int, low: int, high: int, flags: FlagSet
) -> int:
    """preadv2(2): offset -1 reads at the file's position."""
    return _transfer(thread, fd, vec, _offset(thread, low, high), flags, (receive, _read_at))


def pwritev2(
    thread: LinuxThread, fd: int, vec: ArrayHandle[Record], count: int, low: int, high: int, flags: FlagSet
) -> int:
    """pwritev2(2): offset -1 writes at the file's position."""
    return _transfer(thread, fd, vec, _offset(thread, low, high), flags, (send, _write_at))


def _transfer(
    thread: LinuxThread, fd: int, vec: ArrayHandle[Record], offset: int, flags: FlagSet, ways: tuple[_Here, _At]
) -> int:
    """Move bytes at the file's position or at *offset*; *ways* are the functions for the two."""
    file = open_file(thread, fd) if offset == -1 else _positioned(thread, fd, offset)
    spans, bits = spans_of(vec), _transfer_flags(flags)
    return ways[1](thread, file, spans, offset, bits) if bits or offset != -1 else ways[0](thread, file, spans)


def _positioned(thread: LinuxThread, fd: int, offset: int) -> OpenFile:
    """The file, checked in the order of ksys_pread64(): the offset, the descriptor, whether it has positions."""
    if offset < 0:
        raise OSError(errno.EINVAL, "offset")
    file = open_file(thread, fd)
    if file.may_try or (isinstance(file.kind, SpecialFile) and not file.kind.seekable):
        raise OSError(errno.ESPIPE, "fd")
    return file


def _read_at(thread: LinuxThread, file: OpenFile, spans: Sequence[Span], offset: int, flags: int = 0) -> int:
    if file.is_directory:
        raise OSError(errno.EISDIR, "fd")
    return thread.host.preadv(file.fd, views_of(thread, spans, write=True), offset, flags)


def _write_at(thread: LinuxThread, file: OpenFile, spans: Sequence[Span], offset: int, flags: int = 0) -> int:
    views = views_of(thread, spans, write=False)
    if isinstance(file.kind, SpecialFile):
        return file.kind.write(thread, file, views)
    return thread.host.pwritev(file.fd, views, offset, flags)


def _offset(thread: LinuxThread, low: int, high: int) -> int:
    """pos_from_hilo() of fs/read_write.c, as a signed number."""
    whole = low if thread.abi.cpu.bits == 64 else low | high << 32
    return whole - (1 << 64) if whole >> 63 else whole


def _transfer_flags(flags: FlagSet) -> int:
    if flags.unknown or any(name.startswith("RWF_") and not _TRANSFER.get(name) for name in flags):
        raise OSError(errno.EOPNOTSUPP, "flags")
    return flags.host(_TRANSFER)


# --- positions and sizes ---


def llseek(thread: LinuxThread, fd: int, high: int, low: int, result: Pointer[int], whence: Constant) -> None:
    """_llseek(2): the offset in two words, the new position in memory."""
    file = open_file(thread, fd)
    offset = low & 0xFFFF_FFFF | (high & 0xFFFF_FFFF) << 32
    position = seek(thread, file, offset - (1 << 64) if offset >> 63 else offset, whence)
    result.write(position)


def fallocate(thread: LinuxThread, fd: int, mode: FlagSet, offset: int, length: int) -> None:
    """fallocate(2)."""
    file = open_file(thread, fd)
    if offset < 0 or length <= 0:
        raise OSError(errno.EINVAL, "range")
    if mode.unknown or mode - _FALLOCATE.keys():
        raise OSError(errno.EOPNOTSUPP, "mode")
    thread.host.fallocate(file.fd, mode.host(_FALLOCATE), offset, length)
    thread.memory.file_changed()


def syncfs(thread: LinuxThread, fd: int) -> None:
    """syncfs(2)."""
    thread.host.syncfs(open_file(thread, fd).fd)


# --- descriptors ---


def openat2(thread: LinuxThread, dir: int, path: CString, how: Pointer[Record], size: int) -> int:
    """openat2(2) without RESOLVE_*: with them it is not there, as before Linux 5.6, and programs do without."""
    record = read_extensible(thread, how, size, _HOW_SIZE)
    value, mode = record.int("flags"), record.int("mode")
    flags = thread.abi.flags("OpenFlags").decode(value)
    makes = flags & {"O_CREAT", "O_TMPFILE"}
    if value >> 32 or flags.unknown or mode & ~0o7777 or (mode and not makes):
        raise OSError(errno.EINVAL, "how")
    if "O_PATH" in flags and flags - WITH_PATH - {"O_RDONLY"}:
        raise OSError(errno.EINVAL, "how")
    if record.int("resolve"):
        raise OSError(errno.ENOSYS, "resolve")
    return open_at(thread, dir, path, flags, host_flags(flags), mode)


def close_range(thread: LinuxThread, first: int, last: int, flags: FlagSet) -> None:
    """close_range(2)."""
    if flags.unknown or first > last:
        raise OSError(errno.EINVAL, "range")
    files = thread.process.files
    for fd, slot in list(files):
        if first <= fd <= last:
            if "CLOSE_RANGE_CLOEXEC" in flags:
                slot.close_on_exec = True
            else:
                files.close(fd)


def memfd_create(thread: LinuxThread, name: CString, flags: FlagSet) -> int:
    """memfd_create(2)."""
    if flags.unknown or {"MFD_EXEC", "MFD_NOEXEC_SEAL"} <= flags:
        raise OSError(errno.EINVAL, "flags")
    try:
        text = name.read(250)
    except ValueError:
        raise OSError(errno.EINVAL, "name") from None
    thread.process.files.free_number()
    fd = thread.host.memfd_create(text, flags.host(_MEMFD))
    given = frozenset({"O_LARGEFILE", "O_CLOEXEC"} if "MFD_CLOEXEC" in flags else {"O_LARGEFILE"})
    return install(thread, OpenFile(thread.host, fd, path=b"/memfd:" + text).opened, given)


def cachestat(thread: LinuxThread, fd: int, range: Pointer[Record], info: Pointer[Record], flags: int) -> None:
    """cachestat(2): what the host's cache has of the file. Raises OSError: ENOSYS on a host before 6.5."""
    file = open_file(thread, fd)
    wanted = range.read()
    if flags:
        raise OSError(errno.EINVAL, "flags")
    found = thread.host.cachestat(file.fd, wanted.int("off"), wanted.int("len"))
    info.write(dict(zip(("cache", "dirty", "writeback", "evicted", "recently_evicted"), found, strict=True)))
