"""The console: the user's terminal."""

from __future__ import annotations

import errno
from typing import Final

from compat.abi.handles import ArrayHandle, Buffer, Pointer
from shims.posix.openfiles import OpenFile
from shims.posix.transfers import send, send_views
from shims.windows.threads import WindowsThread

__all__ = ["get_console_mode", "set_console_mode", "write_console", "write_console_narrow"]

_INPUT: Final = 0x01F7  # processed, line, echo, window off; insert, quick edit, extended, auto position
_MOST: Final = 1 << 20  # units that one call writes
_OUTPUT: Final = 0x0007  # processed, wrapped, virtual terminal sequences (consoleapi.h)


def _console(thread: WindowsThread, handle: int) -> OpenFile:
    """Raises OSError(EBADF) for what is no terminal."""
    opened = thread.process.files.get(thread.process.handles.file(handle).fd)
    if not opened.is_terminal:
        raise OSError(errno.EBADF, "no console")
    return opened


def get_console_mode(thread: WindowsThread, console: int, mode: Pointer[int]) -> int:
    """GetConsoleMode."""
    fd = thread.process.handles.file(console).fd
    _console(thread, console)
    mode.write(_OUTPUT if fd else _INPUT)
    return 1


def set_console_mode(thread: WindowsThread, console: int, mode: int) -> int:
    """SetConsoleMode: the terminal keeps its mode."""
    _console(thread, console)
    return 1


def write_console(
    thread: WindowsThread, console: int, buf: ArrayHandle[int], size: int, done: Pointer[int] | None, reserved: int
) -> int:
    """WriteConsoleW: UTF-16 becomes UTF-8."""
    opened = _console(thread, console)
    size = min(size, _MOST)
    text = thread.memory.read(buf.address, 2 * size).decode("utf-16-le", "replace")
    send_views(thread, opened, [memoryview(text.encode())])
    if done is not None:
        done.write(size)
    return 1


def write_console_narrow(
    thread: WindowsThread, console: int, buf: Buffer, size: int, done: Pointer[int] | None, reserved: int
) -> int:
    """WriteConsoleA."""
    count = send(thread, _console(thread, console), [(buf.address, size)])
    if done is not None:
        done.write(count)
    return 1
