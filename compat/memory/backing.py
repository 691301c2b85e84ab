"""Host files under areas."""

from __future__ import annotations

import os
from weakref import WeakValueDictionary

__all__ = ["Backing", "Backings"]

Key = tuple[int, int, bool, bytes]


class Backing:
    """A host file under one or more areas. Owns *fd*; *path* is the guest's name for it, as /proc/self/maps shows.

    *known* is the size it had when last asked; 0 when it may be shorter now.
    """

    def __init__(self, fd: int, path: bytes, *, writable: bool) -> None:
        self.fd = fd
        self.path = path
        self.writable = writable
        state = os.fstat(fd)
        self.device = state.st_dev
        self.inode = state.st_ino
        self.known = 0

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
            os.close(self.fd)
        except (OSError, AttributeError):  # never opened, or the interpreter is going down
            pass


class Backings:
    """The backings in use, so that a file mapped ten thousand times takes one host descriptor."""

    def __init__(self) -> None:
        self._known: WeakValueDictionary[Key, Backing] = WeakValueDictionary()

    def get(self, fd: int, path: bytes, *, writable: bool) -> Backing:
        """The backing for the file open at *fd*, which stays the caller's; raises the host's OSError."""
        state = os.fstat(fd)
        key = (state.st_dev, state.st_ino, writable, path)
        backing = self._known.get(key)
        if backing is None:
            backing = self._known[key] = Backing(os.dup(fd), path, writable=writable)
        return backing

    def doubt(self) -> bool:
        """Files may have become shorter: ask for their sizes again. Returns whether any is in use."""
        backings = list(self._known.values())
        for backing in backings:
            backing.known = 0
        return bool(backings)
