"""Open files and the table of descriptors: guest numbers to host descriptors."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from compat.host import Host
from compat.sandbox.place import Opened

if TYPE_CHECKING:
    from shims.posix.state import PosixThread

__all__ = ["Descriptor", "FileTable", "OpenFile", "SpecialFile"]


_MULTIPLEXER: Final = os.makedev(5, 2)
"""/dev/ptmx, whose open files are the ends of terminals where nobody's job control is."""


class SpecialFile:
    """What stands in `OpenFile.kind` where reading or writing is more than a call on the host's descriptor.

    The defaults refuse as Linux does for a file without the operation.
    """

    seekable = False
    spliceable = False
    """Whether splice(2) may write to the host's descriptor."""
    travels = False
    """Whether another process that is passed the host's descriptor can tell what it is."""

    def read(self, thread: PosixThread, file: OpenFile, views: list[memoryview]) -> int:
        """Fill *views*, the guest's memory; returns how many bytes."""
        raise OSError(errno.EINVAL, "can't be read")

    def write(self, thread: PosixThread, file: OpenFile, views: list[memoryview]) -> int:
        """Take the bytes of *views*; returns how many."""
        raise OSError(errno.EINVAL, "can't be written")

    def close(self, host: Host) -> None:
        """Release what it holds beside the file's own descriptor; the file is closed."""


class OpenFile:
    """An open file description: what dup and fork share. *fd* is the host's descriptor, owned here.

    *path* is the guest's canonical name for it (b"" where it has none), *opened* the sandbox's record of how it was
    opened. *kind* holds the state of files that are no plain host file (an epoll set, an event counter, …); a
    `SpecialFile` there serves read and write. *flags* are the names of O_* flags that F_GETFL tells and the host can't:
    O_LARGEFILE, O_DIRECTORY, O_NOFOLLOW. *copies* are more host descriptors of it, owned too. *position* is that of
    getdents in a directory, whose *names* are a snapshot.
    """

    def __init__(
        self,
        host: Host,
        fd: int,
        *,
        path: bytes = b"",
        opened: Opened | None = None,
        flags: frozenset[str] = frozenset(),
        kind: Any = None,
    ) -> None:
        self.host = host
        self.fd = fd
        self.path = path
        self.opened = opened or Opened(fd, None, path, None)
        self.flags = flags
        self.kind = kind
        self.position = 0
        self.names: list[Any] | None = None
        self.links = 0
        self.copies: list[int] = []
        self.locked = False
        self.owner = ("F_OWNER_PID", 0)
        self.signal = 0
        node, state = self.opened.node, os.fstat(fd)
        mode, device = (state.st_mode, state.st_rdev) if node is None else (node.mode, node.device)
        self.is_directory = stat.S_ISDIR(mode)
        self.may_block = not (stat.S_ISREG(mode) or self.is_directory or stat.S_ISBLK(mode))
        self.is_terminal = stat.S_ISCHR(mode) and device != _MULTIPLEXER and os.isatty(fd)
        self.may_try = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)

    def close(self) -> None:
        """Release the host's descriptor; raises its OSError."""
        for copy in self.copies:
            self.host.close(copy)
        self.copies = []
        fd, self.fd = self.fd, -1
        if isinstance(self.kind, SpecialFile):
            self.kind.close(self.host)
        if fd >= 0:
            self.host.close(fd)


class Descriptor:
    """A slot of the table: an open file and the close-on-exec flag, which belongs to the number, not the file."""

    __slots__ = ("close_on_exec", "file")

    def __init__(self, file: OpenFile, close_on_exec: bool) -> None:
        self.file = file
        self.close_on_exec = close_on_exec


class FileTable:
    """Guest descriptor numbers. *limit* is RLIMIT_NOFILE's soft value."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._slots: dict[int, Descriptor] = {}
        self._lowest = 0  # no free number below this one

    def __iter__(self) -> Iterator[tuple[int, Descriptor]]:
        return iter(sorted(self._slots.items()))

    def get(self, fd: int) -> OpenFile:
        """The open file at *fd*; raises OSError(EBADF)."""
        slot = self._slots.get(fd)
        if slot is None:
            raise OSError(errno.EBADF, "descriptor")
        return slot.file

    def slot(self, fd: int) -> Descriptor:
        """The slot at *fd*; raises OSError(EBADF)."""
        slot = self._slots.get(fd)
        if slot is None:
            raise OSError(errno.EBADF, "descriptor")
        return slot

    def add(self, file: OpenFile, *, close_on_exec: bool = False, least: int = 0) -> int:
        """Put *file* at the lowest free number from *least*; raises OSError(EMFILE) at the limit."""
        number = self.free_number(least)
        if least <= self._lowest:
            self._lowest = number + 1
        self._slots[number] = Descriptor(file, close_on_exec)
        file.links += 1
        return number

    def free_number(self, least: int = 0) -> int:
        """The lowest free number from *least*; raises OSError(EMFILE) at the limit."""
        number = max(least, self._lowest)
        while number in self._slots:
            number += 1
        if number >= self.limit:
            raise OSError(errno.EMFILE, "descriptor limit")
        return number

    def put(self, fd: int, file: OpenFile, *, close_on_exec: bool = False) -> None:
        """Put *file* at exactly *fd*, closing what is there; raises OSError(EBADF) for a number beyond the limit."""
        if not 0 <= fd < self.limit:
            raise OSError(errno.EBADF, "descriptor limit")
        file.links += 1
        if fd in self._slots:
            self._release(self._slots.pop(fd).file)
        self._slots[fd] = Descriptor(file, close_on_exec)

    def close(self, fd: int) -> None:
        """Free *fd*; raises OSError(EBADF), or the host's error of the last close."""
        slot = self._slots.pop(fd, None)
        if slot is None:
            raise OSError(errno.EBADF, "descriptor")
        self._lowest = min(self._lowest, fd)
        self._release(slot.file)

    def close_on_exec(self) -> None:
        """Close every descriptor that is marked so, as execve does."""
        for fd, slot in list(self._slots.items()):
            if slot.close_on_exec:
                self.close(fd)

    def _release(self, file: OpenFile) -> None:
        file.links -= 1
        if file.links == 0:
            file.close()
