"""Descriptors that come through a socket: host descriptors become open files of the guest again."""

from __future__ import annotations

import fcntl
import os
import stat

from shims.posix.openfiles import OpenFile
from shims.posix.socketfiles import recognize_socket
from shims.posix.state import PosixThread

__all__ = ["arrive"]


def arrive(thread: PosixThread, fd: int) -> OpenFile:
    """The open file behind the host's *fd*, which is owned by it from now on.

    One that this process has open already is the same open file. Another is what the host shows that it is, so that
    what only its sender knew of it is lost.
    """
    for _, slot in thread.process.files:
        if _same(thread, slot.file, fd):
            thread.host.close(fd)
            return slot.file
    if stat.S_ISSOCK(thread.host.fstat(fd).st_mode):
        kind: object = recognize_socket(thread, fd)
    else:
        kind = thread.process.recognize(thread, fd)
    opened = thread.process.view.adopt(fd)
    return OpenFile(thread.host, fd, path=opened.guest_path, opened=opened, flags=_flags(thread, fd), kind=kind)


def _same(thread: PosixThread, file: OpenFile, fd: int) -> bool:
    return os.path.sameopenfile(file.fd, fd) and thread.host.same_file(file.fd, fd)


def _flags(thread: PosixThread, fd: int) -> frozenset[str]:
    """Those of `OpenFile.flags` that the host tells; a large file is what it can be on every CPU by now."""
    bits, mode = thread.host.fcntl(fd, fcntl.F_GETFL), thread.host.fstat(fd).st_mode
    told = {name for name in ("O_PATH", "O_DIRECTORY") if bits & getattr(os, name, 0)}
    return frozenset(told if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) else told | {"O_LARGEFILE"})
