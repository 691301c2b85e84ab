"""Host files under areas."""

from __future__ import annotations

import os
from weakref import WeakValueDictionary

__all__ = ["Backing", "Backings"]

Key = tuple[int, int, bool, bytes]


class Backing:
    """A host file under one or more areas. Owns *fd*; *path* is the guest's name for it, as /proc/self/maps shows.

    *known* is the size it had when last asked; 0 when it may be shorter now. *among* is told when nothing needs it
    any more.
    """

    def __init__(self, fd: int, path: bytes, *, writable: bool, among: Backings | None = None) -> None:
        self.fd = fd
        self.among = among
        self.path = path
        self.writable = writable
        state = os.fstat(fd)
        self.device = state.st_dev
        self.inode = state.st_ino
        self.known = 0
        self._stamp = _stamp(state)

    def is_unchanged(self) -> bool:
        """Whether the file is the same as when it was first mapped, by its times and its size."""
        return _stamp(os.fstat(self.fd)) == self._stamp

    def size(self) -> int:
        """Bytes in the file now."""
        self.known = os.fstat(self.fd).st_size
        return self.known

    def reaches(self, offset: int) -> bool:
        """Whether the file holds the byte at *offset*, by what is *known* of its size if that is enough."""
        return offset < self.known or offset < self.size()

    def same_file(self, other: Backing) -> bool:
        return self.device == other.device and self.inode == other.inode

    def __del__(self) -> None:
        try:
            if self.among is None or not self.among.park(self):
                os.close(self.fd)
        except (OSError, AttributeError, TypeError):  # never opened, or the interpreter is going down
            pass


def _stamp(state: os.stat_result) -> tuple[int, int, int]:
    return state.st_mtime_ns, state.st_ctime_ns, state.st_size


class Backings:
    """The backings in use, so that a file mapped ten thousand times takes one host descriptor."""

    def __init__(self) -> None:
        self._known: WeakValueDictionary[Key, Backing] = WeakValueDictionary()
        self._parked: dict[tuple[int, int], list[int]] = {}

    def get(self, fd: int, path: bytes, *, writable: bool) -> Backing:
        """The backing for the file open at *fd*, which stays the caller's; raises the host's OSError."""
        state = os.fstat(fd)
        key = (state.st_dev, state.st_ino, writable, path)
        backing = self._known.get(key)
        if backing is None:
            backing = self._known[key] = Backing(os.dup(fd), path, writable=writable, among=self)
        return backing

    def keep(self, fd: int) -> None:
        """The process has record locks on the file at *fd*, which any close of it would end (fcntl(2)): from now on
        no descriptor of it is closed here."""
        state = os.fstat(fd)
        self._parked.setdefault((state.st_dev, state.st_ino), [])

    def release(self, fd: int) -> None:
        """The locks on the file at *fd* are gone, or it is the guest that ends them."""
        state = os.fstat(fd)
        for parked in self._parked.pop((state.st_dev, state.st_ino), ()):
            os.close(parked)

    def park(self, backing: Backing) -> bool:
        """Take over the descriptor of a backing that nobody needs, if it must not be closed now."""
        parked = self._parked.get((backing.device, backing.inode))
        if parked is None:
            return False
        parked.append(backing.fd)
        return True

    def forked(self) -> None:
        """A child of fork has none of its parent's record locks."""
        for parked in self._parked.values():
            for fd in parked:
                os.close(fd)
        self._parked.clear()

    def doubt(self) -> bool:
        """Files may have become shorter: ask for their sizes again. Returns whether any is in use."""
        backings = list(self._known.values())
        for backing in backings:
            backing.known = 0
        return bool(backings)
