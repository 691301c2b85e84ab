"""Calls on open descriptors."""

from __future__ import annotations

import errno
import fcntl as _fcntl
import os
import struct
from collections.abc import Sequence
from typing import Any

from compat.host.constants import LINUX, SPLICE_F_NONBLOCK, SYS_CACHESTAT
from compat.host.libc import Times, WithLibc, member, raise_errno, timespecs

ReadBuffer = bytes | bytearray | memoryview
WriteBuffer = bytearray | memoryview

_F_DUPFD_QUERY = 1027  # include/uapi/linux/fcntl.h
_KCMP = {"x86_64": 312, "aarch64": 272}  # asm/unistd.h; KCMP_FILE is 0


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

    def same_file(self, fd: int, other: int) -> bool:
        """Whether both are one open file description; False where the host can't tell (Linux before 6.10 without
        kcmp(2), other hosts)."""
        try:
            return _fcntl.fcntl(fd, _F_DUPFD_QUERY, other) == 1
        except OSError:
            return self._compare(fd, other)

    def _compare(self, fd: int, other: int) -> bool:
        number = _KCMP.get(os.uname().machine) if LINUX else None
        if number is None:
            return False
        try:
            return self._libc.call("syscall", "liiill", number, os.getpid(), os.getpid(), 0, fd, other) == 0
        except OSError:
            return False

    def fcntl(self, fd: int, command: int, argument: Any = 0) -> Any:
        """*argument* and the result are an int, or the bytes of a struct (flock, f_owner_ex)."""
        return _fcntl.fcntl(fd, command, argument)

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
