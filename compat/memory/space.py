"""The address space of a guest process: what mprotect, madvise, mlock and mremap edit.

Every edit either happens whole or, where Linux too stops half-way, says so.
"""

from __future__ import annotations

import errno
import itertools
from collections.abc import Callable

from compat.memory.areas import Area, Mark, Protection
from compat.memory.mapping import Mapper, check_page, check_shared, rounded
from compat.memory.ram import PAGE, Ram

__all__ = ["AddressSpace"]

_STACK_GAP = 256 * PAGE  # what a growing stack leaves free below itself (stack_guard_gap, mm/mmap.c)


class AddressSpace(Mapper):
    """Adds changes of what is mapped. *growth* is the most bytes that an area with Mark.GROWS_DOWN may grow to."""

    def __init__(self, ram: Ram, *, top: int, bottom: int = 0x10000, limit: int | None = None) -> None:
        super().__init__(ram, top=top, bottom=bottom, limit=limit)
        self.growth = 8 << 20
        ram.on_lost = self.file_changed

    def protect(self, address: int, size: int, protection: int) -> None:
        """mprotect(2): raises OSError ENOMEM for a hole (after changing what lies before it), EACCES for a shared
        file that was not opened for writing, EPERM for a sealed area."""
        check_page(address)
        self._check_seals(address, address + size)
        self._each(address, size, lambda area, start, stop: self._protect_piece(area, start, stop, protection))

    def _each(self, address: int, size: int, change: Callable[[Area, int, int], None]) -> None:
        """Call *change* for the part of each area in the range, up to a hole: then OSError(ENOMEM)."""
        check_page(address)
        end = address + rounded(size)
        for area in self.areas.between(address, end):
            if area.start > address:
                break
            stop = min(end, area.end)
            change(area, address, stop)
            address = stop
        if address < end:
            raise OSError(errno.ENOMEM, "hole in the range")

    def _protect_piece(self, area: Area, start: int, stop: int, protection: int) -> None:
        check_shared(protection, area.shared, area.backing)
        if area.protection == protection:
            return
        fresh = area.piece(start, stop)
        if area.frame is None and protection:
            self._give_frames(fresh)
        (piece,) = self._remove(start, stop)
        if piece.protection & ~protection:
            self._forget(piece)
        self.flush |= piece.twin
        piece.frame = fresh.frame
        piece.protection = protection
        piece.pristine &= not protection & Protection.WRITE
        self._add(piece)

    def mark(self, address: int, size: int, *, add: int = 0, remove: int = 0) -> None:
        """Change the marks of a range; raises OSError(ENOMEM) for a hole, after changing what lies before it."""

        def change(area: Area, start: int, stop: int) -> None:
            if area.marks != (area.marks | add) & ~remove:
                (piece,) = self._remove(start, stop)
                piece.marks = (piece.marks | add) & ~remove
                self._add(piece)

        self._each(address, size, change)

    def rename(self, address: int, size: int, name: bytes) -> None:
        """Name private memory as /proc/self/maps shows it; raises OSError: ENOMEM for a hole, EBADF for a file."""

        def change(area: Area, start: int, stop: int) -> None:
            if area.backing is not None:
                raise OSError(errno.EBADF, "a file has its own name")
            (piece,) = self._remove(start, stop)
            piece.name = name
            self._add(piece)

        self._each(address, size, change)

    def discard(self, address: int, size: int) -> None:
        """MADV_DONTNEED: private pages read as zero, or as the file, again; OSError(ENOMEM) for a hole."""
        check_page(address)
        end = address + rounded(size)
        for area in self.areas.between(address, end):
            self._wipe(area.piece(max(address, area.start), min(end, area.end)))
        if not self.areas.covers(address, end):
            raise OSError(errno.ENOMEM, "hole in the range")

    def _wipe(self, piece: Area) -> None:
        if piece.frame is None or piece.shared:
            return
        if self.changes is not None:
            self.changes.drop(piece.start, piece.end)
        if piece.backing is None:
            self.ram.clear(piece.frame, piece.size)
        else:
            self._lay(piece)
        if piece.executed:
            self.stale.append((piece.frame, piece.size))

    def borrowed(self) -> None:
        """In the child of a vfork: record what happens to the memory, which is a copy of the parent's."""
        from compat.memory.changes import Changes  # only here: few guests lend memory

        self.changes = Changes(self)
        self.flush = True

    def file_changed(self) -> None:
        """A file may have become shorter: the CPU must ask for its pages again. Call it after every truncation."""
        if self.backings.doubt():
            self.flush = True

    def forked(self) -> None:
        """In the child of a fork: take away, wipe and unlock what madvise and mlock said."""
        self.changes = None
        self.backings.forked()
        for area in list(self.areas):
            if area.marks & Mark.NOT_FORKED:
                self._unmap(area.start, area.end)
            elif area.marks & Mark.WIPED_BY_FORK:
                self._wipe(area)
            area.marks &= ~Mark.LOCKED

    # --- moving ---

    def move(
        self, address: int, old_size: int, new_size: int, target: int | None, *, may_move: bool, keep: bool = False
    ) -> int:
        """mremap(2) inside one mapping: shrink, grow in place, or move to *target* or any free place.

        *keep* leaves the old range mapped and empty. Raises OSError: EFAULT for a range that is not one mapping,
        EINVAL for sizes or targets out of range, ENOMEM without room, EPERM for sealed areas.
        """
        check_page(address)
        old_size, new_size = rounded(old_size), rounded(new_size)
        if not 0 < new_size <= self.top or old_size <= 0:
            raise OSError(errno.EINVAL, "size")
        end = address + old_size
        last = self._one_mapping(address, end)
        self._check_seals(address, end)
        if target is None and not keep:
            if new_size <= old_size:
                self._unmap(address + new_size, end)
                return address
            room = address + new_size <= self.top and self.areas.is_free(end, address + new_size)
            if room and last.end == end:
                self._add(self._tail(last, end, new_size - old_size))
                return address
            if not may_move:
                raise OSError(errno.ENOMEM, "no room to grow in place")
        place = self._place(0, new_size) if target is None else self._check_target(target, new_size, address, end)
        return self._relocate(address, old_size, place, new_size, last, keep)

    def _one_mapping(self, start: int, end: int) -> Area:
        """The last area of [start, end), whose areas must look like one mapping; raises OSError(EFAULT)."""
        areas = self.areas.between(start, end)
        whole = bool(areas) and areas[0].start <= start and end <= areas[-1].end
        if not whole or not all(a.alike(b) for a, b in itertools.pairwise(areas)):
            raise OSError(errno.EFAULT, "range is not one mapping")
        return areas[-1]

    def _check_target(self, target: int, size: int, start: int, end: int) -> int:
        if target % PAGE or not 0 <= target <= self.top - size or (target < end and start < target + size):
            raise OSError(errno.EINVAL, "target")
        self._check_fixed(target, size, replace=True)
        return target

    def _relocate(self, address: int, old_size: int, place: int, new_size: int, last: Area, keep: bool) -> int:
        kept = min(old_size, new_size)
        extra: list[Area] = []
        if new_size > kept:
            extra.append(self._tail(last, place + kept, new_size - kept, last.offset + address + kept - last.start))
        self._unmap(place, place + new_size)
        self._unmap(address + kept, address + old_size)
        pieces = self._remove(address, address + kept)
        self.places.freed(address, address + kept)
        for piece in pieces:
            if keep:
                self._leave_behind(piece)
            self._forget(piece)
            piece.start, piece.end = place + piece.start - address, place + piece.end - address
        for piece in pieces + extra:
            self._add(piece)
        return place

    def _leave_behind(self, piece: Area) -> None:
        """MREMAP_DONTUNMAP: what was there stays mapped, with the content of new pages."""
        empty = piece.piece(piece.start, piece.end)
        empty.frame = None
        empty.executed = False
        if piece.frame is not None:
            self._give_frames(empty)
        self._add(empty)

    def _tail(self, area: Area, start: int, size: int, offset: int | None = None) -> Area:
        """A new area of *size* bytes at *start* that continues *area*: fresh pages, or the next part of its file."""
        if offset is None:
            offset = area.offset + start - area.start
        more = area.piece(area.start, area.start + size)
        more.start, more.end, more.frame, more.executed = start, start + size, None, False
        more.offset = offset if area.backing else 0
        if area.frame is not None:
            self._give_frames(more)
        return more

    def _grow(self, area: Area, address: int) -> Area | None:
        start = address // PAGE * PAGE
        below = self.areas.around(address)[0]
        floor = below.end + _STACK_GAP if below is not None and below.protection else self.bottom
        if start < max(floor, self.bottom) or self._end_of(area) - start > self.growth:
            return None
        more = Area(start, area.start, area.protection, None, name=area.name, marks=area.marks)
        try:
            if area.protection:
                self._give_frames(more)
        except OSError:
            return None
        self._add(more)
        return self.areas.find(address)

    def _end_of(self, area: Area) -> int:
        """Where the mapping that *area* begins ends: it may lie in RAM in several parts."""
        following = self.areas.around(area.start)[1]
        while following is not None and area.alike(following):
            area, following = following, self.areas.around(following.start)[1]
        return area.end
