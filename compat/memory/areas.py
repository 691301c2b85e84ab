"""Areas: which ranges of guest addresses exist, with what rights, and where their bytes lie in RAM."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntFlag

__all__ = ["Area", "AreaMap", "Backing", "Protection"]


class Protection(IntFlag):
    """Rights of a page; the numbers are Unicorn's and mmap's own."""

    READ = 1
    WRITE = 2
    EXECUTE = 4


class Backing:
    """A host file under one or more areas. Owns *fd*; *path* is the guest's name for it, as /proc/self/maps shows."""

    def __init__(self, fd: int, path: bytes, *, writable: bool) -> None:
        self.fd = fd
        self.path = path
        self.writable = writable
        state = os.fstat(fd)
        self.device = state.st_dev
        self.inode = state.st_ino

    def size(self) -> int:
        """Bytes in the file now."""
        return os.fstat(self.fd).st_size

    def __del__(self) -> None:
        try:
            os.close(self.fd)
        except OSError:
            pass


@dataclass(slots=True)
class Area:
    """[start, end) in guest addresses. *frame* is the physical address of start, None while nothing may be accessed;
    *offset* is the position in the backing file of start."""

    start: int
    end: int
    protection: int
    frame: int | None = None
    shared: bool = False
    backing: Backing | None = None
    offset: int = 0
    name: bytes = b""
    executed: bool = False

    @property
    def size(self) -> int:
        return self.end - self.start

    def piece(self, start: int, end: int) -> Area:
        """The part of this area between two addresses inside it."""
        skip = start - self.start
        frame = None if self.frame is None else self.frame + skip
        offset = self.offset + skip if self.backing else 0
        return replace(self, start=start, end=end, frame=frame, offset=offset)

    def continues(self, other: Area) -> bool:
        """Whether *other* goes on exactly where this one ends, so that the two can be one."""
        return (
            self.end == other.start
            and self.protection == other.protection
            and self.shared == other.shared
            and self.backing is other.backing
            and self.name == other.name
            and (self.backing is None or self.offset + self.size == other.offset)
            and (self.frame is None) == (other.frame is None)
            and (self.frame is None or other.frame is None or self.frame + self.size == other.frame)
        )


class AreaMap:
    """Areas sorted by address, never overlapping."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._areas: list[Area] = []

    def __iter__(self) -> Iterator[Area]:
        return iter(self._areas)

    def __len__(self) -> int:
        return len(self._areas)

    def find(self, address: int) -> Area | None:
        """The area that holds *address*."""
        index = bisect_right(self._starts, address) - 1
        if index < 0:
            return None
        area = self._areas[index]
        return area if address < area.end else None

    def between(self, start: int, end: int) -> list[Area]:
        """Areas that touch [start, end), whole."""
        first = max(0, bisect_right(self._starts, start) - 1)
        last = bisect_right(self._starts, end - 1)
        return [area for area in self._areas[first:last] if area.end > start]

    def insert(self, area: Area) -> None:
        """Add an area whose range is free, joined with a neighbour that it continues."""
        index = bisect_right(self._starts, area.start)
        if index > 0 and self._areas[index - 1].continues(area):
            self._areas[index - 1].end = area.end
            return
        self._starts.insert(index, area.start)
        self._areas.insert(index, area)

    def cut(self, start: int, end: int) -> list[Area]:
        """Take [start, end) out of the map, splitting areas at its edges; returns the pieces taken out."""
        first = max(0, bisect_right(self._starts, start) - 1)
        last = bisect_right(self._starts, end - 1)
        kept, taken = list[Area](), list[Area]()
        for area in self._areas[first:last]:
            if area.end <= start:
                kept.append(area)
                continue
            if area.start < start:
                kept.append(area.piece(area.start, start))
            taken.append(area.piece(max(start, area.start), min(end, area.end)))
            if area.end > end:
                kept.append(area.piece(end, area.end))
        self._areas[first:last] = kept
        self._starts[first:last] = [area.start for area in kept]
        return taken

    def gap_below(self, size: int, top: int, bottom: int) -> int | None:
        """The highest address of *size* free bytes that end at or below *top*, or None."""
        index = bisect_right(self._starts, top - 1) - 1
        end = top
        while index >= 0:
            area = self._areas[index]
            if area.end <= end and end - area.end >= size and end - size >= bottom:
                return end - size
            end = min(end, area.start)
            if end - size < bottom:
                return None
            index -= 1
        return end - size if end - size >= bottom else None

    def is_free(self, start: int, end: int) -> bool:
        return not self.between(start, end)

    def covers(self, start: int, end: int) -> bool:
        """Whether every page of [start, end) belongs to some area."""
        at = start
        for area in self.between(start, end):
            if area.start > at:
                return False
            at = area.end
        return at >= end
