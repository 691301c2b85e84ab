"""Files by handle."""

from __future__ import annotations

import errno
import stat

from compat.abi.handles import Buffer, Pointer
from shims.posix.openfiles import OpenFile
from shims.posix.transfers import receive, send
from shims.windows.threads import WindowsThread

__all__ = ["close_handle", "flush_file_buffers", "get_file_type", "read_file", "write_file"]


def _open_file(thread: WindowsThread, handle: int) -> OpenFile:
    return thread.process.files.get(thread.process.handles.file(handle).fd)


def close_handle(thread: WindowsThread, handle: int) -> int:
    """CloseHandle."""
    thread.process.files.close(thread.process.handles.remove(handle).fd)
    return 1


def flush_file_buffers(thread: WindowsThread, file: int) -> int:
    """FlushFileBuffers; consoles and pipes have nothing to flush."""
    opened = _open_file(thread, file)
    try:
        thread.host.fsync(opened.fd)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    return 1


def get_file_type(thread: WindowsThread, file: int) -> int:
    """GetFileType."""
    mode = thread.host.fstat(_open_file(thread, file).fd).st_mode
    name = "FILE_TYPE_CHAR" if stat.S_ISCHR(mode) else "FILE_TYPE_DISK"
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        name = "FILE_TYPE_PIPE"
    return thread.process.windows.constants("FileType").encode(name)


def read_file(
    thread: WindowsThread, file: int, buf: Buffer, size: int, done: Pointer[int] | None, overlapped: int
) -> int:
    """ReadFile: at the end of a file it succeeds with 0 bytes; a pipe whose writers are gone is broken."""
    opened = _open_file(thread, file)
    _refuse_overlapped(overlapped)
    count = receive(thread, opened, [(buf.address, size)])
    if done is not None:
        done.write(count)
    if not count and size and stat.S_ISFIFO(thread.host.fstat(opened.fd).st_mode):
        raise OSError(errno.EPIPE, "no writers")
    return 1


def write_file(
    thread: WindowsThread, file: int, buf: Buffer, size: int, done: Pointer[int] | None, overlapped: int
) -> int:
    """WriteFile."""
    opened = _open_file(thread, file)
    _refuse_overlapped(overlapped)
    count = send(thread, opened, [(buf.address, size)])
    if done is not None:
        done.write(count)
    return 1


def _refuse_overlapped(overlapped: int) -> None:
    if overlapped:
        raise OSError(errno.EOPNOTSUPP, "overlapped")
