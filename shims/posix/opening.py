"""Opening files: from the guest's flags to a descriptor."""

from __future__ import annotations

import errno
import os
import stat
from typing import Final

from compat.abi.flags import FlagSet
from compat.abi.handles import CString
from compat.host import O_PATH
from compat.sandbox.place import Opened, Place
from compat.sandbox.synthetic import File
from shims.posix import fifos
from shims.posix.names import here, start, text
from shims.posix.openfiles import OpenFile, SpecialFile
from shims.posix.state import PosixThread

__all__ = [
    "HOST_FLAGS", "WITH_PATH", "WrittenNode", "creat", "host_flags", "install", "open", "open_at", "openat",
    "refuse_running",
]  # fmt: skip

_NAMES = (
    "O_RDONLY", "O_WRONLY", "O_RDWR", "O_CREAT", "O_EXCL", "O_NOCTTY", "O_TRUNC", "O_APPEND", "O_NONBLOCK", "O_DSYNC",
    "O_SYNC", "O_ASYNC", "O_DIRECT", "O_DIRECTORY", "O_NOFOLLOW", "O_NOATIME", "O_PATH", "O_TMPFILE",
)  # fmt: skip
HOST_FLAGS: Final[dict[str, int]] = {name: getattr(os, name) for name in _NAMES if hasattr(os, name)}
"""O_* names and the host's bits. O_CLOEXEC is not among them: it belongs to the guest's descriptor."""

_EXECUTABLE = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH
_ACCESS = frozenset({"O_RDONLY", "O_WRONLY", "O_RDWR"})
WITH_PATH = frozenset({"O_PATH", "O_DIRECTORY", "O_NOFOLLOW", "O_CLOEXEC"})
_REMEMBERED = frozenset({"O_LARGEFILE", "O_DIRECTORY", "O_NOFOLLOW", "O_PATH", "O_TMPFILE"})
_MOST_WITHOUT_LARGEFILE = 0x7FFF_FFFF  # MAX_NON_LFS


class WrittenNode(SpecialFile):
    """A synthetic file open for writing: what is written goes to its node."""

    seekable = True
    travels = True

    def __init__(self, node: File) -> None:
        self._node = node

    def read(self, thread: PosixThread, file: OpenFile, views: list[memoryview]) -> int:
        return thread.host.readv(file.fd, views)

    def write(self, thread: PosixThread, file: OpenFile, views: list[memoryview]) -> int:
        data = b"".join(views)
        assert self._node.on_write is not None
        self._node.on_write(data)
        return len(data)


def open(thread: PosixThread, path: CString, flags: FlagSet, mode: int) -> int:
    """open(2)."""
    return open_at(thread, here(thread), path, flags, host_flags(flags), mode)


def openat(thread: PosixThread, dir: int, path: CString, flags: FlagSet, mode: int) -> int:
    """openat(2)."""
    return open_at(thread, dir, path, flags, host_flags(flags), mode)


def creat(thread: PosixThread, path: CString, mode: int) -> int:
    """creat(2): open with O_CREAT | O_WRONLY | O_TRUNC."""
    flags = frozenset({"O_CREAT", "O_WRONLY", "O_TRUNC"})
    return open_at(thread, here(thread), path, flags, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode)


def host_flags(flags: FlagSet) -> int:
    """The host's bits; raises OSError(EINVAL) as build_open_flags() of Linux's fs/open.c."""
    if "O_PATH" in flags:
        return FlagSet(flags & WITH_PATH).host(HOST_FLAGS)
    if {"O_CREAT", "O_DIRECTORY"} <= flags and "O_TMPFILE" not in flags:
        raise OSError(errno.EINVAL, "O_CREAT and O_DIRECTORY")
    if "O_TMPFILE" in flags and not flags & {"O_WRONLY", "O_RDWR"}:
        raise OSError(errno.EINVAL, "O_TMPFILE without writing")
    bits = flags.host(HOST_FLAGS)
    return bits if flags & _ACCESS else bits | os.O_ACCMODE


def open_at(thread: PosixThread, dir: int, path: CString, flags: frozenset[str], bits: int, mode: int) -> int:
    """Open *path* with the guest's *flags*, which are *bits* for the host; returns the guest's descriptor."""
    if "O_PATH" in flags:
        flags &= WITH_PATH
    elif thread.abi.cpu.bits == 64:
        flags |= {"O_LARGEFILE"}  # force_o_largefile()
    if thread.resume is not None:
        opened = fifos.go_on(thread)
    else:
        name = text(path)
        thread.process.files.free_number()
        follow = not ("O_NOFOLLOW" in flags or {"O_CREAT", "O_EXCL"} <= flags)
        with thread.process.view.resolve(name, start(thread, dir, name), follow=follow) as place:
            opened = _open_place(thread, place, bits, mode & 0o7777)
        if bits & os.O_TRUNC:
            thread.memory.file_changed()
    return install(thread, opened, flags)


def _open_place(thread: PosixThread, place: Place, bits: int, mode: int) -> Opened:
    """Open without ever blocking the host: only a named pipe could, and not with these flags."""
    if not bits & O_PATH and (bits & os.O_ACCMODE or bits & os.O_TRUNC):
        refuse_running(thread, place)
    if bits & (os.O_NONBLOCK | O_PATH | os.O_EXCL) or bits & os.O_ACCMODE == os.O_RDWR:
        return place.open(bits, mode)
    return fifos.open_waiting(thread, place, bits) if _is_fifo(place) else place.open(bits, mode)


def refuse_running(thread: PosixThread, place: Place) -> None:
    """Raise OSError(ETXTBSY) where the file at *place*, which is about to be changed, is a program that runs."""
    try:
        state = place.stat()
    except OSError:
        return  # opening it will tell
    if stat.S_ISREG(state.st_mode) and state.st_mode & _EXECUTABLE and thread.process.runs(state):
        raise OSError(errno.ETXTBSY, "a program that runs")


def _is_fifo(place: Place) -> bool:
    try:
        return stat.S_ISFIFO(place.stat().st_mode)
    except OSError:
        return False


def install(thread: PosixThread, opened: Opened, flags: frozenset[str]) -> int:
    """Give *opened* the lowest free number; it is closed again where it is refused.

    Raises OSError: EMFILE; EOVERFLOW for a large file that a 32-bit guest opens without O_LARGEFILE.
    """
    host = thread.host
    try:
        file = OpenFile(host, opened.fd, path=opened.guest_path, opened=opened, flags=flags & _REMEMBERED)
        if isinstance(opened.node, File) and opened.node.on_write and not flags & {"O_RDONLY", "O_PATH"}:
            file.kind = WrittenNode(opened.node)
        if not flags & {"O_LARGEFILE", "O_PATH"} and not file.may_block and not file.is_directory:
            _refuse_large(host.fstat(opened.fd).st_size)
        return thread.process.files.add(file, close_on_exec="O_CLOEXEC" in flags)
    except BaseException:
        host.close(opened.fd)
        raise


def _refuse_large(size: int) -> None:
    if size > _MOST_WITHOUT_LARGEFILE:
        raise OSError(errno.EOVERFLOW, "file too large without O_LARGEFILE")
