"""Reading directories: a snapshot of the names, so that positions stay stable while the folder changes."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from compat.host import Dirent
from shims.posix.openfiles import OpenFile
from shims.posix.state import PosixThread

__all__ = ["following", "seek"]

_LARGEST = 0x7FFF_FFFF


def seek(file: OpenFile, offset: int, whence: str) -> int:
    """lseek on a directory: positions are those that getdents told. The start looks at the folder anew."""
    if whence == "SEEK_CUR":
        offset += file.position
    elif whence != "SEEK_SET":
        raise OSError(errno.EINVAL, "whence")
    if not 0 <= offset <= _LARGEST:
        raise OSError(errno.EINVAL, "offset")
    file.position = offset
    if offset == 0:
        file.names = None
    return offset


def following(thread: PosixThread, file: OpenFile) -> Iterator[tuple[Dirent, int]]:
    """The entries from the position on, each with the position behind it; raises OSError: ENOTDIR, ENOENT
    for a directory that was removed (iterate_dir of Linux's fs/readdir.c)."""
    if not file.is_directory:
        raise OSError(errno.ENOTDIR, "fd")
    if file.names is None:
        if file.opened.node is None and not thread.host.fstat(file.fd).st_nlink:
            raise OSError(errno.ENOENT, "removed")
        file.names = thread.process.view.listdir(file.opened)
    for index in range(file.position, len(file.names)):
        yield file.names[index], index + 1
