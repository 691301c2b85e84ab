"""The handle table: numbers that are multiples of four, and what each stands for."""

from __future__ import annotations

import errno
from itertools import count
from typing import Final

from compat.data import dataclass

__all__ = ["FileObject", "Handles"]

_FIRST: Final = 0x50
_STEP: Final = 4


@dataclass(frozen=True)
class FileObject:
    """A file, open at the process's descriptor *fd*."""

    fd: int


class Handles:
    """What the handles of one process stand for. The two lowest bits of a handle don't count."""

    def __init__(self) -> None:
        self._objects: dict[int, FileObject] = {}

    def add(self, made: FileObject) -> int:
        """A new handle of *made*, the lowest that is free."""
        handle = next(number for number in count(_FIRST, _STEP) if number not in self._objects)
        self._objects[handle] = made
        return handle

    def file(self, handle: int) -> FileObject:
        """Raises OSError(EBADF) for a handle of nothing, or of something else."""
        return self._get(handle)

    def remove(self, handle: int) -> FileObject:
        """Close *handle*, and return what it stood for; raises OSError(EBADF)."""
        found = self._get(handle)
        del self._objects[handle & ~(_STEP - 1)]
        return found

    def _get(self, handle: int) -> FileObject:
        found = self._objects.get(handle & ~(_STEP - 1))
        if found is None:
            raise OSError(errno.EBADF, f"handle {handle:#x}")
        return found
