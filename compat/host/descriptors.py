"""Calls on open descriptors."""

from __future__ import annotations

import errno
import fcntl as _fcntl
import os
import struct
from collections.abc import Sequence
from typing import Any

from compat.host.constants import F_GETOWN_EX, F_SETOWN_EX, LINUX, SPLICE_F_NONBLOCK, SYS_CACHESTAT
from compat.host.libc import Times, WithLibc, member, raise_errno, timespecs

_OWNER = struct.Struct("@ii")  # struct f_owner_ex
_OWNERS = ("F_OWNER_TID", "F_OWNER_PID", "F_OWNER_PGRP")

ReadBuffer = bytes | bytearray | memoryview
WriteBuffer = bytearray | memoryview


class Descriptors(WithLibc):
    """Reading, writing and steering what is open. os.read and its kin are bound bare: no Python frame."""

    read = staticmethod(os.read)
    write = staticmethod(os.write)
    pread = staticmethod(os.pread)
    pwrite = staticmethod(os.pwrite)
    readv = staticmethod(os.readv)
    writev = staticmethod(os.writev)
    lseek = staticmethod(os.lseek)
    fstat = staticmethod(os.fstat)
    close = staticmethod(os.close)
    ftruncate = staticmethod(os.ftruncate)
    fsync = staticmethod(os.fsync)
    fchmod = staticmethod(os.fchmod)
    fchown = staticmethod(os.fchown)
    flock = staticmethod(_fcntl.flock)
    isatty = staticmethod(os.isatty)
    set_blocking = staticmethod(os.set_blocking)

    def preadv(self, fd: int, buffers: Sequence[WriteBuffer], offset: int, flags: int = 0) -> int:
        """preadv2(2); *offset* -1 uses and moves the file's own position."""
        count: int = member(os, "preadv")(fd, buffers, offset, flags)
        return count

    def pwritev(self, fd: int, buffers: Sequence[ReadBuffer], offset: int, flags: int = 0) -> int:
        count: int = member(os, "pwritev")(fd, buffers, offset, flags)
        return count

    def fdatasync(self, fd: int) -> None:
        getattr(os, "fdatasync", os.fsync)(fd)

    def syncfs(self, fd: int) -> None:
        self._libc.call("syncfs", "i", fd)

    def sync(self) -> None:
        os.sync()

    def futimens(self, fd: int, times: Times | None) -> None:
        self._libc.call("futimens", "is", fd, timespecs(times))

    def dup(self, fd: int) -> int:
        return os.dup(fd)

    def dup2(self, fd: int, wanted: int) -> int:
        return os.dup2(fd, wanted, inheritable=False)

    def fcntl(self, fd: int, command: int, argument: Any = 0) -> Any:
        """*argument* and the result are an int, or the bytes of a struct (flock, f_owner_ex)."""
        return _fcntl.fcntl(fd, command, argument)

    def get_owner(self, fd: int) -> tuple[str, int]:
        """Who gets the file's signals: "F_OWNER_TID", "F_OWNER_PID" or "F_OWNER_PGRP", and its number or 0."""
        if not LINUX:
            owner = _fcntl.fcntl(fd, _fcntl.F_GETOWN)
            return ("F_OWNER_PGRP", -owner) if owner < 0 else ("F_OWNER_PID", owner)
        kind, number = _OWNER.unpack(_fcntl.fcntl(fd, F_GETOWN_EX, bytes(_OWNER.size)))
        return _OWNERS[kind], number

    def set_owner(self, fd: int, kind: str, number: int) -> None:
        if LINUX:
            _fcntl.fcntl(fd, F_SETOWN_EX, _OWNER.pack(_OWNERS.index(kind), number))
        else:
            _fcntl.fcntl(fd, _fcntl.F_SETOWN, -number if kind == "F_OWNER_PGRP" else number)

    def ioctl(self, fd: int, request: int, argument: int | bytearray | memoryview = 0) -> int:
        """*argument* is a number, or a buffer that the call may change in place."""
        result: int = _fcntl.ioctl(fd, request, argument, True)
        return result

    def pipe2(self, flags: int = 0) -> tuple[int, int]:
        """O_NONBLOCK and O_DIRECT are honoured where the host can; always close-on-exec."""
        if hasattr(os, "pipe2"):
            return os.pipe2(flags | os.O_CLOEXEC)
        ends = os.pipe()
        for end in ends:
            os.set_blocking(end, not flags & os.O_NONBLOCK)
        return ends

    def memfd_create(self, name: bytes, flags: int) -> int:
        fd: int = member(os, "memfd_create")(os.fsdecode(name), flags)
        return fd

    def fallocate(self, fd: int, mode: int, offset: int, length: int) -> None:
        if mode == 0 and hasattr(os, "posix_fallocate"):
            os.posix_fallocate(fd, offset, length)
        else:
            self._libc.call("fallocate64", "iiqq", fd, mode, offset, length)

    def posix_fadvise(self, fd: int, offset: int, length: int, advice: int) -> None:
        member(os, "posix_fadvise")(fd, offset, length, advice)

    def sendfile(self, out_fd: int, in_fd: int, offset: int | None, count: int) -> int:
        """*offset* None uses and moves the position of *in_fd* (only Linux)."""
        return os.sendfile(out_fd, in_fd, offset, count)

    def copy_file_range(
        self, in_fd: int, out_fd: int, count: int, in_offset: int | None, out_offset: int | None
    ) -> int:
        copied: int = member(os, "copy_file_range")(in_fd, out_fd, count, in_offset, out_offset)
        return copied

    def splice(
        self,
        in_fd: int,
        out_fd: int,
        count: int,
        in_offset: int | None,
        out_offset: int | None,
        *,
        nonblock: bool = False,
    ) -> int:
        flags = SPLICE_F_NONBLOCK if nonblock else 0
        moved: int = member(os, "splice")(
            in_fd, out_fd, count, offset_src=in_offset, offset_dst=out_offset, flags=flags
        )
        return moved

    def cachestat(self, fd: int, offset: int, length: int) -> tuple[int, ...]:
        """cachestat(2), five counts of pages; ENOSYS before Linux 6.5."""
        if not LINUX:
            raise_errno(errno.ENOSYS)
        counts = self._libc.buffer(5 * 8)
        self._libc.call("syscall", "lispi", SYS_CACHESTAT, fd, struct.pack("=QQ", offset, length), counts, 0)
        return struct.unpack("=5Q", counts.raw)

    def tee(self, in_fd: int, out_fd: int, count: int, *, nonblock: bool) -> int:
        """tee(2) between two pipes."""
        return self._libc.call("tee", "iizu", in_fd, out_fd, count, SPLICE_F_NONBLOCK if nonblock else 0)

    def path_of(self, fd: int) -> bytes:
        """The present host path of an open file: a symlink of /proc on Linux, F_GETPATH on macOS.

        Linux appends " (deleted)" to the path of a file that has none any more.
        """
        getpath = getattr(_fcntl, "F_GETPATH", None)
        if getpath is not None:
            found: bytes = _fcntl.fcntl(fd, getpath, bytes(1024))
            return found.rstrip(b"\0")
        try:
            return os.readlink(b"/proc/self/fd/%d" % fd)
        except FileNotFoundError:
            os.fstat(fd)
            return bytes(raise_errno(errno.ENOSYS))  # open, so it is /proc that is missing

    def tcgetpgrp(self, fd: int) -> int:
        return os.tcgetpgrp(fd)

    def tcsetpgrp(self, fd: int, group: int) -> None:
        os.tcsetpgrp(fd, group)

    def openpty(self) -> tuple[int, int]:
        return os.openpty()
