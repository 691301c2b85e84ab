"""What one process did to memory that another one still owns: the half of vfork that a forked child must give back.

A child of vfork borrows its parent's memory (clone(2), CLONE_VM). Here it has a copy, and this record of what it does
to it: pages are kept as they were before the first store, and areas as they were at the beginning. At the end the
difference, plain data, goes to the parent, where it is put into place byte by byte: other threads of the parent may
have changed what lies beside.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from compat.memory.areas import Area
from compat.memory.ram import PAGE

if TYPE_CHECKING:
    from compat.memory.space import AddressSpace

__all__ = ["Changes", "Difference"]

_STEP = 64  # bytes that are compared at once
_ZEROS = bytes(PAGE)


class Difference(NamedTuple):
    """*gone* are ranges (start, end), *fresh* (start, end, protection, name, marks) are areas to be mapped anew,
    *protected* (start, end, protection); *stores* are (address, bytes). Only plain data, as marshal takes it."""

    gone: list[tuple[int, int]]
    fresh: list[tuple[int, int, int, bytes, int]]
    protected: list[tuple[int, int, int]]
    stores: list[tuple[int, bytes]]

    def put_into(self, space: AddressSpace) -> None:
        """Do to *space* what was done to its copy; raises OSError(ENOMEM) without room."""
        for start, end in self.gone:
            space.unmap(start, end - start)
        for start, end, protection, name, marks in self.fresh:
            space.map(end - start, protection, address=start, fixed=True, name=name, marks=marks)
        for start, end, protection in self.protected:
            space.protect(start, end - start, protection)
        for address, data in self.stores:
            space.store(address, data)


class Changes:
    """A record of changes to the private memory of *space*, from now on."""

    def __init__(self, space: AddressSpace) -> None:
        self._space = space
        self._areas = [area.piece(area.start, area.end) for area in space.areas]
        self._pages: dict[int, bytes] = {}
        self._dropped: list[tuple[int, int]] = []

    # --- told by the address space ---

    def knows(self, page: int) -> bool:
        """Whether the content of the page at *page* was kept, so that stores need not be seen any more."""
        return page in self._pages

    def store(self, area: Area, start: int, end: int) -> None:
        """[start, end) of *area* is about to be changed."""
        if area.shared or area.frame is None:
            return
        for page in range(start & -PAGE, end, PAGE):
            if page not in self._pages:
                place = area.frame + page - area.start
                self._pages[page] = bytes(self._space.ram.view[place : place + PAGE])

    def drop(self, start: int, end: int) -> None:
        """The content of [start, end) is lost: unmapped, or wiped."""
        self._dropped.append((start, end))

    # --- what came of it ---

    def difference(self) -> Difference:
        """What happened up to now."""
        found = Difference([], [], [], [])
        for start, end, before, after in self._intervals():
            if after is None:
                found.gone.append((start, end))
            elif before is None or not self._same_memory(start, end, before, after):
                found.fresh.append((start, end, after.protection, after.name, int(after.marks)))
                found.stores.extend(self._content(start, end, after))
            elif before.protection != after.protection:
                found.protected.append((start, end, after.protection))
        replaced = [*found.gone, *((area[0], area[1]) for area in found.fresh)]
        for page, old in self._pages.items():
            if not any(start <= page < end for start, end in replaced):
                found.stores.extend(self._changed(page, old))
        return found

    def _intervals(self) -> Iterator[tuple[int, int, Area | None, Area | None]]:
        """Ranges with the area that was there at the beginning and the one that is there now."""
        now = list(self._space.areas)
        edges = {edge for area in (*self._areas, *now) for edge in (area.start, area.end)}
        ordered = sorted(edges.union(*self._dropped))
        for start, end in pairwise(ordered):
            before, after = _at(self._areas, start), _at(now, start)
            if before is not None or after is not None:
                yield start, end, before, after

    def _same_memory(self, start: int, end: int, before: Area, after: Area) -> bool:
        """Whether the frames under [start, end) are the same, with what they held."""
        if any(low < end and start < high for low, high in self._dropped):
            return False
        if before.frame is None or after.frame is None:
            return before.frame is after.frame
        return before.frame - before.start == after.frame - after.start

    def _content(self, start: int, end: int, area: Area) -> Iterator[tuple[int, bytes]]:
        if area.frame is None:
            return
        for page in range(start, end, PAGE):
            place = area.frame + page - area.start
            data = bytes(self._space.ram.view[place : place + PAGE])
            if data != _ZEROS:
                yield page, data

    def _changed(self, page: int, old: bytes) -> Iterator[tuple[int, bytes]]:
        """The runs of bytes that differ from what the page held."""
        area = self._space.areas.find(page)
        if area is None or area.frame is None:
            return
        place = area.frame + page - area.start
        new = bytes(self._space.ram.view[place : place + PAGE])
        if new == old:
            return
        for step in range(0, PAGE, _STEP):
            if new[step : step + _STEP] != old[step : step + _STEP]:
                yield from _runs(page + step, old[step : step + _STEP], new[step : step + _STEP])


def _runs(address: int, old: bytes, new: bytes) -> Iterator[tuple[int, bytes]]:
    start = None
    for at in range(len(new) + 1):
        differs = at < len(new) and new[at] != old[at]
        if differs and start is None:
            start = at
        elif not differs and start is not None:
            yield address + start, new[start:at]
            start = None


def _at(areas: list[Area], address: int) -> Area | None:
    index = bisect_right(areas, address, key=_start) - 1
    return areas[index] if index >= 0 and address < areas[index].end else None


def _start(area: Area) -> int:
    return area.start
