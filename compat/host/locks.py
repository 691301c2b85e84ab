"""Record locks: fcntl(2) with struct flock, whose layout only this module knows."""

from __future__ import annotations

import errno
import fcntl
import signal
import struct
from typing import Final

from compat.data import dataclass
from compat.host.constants import LINUX
from compat.host.libc import member

# Linux asm-generic/fcntl.h on 64-bit hosts; macOS sys/fcntl.h
_LAYOUT: Final = struct.Struct("=hh4xqqi4x" if LINUX else "=qqihh")
_ORDER: Final = ("kind", "whence", "start", "length", "pid") if LINUX else ("start", "length", "pid", "kind", "whence")


@dataclass(frozen=True)
class Lock:
    """*kind* is F_RDLCK, F_WRLCK or F_UNLCK of this host; *length* 0 reaches to the end of the file."""

    kind: int
    whence: int
    start: int
    length: int
    pid: int = 0


class Locks:
    """Locks of this process, or of an open file description (*open_file*, OFD locks)."""

    lockf = staticmethod(fcntl.lockf)

    def get_lock(self, fd: int, lock: Lock, *, open_file: bool = False) -> Lock:
        """The first lock in the way of *lock*, or *lock* with F_UNLCK."""
        command: int = member(fcntl, "F_OFD_GETLK") if open_file else fcntl.F_GETLK
        found = dict(zip(_ORDER, _LAYOUT.unpack(fcntl.fcntl(fd, command, _pack(lock))), strict=True))
        return Lock(**found)

    def set_lock(self, fd: int, lock: Lock, *, open_file: bool = False) -> None:
        """Take or release a lock; BlockingIOError where another one is in the way."""
        command: int = member(fcntl, "F_OFD_SETLK") if open_file else fcntl.F_SETLK
        fcntl.fcntl(fd, command, _pack(lock))

    def is_being_written(self, fd: int) -> bool:
        """Whether anybody has the file open for writing; False where the host does not tell.

        The kernel grants nobody a lease for reading then (fcntl(2), "Leases"), and asks for the file's owner.
        """
        if not hasattr(fcntl, "F_SETLEASE"):
            return False
        try:
            fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)  # who opens it just now ends the lease, and that is ignored
            fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        except OSError as error:
            return error.errno == errno.EAGAIN
        return False


def _pack(lock: Lock) -> bytes:
    return _LAYOUT.pack(*(getattr(lock, name) for name in _ORDER))
