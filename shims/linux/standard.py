"""Descriptors 0, 1 and 2 of a first process: the user's own."""

from __future__ import annotations

import fcntl

from compat.sandbox.place import Opened
from shims.linux.state import LinuxProcess
from shims.posix.openfiles import OpenFile

__all__ = ["adopt_standard_files"]


def adopt_standard_files(process: LinuxProcess) -> None:
    """Give the guest the user's standard streams, those that are open."""
    process.files.limit = process.limits["RLIMIT_NOFILE"][0]
    large = frozenset({"O_LARGEFILE"} if process.abi.cpu.bits == 64 else ())
    for number in (0, 1, 2):
        try:
            if fcntl.fcntl(number, fcntl.F_GETFD) & fcntl.FD_CLOEXEC:
                continue  # not inherited but opened here: the user closed it
            fd = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 3)
        except OSError:
            continue  # the user closed it: the guest finds it closed too
        file = OpenFile(process.host, fd, opened=Opened(fd, None, b"", None), flags=large)
        process.files.put(number, file)
