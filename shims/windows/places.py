"""Places in files, and their sizes."""

from __future__ import annotations

import errno
import os
from typing import Final

from compat.abi.handles import Pointer
from shims.posix.openfiles import OpenFile
from shims.windows.threads import WindowsThread

__all__ = ["get_file_size", "get_file_size_ex", "set_end_of_file", "set_file_pointer", "set_file_pointer_ex"]

_WHENCE: Final = (os.SEEK_SET, os.SEEK_CUR, os.SEEK_END)  # FILE_BEGIN, FILE_CURRENT, FILE_END
_LOW: Final = 0xFFFF_FFFF


def _open_file(thread: WindowsThread, handle: int) -> OpenFile:
    return thread.process.files.get(thread.process.handles.file(handle).fd)


def _seek(thread: WindowsThread, file: int, distance: int, method: int) -> int:
    """The new place. Raises OSError: EBADF, EINVAL for a method or place that can't be."""
    if method >= len(_WHENCE):
        raise OSError(errno.EINVAL, "method")
    return thread.host.lseek(_open_file(thread, file).fd, distance, _WHENCE[method])


def set_file_pointer_ex(
    thread: WindowsThread, file: int, distance: int, place: Pointer[int] | None, method: int
) -> int:
    """SetFilePointerEx."""
    found = _seek(thread, file, distance, method)
    if place is not None:
        place.write(found)
    return 1


def set_file_pointer(thread: WindowsThread, file: int, distance: int, high: Pointer[int] | None, method: int) -> int:
    """SetFilePointer: with *high*, the upper half of a distance and of the place."""
    if high is not None:
        distance = high.read() << 32 | distance & _LOW
    found = _seek(thread, file, distance, method)
    if high is not None:
        high.write(found >> 32)
    return found & _LOW


def get_file_size_ex(thread: WindowsThread, file: int, size: Pointer[int]) -> int:
    """GetFileSizeEx."""
    size.write(thread.host.fstat(_open_file(thread, file).fd).st_size)
    return 1


def get_file_size(thread: WindowsThread, file: int, high: Pointer[int] | None) -> int:
    """GetFileSize."""
    size = thread.host.fstat(_open_file(thread, file).fd).st_size
    if high is not None:
        high.write(size >> 32)
    return size & _LOW


def set_end_of_file(thread: WindowsThread, file: int) -> int:
    """SetEndOfFile: the file ends where it stands."""
    fd = _open_file(thread, file).fd
    thread.host.ftruncate(fd, thread.host.lseek(fd, 0, os.SEEK_CUR))
    thread.memory.file_changed()
    return 1
