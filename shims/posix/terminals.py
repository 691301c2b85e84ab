"""ioctl(2): whatever no row knows is refused as a file does that has no such command."""

from __future__ import annotations

import errno

from compat.abi.flags import Constant
from shims.posix.names import open_file
from shims.posix.state import PosixThread

__all__ = ["unknown"]


def unknown(thread: PosixThread, fd: int, cmd: Constant, arg: int) -> None:
    """ENOTTY, after EBADF."""
    open_file(thread, fd)
    raise OSError(errno.ENOTTY, "cmd")
