"""Guest paths to places: the directory that a call starts from, the text, what AT_* flags say."""

from __future__ import annotations

import errno

from compat.abi.handles import CString
from compat.sandbox.place import Opened, Place
from shims.posix.openfiles import OpenFile
from shims.posix.state import PosixThread

__all__ = ["LONGEST", "entry", "existing", "here", "open_file", "start", "text"]

LONGEST = 4096
"""PATH_MAX with the NUL: include/uapi/linux/limits.h."""


def text(path: CString) -> bytes:
    """The path's bytes; raises OSError ENAMETOOLONG, ENOENT where it is empty."""
    try:
        name = path.read(LONGEST)
    except ValueError:
        raise OSError(errno.ENAMETOOLONG, "path") from None
    if not name:
        raise OSError(errno.ENOENT, "empty path")
    return name


def here(thread: PosixThread) -> int:
    """The guest's AT_FDCWD, for calls that have no directory argument."""
    return thread.abi.constants("DirFd").encode("AT_FDCWD")


def start(thread: PosixThread, dir: int, name: bytes) -> Opened:
    """The open directory from which *name* is resolved; raises OSError EBADF, ENOTDIR."""
    process = thread.process
    if dir == here(thread) or name.startswith(b"/"):
        return process.directory
    file = process.files.get(dir)
    if not file.is_directory:
        raise OSError(errno.ENOTDIR, "dir")
    return file.opened


def existing(thread: PosixThread, dir: int, path: CString, *, follow: bool = True, empty: bool = False) -> Place:
    """The place of a file to look at or change; *empty* lets an empty path mean *dir* itself (AT_EMPTY_PATH)."""
    if empty:
        held = _held(thread, dir, path)
        if held is not None:
            return held
    name = text(path)
    return thread.process.view.resolve(name, start(thread, dir, name), follow=follow)


def _held(thread: PosixThread, dir: int, path: CString) -> Place | None:
    try:
        if path.read(1):
            return None
    except ValueError:
        return None
    view = thread.process.view
    if dir == here(thread):
        return view.held(thread.process.directory)
    return view.held(thread.process.files.get(dir).opened)


def entry(thread: PosixThread, dir: int, path: CString) -> Place:
    """The place of a name to create, remove or rename."""
    name = text(path)
    return thread.process.view.entry(name, start(thread, dir, name))


def open_file(thread: PosixThread, fd: int) -> OpenFile:
    """The open file at *fd*; raises OSError(EBADF), also for one opened with O_PATH, as fdget() does."""
    file = thread.process.files.get(fd)
    if "O_PATH" in file.flags:
        raise OSError(errno.EBADF, "opened with O_PATH")
    return file
