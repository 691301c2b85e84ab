"""Which frames of the RAM are free: ranges joined with their neighbours, the best fit given first."""

from __future__ import annotations

import errno
from bisect import bisect_left, insort

__all__ = ["Frames"]


class Frames:
    """Free ranges of [start, end). Numbers are physical addresses and sizes in bytes."""

    def __init__(self, start: int, end: int) -> None:
        self.end = end
        self._next = start  # nothing from here on was ever taken
        self._ends: dict[int, int] = {}  # start of a free range → its end
        self._starts: dict[int, int] = {}  # end → start
        self._by_size: list[tuple[int, int]] = []  # (size, start), sorted

    def take(self, size: int, after: int | None = None) -> int:
        """The start of *size* bytes, at *after* if they are free there; raises OSError(ENOMEM)."""
        if after is not None and self._take_at(after, size):
            return after
        index = bisect_left(self._by_size, (size, 0))
        if index < len(self._by_size):
            start = self._by_size[index][1]
            self._shorten(start, size)
            return start
        start = self._next
        if size > self.end - start:
            raise OSError(errno.ENOMEM, "guest RAM is used up")
        self._next = start + size
        return start

    def _take_at(self, start: int, size: int) -> bool:
        if start == self._next and size <= self.end - start:
            self._next += size
            return True
        end = self._ends.get(start)
        if end is None or end - start < size:
            return False
        self._shorten(start, size)
        return True

    def _shorten(self, start: int, size: int) -> None:
        """Take the first *size* bytes of the free range at *start*."""
        end = self._remove(start)
        if start + size < end:
            self._insert(start + size, end)

    def give_back(self, start: int, size: int) -> None:
        """Free a range, joining it with its free neighbours."""
        end = start + size
        if start in self._starts:
            start = self._starts[start]
            self._remove(start)
        if end in self._ends:
            end = self._remove(end)
        if end == self._next:
            self._next = start
        else:
            self._insert(start, end)

    def _insert(self, start: int, end: int) -> None:
        self._ends[start] = end
        self._starts[end] = start
        insort(self._by_size, (end - start, start))

    def _remove(self, start: int) -> int:
        end = self._ends.pop(start)
        del self._starts[end]
        del self._by_size[bisect_left(self._by_size, (end - start, start))]
        return end
