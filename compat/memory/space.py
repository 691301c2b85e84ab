"""The address space of a guest process: what mmap, mprotect and munmap edit, and what the CPU's fill hook asks.

Edits only note that the CPU's translations are out of date (`flush`, `stale`); the dispatcher flushes once per trap.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator

from compat.errors import MemoryFault
from compat.memory.areas import Area, AreaMap, Backing, Protection
from compat.memory.ram import PAGE, Ram

__all__ = ["AddressSpace"]

_READ, _WRITE, _EXECUTE = 1, 2, 4
_KINDS = {_READ: "read", _WRITE: "write", _EXECUTE: "fetch"}


class AddressSpace:
    """Areas over one RAM. *top* is the end of user addresses; *limit* the most bytes that may be accessible at once."""

    def __init__(self, ram: Ram, *, top: int, bottom: int = 0x10000, limit: int | None = None) -> None:
        self.ram = ram
        self.top = top
        self.bottom = bottom
        self.limit = ram.size if limit is None else limit
        self.areas = AreaMap()
        self.mmap_top = top
        self.flush = False
        self.stale: list[tuple[int, int]] = []
        self.used = 0
        self._last = Area(0, 0, 0)
        self._hint = top

    # --- the CPU asks ---

    def fill(self, page: int, access: int) -> tuple[int, int] | None:
        """Where the guest page at *page* lies and what its translation allows, or None for a fault.

        *access* is one of Protection. A page that is both writable and executable is RX to fetches and RW to data, so
        that a store into code is always seen (DESIGN §5.10).
        """
        area = self._area(page)
        if area is None or area.frame is None:
            return None
        rights = area.protection
        if rights & (_WRITE | _EXECUTE):
            rights |= _READ
        if not rights & access:
            return None
        if area.backing is not None and area.offset + page - area.start >= area.backing.size():
            return None
        if rights & _EXECUTE:
            area.executed = True
            if rights & _WRITE:
                rights = _READ | _EXECUTE if access == _EXECUTE else _READ | _WRITE
        return area.frame + page - area.start, rights

    def explain(self, address: int, access: int) -> MemoryFault:
        """Why an access faults: nothing there, not allowed, or beyond the end of the file."""
        area = self._area(address)
        rights = area.protection if area else 0
        if rights & (_WRITE | _EXECUTE):
            rights |= _READ
        return MemoryFault(address, _KINDS[access], mapped=area is not None, beyond_file=bool(area and rights & access))

    def _area(self, address: int) -> Area | None:
        last = self._last
        if last.start <= address < last.end:
            return last
        area = self.areas.find(address)
        if area is not None:
            self._last = area
        return area

    # --- the host reads and writes ---

    def read(self, address: int, size: int) -> bytes:
        """The *size* bytes at *address*; raises MemoryFault as the guest's own load would."""
        area = self._area(address)
        if area and address + size <= area.end and area.protection and area.frame is not None and not area.backing:
            start = area.frame + address - area.start
            return bytes(self.ram.view[start : start + size])
        return b"".join(self._pieces(address, size, _READ))

    def write(self, address: int, data: bytes) -> None:
        """Store *data* at *address*; raises MemoryFault before the first byte that can't be stored."""
        done = 0
        for view in self._pieces(address, len(data), _WRITE):
            view[:] = data[done : done + len(view)]
            done += len(view)

    def views(self, address: int, size: int, write: bool) -> list[memoryview]:
        """The guest's bytes themselves, a view per contiguous piece; for readv and writev."""
        return list(self._pieces(address, size, _WRITE if write else _READ))

    def string(self, address: int, limit: int) -> bytes | None:
        """The bytes before a NUL that comes within *limit* bytes, else None."""
        text = b""
        while len(text) < limit:
            area = self._area(address)
            size = min(limit - len(text), (area.end if area else address + 1) - address, PAGE - address % PAGE)
            (piece,) = self._pieces(address, size, _READ)
            found = bytes(piece)
            end = found.find(0)
            if end >= 0:
                return text + found[:end]
            text += found
            address += size
        return None

    def _pieces(self, address: int, size: int, access: int) -> Iterator[memoryview]:
        end = address + size
        while address < end:
            area = self._area(address)
            if area is None or area.frame is None:
                raise self.explain(address, access)
            rights = area.protection | (_READ if area.protection else 0)
            stop = min(end, area.end)
            if not rights & access:
                raise self.explain(address, access)
            if area.backing is not None:
                stop = min(stop, self._file_end(area))
                if stop <= address:
                    raise self.explain(address, access)
            start = area.frame + address - area.start
            if access == _WRITE and area.executed:
                self.stale.append((address, stop - address))
            yield self.ram.view[start : start + stop - address]
            address = stop

    def _file_end(self, area: Area) -> int:
        """The guest address of the first page beyond the end of the backing file."""
        assert area.backing is not None
        pages = -(-(area.backing.size() - area.offset) // PAGE)
        return area.start + max(0, pages) * PAGE

    # --- the guest edits ---

    def map(
        self,
        size: int,
        protection: int,
        *,
        address: int = 0,
        fixed: bool = False,
        replace: bool = True,
        shared: bool = False,
        backing: Backing | None = None,
        offset: int = 0,
        name: bytes = b"",
    ) -> int:
        """Map *size* bytes (rounded up to pages); returns the address.

        *fixed* takes exactly *address*, over what is there if *replace*. Raises OSError: ENOMEM without room, EEXIST
        where a fixed range is taken and must not be replaced, EINVAL for a bad address, or what the host's mmap says.
        """
        size = -(-size // PAGE) * PAGE
        if size <= 0 or size > self.top:
            raise OSError(errno.ENOMEM, "mapping too large")
        address = self._place(address, size, fixed, replace)
        self._charge(size if protection else 0)
        area = Area(address, address + size, protection, None, shared, backing, offset, name)
        if protection or backing or shared:
            self._give_frames(area)
        self.unmap(address, size)
        self.areas.insert(area)
        if protection:
            self.used += size
        return address

    def map_above(self, address: int, size: int, protection: int, name: bytes) -> None:
        """Map fresh pages beyond the end of user addresses, where some kernels show a page of their own."""
        area = Area(address, address + size, protection, name=name)
        self._give_frames(area)
        self.areas.insert(area)

    def store(self, address: int, data: bytes) -> None:
        """Store *data* whatever the guest's rights are, as a kernel does into pages that it gives to the guest."""
        for area in self.areas.between(address, address + len(data)):
            if area.frame is None:
                continue
            start, end = max(address, area.start), min(address + len(data), area.end)
            place = area.frame + start - area.start
            self.ram.view[place : place + end - start] = data[start - address : end - address]
            if area.executed:
                self.stale.append((start, end - start))

    def _place(self, address: int, size: int, fixed: bool, replace: bool) -> int:
        if fixed:
            if address % PAGE:
                raise OSError(errno.EINVAL, "address not on a page")
            if address + size > self.top:
                raise OSError(errno.ENOMEM, "beyond the end of user addresses")
            if not replace and not self.areas.is_free(address, address + size):
                raise OSError(errno.EEXIST, "range taken")
            return address
        wanted = -(-address // PAGE) * PAGE
        if wanted >= self.bottom and wanted + size <= self.top and self.areas.is_free(wanted, wanted + size):
            return wanted
        found = self.areas.gap_below(size, min(self._hint, self.mmap_top), self.bottom)
        if found is None:
            found = self.areas.gap_below(size, self.mmap_top, self.bottom)
        if found is None:
            raise OSError(errno.ENOMEM, "no free range of addresses")
        self._hint = found + size
        return found

    def _charge(self, size: int) -> None:
        if self.used + size > self.limit:
            raise OSError(errno.ENOMEM, "memory limit")

    def _give_frames(self, area: Area) -> None:
        frame = self.ram.take(area.size)
        try:
            if area.backing is not None:
                writable = not area.shared or area.backing.writable
                self.ram.lay_file(frame, area.size, area.backing.fd, area.offset, shared=area.shared, writable=writable)
            elif area.shared:
                self.ram.lay_shared(frame, area.size)
        except OSError:
            self.ram.give_back(frame, area.size)
            raise
        area.frame = frame

    def unmap(self, address: int, size: int) -> None:
        """Remove whatever lies in the range (whole pages)."""
        for piece in self.areas.cut(address, address + size):
            self._forget(piece)
            if piece.frame is not None:
                self.ram.give_back(piece.frame, piece.size)
            if piece.protection:
                self.used -= piece.size
        self._hint = max(self._hint, min(address + size, self.mmap_top))
        self._last = Area(0, 0, 0)

    def _forget(self, piece: Area) -> None:
        if piece.frame is None:
            return
        self.flush = True
        if piece.executed:
            self.stale.append((piece.start, piece.size))

    def protect(self, address: int, size: int, protection: int) -> None:
        """mprotect(2): raises OSError ENOMEM for a hole (after changing what lies before it), EACCES for a shared
        file that was not opened for writing."""
        end = address + size
        for area in self.areas.between(address, end):
            if area.start > address:
                break
            stop = min(end, area.end)
            self._protect_piece(area, address, stop, protection)
            address = stop
        if address < end:
            raise OSError(errno.ENOMEM, "hole in the range")

    def _protect_piece(self, area: Area, start: int, stop: int, protection: int) -> None:
        if protection & _WRITE and area.shared and area.backing and not area.backing.writable:
            raise OSError(errno.EACCES, "file not open for writing")
        if area.protection == protection:
            return
        self._charge(stop - start if protection and not area.protection else 0)
        (piece,) = self.areas.cut(start, stop)
        if area.protection & ~protection:
            self._forget(piece)
        if piece.frame is None and protection:
            self._give_frames(piece)
        self.used += (stop - start) * (bool(protection) - bool(piece.protection))
        piece.protection = protection
        self.areas.insert(piece)
        self._last = Area(0, 0, 0)

    def move(self, address: int, old_size: int, new_size: int, target: int | None, *, may_move: bool) -> int:
        """mremap(2) of whole pages inside one area: shrink, grow in place, or move to *target* or any free place.

        Raises OSError: EFAULT for a hole, ENOMEM without room.
        """
        area = self.areas.find(address)
        if area is None or address + old_size > area.end:
            raise OSError(errno.EFAULT, "range is not one mapping")
        if target is None and new_size <= old_size:
            self.unmap(address + new_size, old_size - new_size) if new_size < old_size else None
            return address
        growth = max(0, new_size - old_size)
        fits = address + new_size <= self.top and self.areas.is_free(address + old_size, address + new_size)
        if target is None and fits and address + old_size == area.end:
            self._extend(area.piece(address, address + old_size), address + old_size, growth)
            return address
        if target is None and not may_move:
            raise OSError(errno.ENOMEM, "no room to grow in place")
        self._charge(growth if area.protection else 0)
        place = self._place(0, new_size, False, True) if target is None else target
        return self._relocate(address, min(old_size, new_size), place, new_size, old_size)

    def _relocate(self, address: int, kept: int, place: int, new_size: int, old_size: int) -> int:
        self.unmap(place, new_size)
        if old_size > kept:
            self.unmap(address + kept, old_size - kept)
        for piece in self.areas.cut(address, address + kept):
            self._forget(piece)
            piece.start, piece.end = place + piece.start - address, place + piece.end - address
            self.areas.insert(piece)
            last = piece
        self._last = Area(0, 0, 0)
        if new_size > kept:
            self._extend(last, place + kept, new_size - kept)
        return place

    def _extend(self, area: Area, start: int, size: int) -> None:
        """Add *size* bytes at *start* that continue *area*: fresh pages, or the next part of its file."""
        self._charge(size if area.protection else 0)
        offset = area.offset + start - area.start if area.backing else 0
        more = Area(start, start + size, area.protection, None, area.shared, area.backing, offset, area.name)
        if area.frame is not None:
            self._give_frames(more)
        self.areas.insert(more)
        if area.protection:
            self.used += size

    def discard(self, address: int, size: int) -> None:
        """MADV_DONTNEED: private pages read as zero, or as the file, again; ENOMEM for a hole."""
        end = address + size
        hole = not self.areas.covers(address, end)
        for area in self.areas.between(address, end):
            start, stop = max(address, area.start), min(end, area.end)
            if area.frame is not None:
                self.ram.advise_free(area.frame + start - area.start, stop - start)
                if area.executed:
                    self.stale.append((start, stop - start))
        if hole:
            raise OSError(errno.ENOMEM, "hole in the range")

    def clear(self) -> None:
        """Unmap everything, as execve does."""
        self.unmap(0, 1 << 64)
        self._hint = self.mmap_top

    def rights(self, address: int) -> Protection:
        """What the guest may do at *address*; none where nothing is mapped."""
        area = self._area(address)
        return Protection(area.protection if area else 0)
