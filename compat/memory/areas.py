"""Areas: which ranges of guest addresses exist, with what rights, and where their bytes lie in RAM."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from compat.data import dataclass, replace
from compat.memory.backing import Backing

__all__ = ["Area", "AreaMap", "Mark", "Protection"]


class Protection:
    """Bits of a page's rights; the numbers are Unicorn's and mmap's own."""

    READ = 1
    WRITE = 2
    EXECUTE = 4


class Mark:
    """Bits of what else is true of an area."""

    LOCKED = 1
    GROWS_DOWN = 2
    SEALED = 4
    NOT_FORKED = 8
    WIPED_BY_FORK = 16
    NOT_DUMPED = 32
    NOT_RESERVED = 64


@dataclass(slots=True)
class Area:
    """[start, end) in guest addresses. *frame* is the physical address of start, None while nothing may be accessed;
    *offset* is the position in the backing file of start; *executed* tells that code may have been translated, *twin*
    that another area has the same frames, *pristine* that nobody could change the file's bytes in private memory."""

    start: int
    end: int
    protection: int
    frame: int | None = None
    shared: bool = False
    backing: Backing | None = None
    offset: int = 0
    name: bytes = b""
    marks: int = 0
    executed: bool = False
    twin: bool = False
    pristine: bool = False

    @property
    def size(self) -> int:
        return self.end - self.start

    @property
    def cost(self) -> int:
        """Bytes of host memory that this area may come to take; pages of a shared file are the host's anyway."""
        return 0 if self.frame is None or (self.shared and self.backing) else self.size

    def piece(self, start: int, end: int) -> Area:
        """The part of this area between two addresses inside it."""
        skip = start - self.start
        frame = None if self.frame is None else self.frame + skip
        offset = self.offset + skip if self.backing else 0
        return replace(self, start=start, end=end, frame=frame, offset=offset)

    def alike(self, other: Area) -> bool:
        """Whether *other* goes on where this one ends, and the two look like one mapping to the guest."""
        return (
            self.end == other.start
            and self.protection == other.protection
            and self.shared == other.shared
            and self.backing is other.backing
            and self.name == other.name
            and self.marks == other.marks
            and (self.backing is None or self.offset + self.size == other.offset)
        )

    def continues(self, other: Area) -> bool:
        """Whether *other* goes on where this one ends in RAM as well, so that the two can be one."""
        if not self.alike(other) or self.twin != other.twin or self.pristine != other.pristine:
            return False
        if self.frame is None or other.frame is None:
            return self.frame is other.frame
        return self.frame + self.size == other.frame


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

    def around(self, address: int) -> tuple[Area | None, Area | None]:
        """The last area that starts at or below *address*, and the first one above."""
        index = bisect_right(self._starts, address)
        below = self._areas[index - 1] if index else None
        return below, self._areas[index] if index < len(self._areas) else None

    def between(self, start: int, end: int) -> list[Area]:
        """Areas that touch [start, end), whole."""
        first, last = self._span(start, end)
        return self._areas[first:last]

    def _span(self, start: int, end: int) -> tuple[int, int]:
        """Indices of the areas that touch [start, end)."""
        if end <= start:
            return 0, 0
        first = bisect_right(self._starts, start)
        if first and self._areas[first - 1].end > start:
            first -= 1
        return first, bisect_left(self._starts, end, first)

    def insert(self, area: Area) -> None:
        """Add an area whose range is free, joined with the neighbours that it continues."""
        index = bisect_right(self._starts, area.start)
        if index < len(self._areas) and area.continues(self._areas[index]):
            following = self._areas.pop(index)
            del self._starts[index]
            area.end = following.end
            area.executed |= following.executed
        if index and self._areas[index - 1].continues(area):
            before = self._areas[index - 1]
            before.end = area.end
            before.executed |= area.executed
            return
        self._starts.insert(index, area.start)
        self._areas.insert(index, area)

    def cut(self, start: int, end: int) -> list[Area]:
        """Take [start, end) out of the map, splitting areas at its edges; returns the pieces taken out."""
        first, last = self._span(start, end)
        kept, taken = list[Area](), list[Area]()
        for area in self._areas[first:last]:
            if area.start < start:
                kept.append(area.piece(area.start, start))
            taken.append(area.piece(max(start, area.start), min(end, area.end)))
            if area.end > end:
                kept.append(area.piece(end, area.end))
        self._areas[first:last] = kept
        self._starts[first:last] = [area.start for area in kept]
        return taken

    def gap_below(self, size: int, top: int, bottom: int) -> int | None:
        """The highest address of *size* free bytes that end at or below *top* and start at or above *bottom*."""
        end = top
        for index in range(bisect_left(self._starts, top) - 1, -1, -1):
            area = self._areas[index]
            if end - area.end >= size:
                break
            end = min(end, area.start)
            if end - size < bottom:
                return None
        return end - size if end - size >= bottom else None

    def is_free(self, start: int, end: int) -> bool:
        first, last = self._span(start, end)
        return first == last

    def covers(self, start: int, end: int) -> bool:
        """Whether every page of [start, end) belongs to some area."""
        at = start
        for area in self.between(start, end):
            if area.start > at:
                return False
            at = area.end
        return at >= end
