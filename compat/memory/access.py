"""Reading and writing guest memory: the CPU's questions and the host's own accesses, with the guest's rights.

A file under an area may shrink. Every access here compares with the size the file had when last asked, and the CPU's
fill does so for each page it hands out; whoever makes a file shorter calls `AddressSpace.file_changed`. What another
process cuts off is the guard's case (compat.memory.guard).
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from compat.errors import MemoryFault
from compat.memory.areas import Area, AreaMap, Mark
from compat.memory.ram import PAGE, Ram

if TYPE_CHECKING:
    from compat.memory.changes import Changes

__all__ = ["NOWHERE", "Access", "Accessor"]

Access = Literal["read", "write", "fetch"]

_READ, _WRITE, _EXECUTE = 1, 2, 4
_KINDS: dict[int, Access] = {_READ: "read", _WRITE: "write", _EXECUTE: "fetch"}
_BITS = {kind: bit for bit, kind in _KINDS.items()}
_RIGHTS = (0, 1, 3, 3, 5, 5, 7, 7)  # protection → accesses that it allows
_MOST = 1 << 31  # no system call moves more at once (MAX_RW_COUNT, include/linux/fs.h)
NOWHERE = Area(0, 0, 0)
"""An area that holds no address."""


class Accessor:
    """Areas over one RAM. *flush* and *stale* note which of the CPU's translations are out of date; the dispatcher
    settles them once per trap. *stale* has (physical address, size) of code that changed. *changes* records stores
    while this is a copy of memory that a parent lent."""

    def __init__(self, ram: Ram) -> None:
        self.ram = ram
        self.areas = AreaMap()
        self.flush = False
        self.stale: list[tuple[int, int]] = []
        self.changes: Changes | None = None
        self._bytes = ram.map
        self._last = NOWHERE

    # --- the CPU asks ---

    def fill(self, page: int, access: int) -> tuple[int, int] | None:
        """Where the guest page at *page* lies and what its translation allows, or None for a fault.

        *access* is one of Protection. A page that is both writable and executable is RX to fetches and RW to data, so
        that a store into code is always seen; one whose frame can be run elsewhere is RWX to data.
        """
        area = self._last
        if not area.start <= page < area.end:
            found = self._find(page)
            if found is None:
                return None
            area = found
        rights = _RIGHTS[area.protection]
        if area.frame is None or not rights & access:
            return None
        if area.backing is not None and not area.backing.reaches(area.offset + page - area.start):
            return None
        if rights & _EXECUTE:
            area.executed = True
            if rights & _WRITE:
                rights = _READ | _EXECUTE if access == _EXECUTE else _READ | _WRITE
        if area.twin and rights & _WRITE and self._is_code_elsewhere(area):
            rights |= _EXECUTE
        if self.changes is not None and rights & _WRITE:
            rights = self._seen_rights(self.changes, area, page, access, rights)
        return area.frame + page - area.start, rights

    def _is_code_elsewhere(self, area: Area) -> bool:
        """Whether another mapping of the file that *area* maps can be run: then each store must look for code."""
        return any(
            other.twin and other is not area and _RIGHTS[other.protection] & _EXECUTE and _one_file(other, area)
            for other in self.areas
        )

    @staticmethod
    def _seen_rights(changes: Changes, area: Area, page: int, access: int, rights: int) -> int:
        """The rights of a page whose first store must be seen."""
        if access == _WRITE:
            changes.store(area, page, page + PAGE)
        return rights if area.shared or changes.knows(page) else rights & ~_WRITE

    def changeable(self, address: int, size: int) -> bool:
        """Whether the host may for a moment write to the frames at *address* without changing a file."""
        areas = self.areas.between(address, address + size)
        return not any(area.shared and area.backing is not None for area in areas)

    def explain(self, address: int, access: Access) -> MemoryFault:
        """Why an access faults: nothing there, not allowed, or beyond the end of the file."""
        area = self.areas.find(address)
        beyond = area is not None and bool(_RIGHTS[area.protection] & _BITS[access])
        return MemoryFault(address, access, mapped=area is not None, beyond_file=beyond)

    @staticmethod
    def allowed(area: Area) -> int:
        """The accesses that *area* allows, a mask of Protection: no CPU here can write or execute without reading."""
        return _RIGHTS[area.protection]

    def rights(self, address: int) -> int:
        """What the guest may do at *address*; none where nothing is mapped."""
        area = self._find(address)
        return area.protection if area else 0

    def _find(self, address: int) -> Area | None:
        """The area at *address*, a stack that grows down to it included."""
        area = self.areas.find(address)
        if area is None:
            area = self._grow_down(address)
        if area is not None:
            self._last = area
        return area

    def _grow_down(self, address: int) -> Area | None:
        above = self.areas.around(address)[1]
        return self._grow(above, address) if above is not None and above.marks & Mark.GROWS_DOWN else None

    def _grow(self, area: Area, address: int) -> Area | None:
        """Let *area* grow down to the page of *address*; None where it must not."""
        return None

    # --- the host reads and writes ---

    def read(self, address: int, size: int) -> bytes:
        """The *size* bytes at *address*; raises MemoryFault as the guest's own load would, OSError(ENOMEM) beyond
        2 GiB."""
        area = self._last
        if (
            area.start <= address
            and address + size <= area.end
            and area.frame is not None
            and area.protection
            and (area.backing is None or area.offset + address - area.start + size <= area.backing.known)
            and size < _MOST
        ):
            start = area.frame + address - area.start
            return self._bytes[start : start + size]
        if size >= _MOST:
            raise OSError(errno.ENOMEM, "too many bytes at once")
        return b"".join(self._pieces(address, size, _READ))

    def write(self, address: int, data: bytes | memoryview) -> None:
        """Store *data* at *address*; at the first byte that can't be stored raises MemoryFault, those before stay."""
        size = len(data)
        area = self._last
        if (
            area.start <= address
            and address + size <= area.end
            and area.protection & _WRITE
            and area.frame is not None
            and (area.backing is None or area.offset + address - area.start + size <= area.backing.known)
            and not (area.executed or area.twin)
            and self.changes is None
        ):
            start = area.frame + address - area.start
            self._bytes[start : start + size] = data
            return
        done = 0
        for view in self._pieces(address, size, _WRITE):
            view[:] = data[done : done + len(view)]
            done += len(view)

    def host_address(self, address: int) -> int:
        """Where the byte at *address* lies in this host process; raises MemoryFault where it can't be read."""
        area, _ = self._reach(address, address + 1, _READ)
        assert area.frame is not None
        return self.ram.first + area.frame + address - area.start

    def store(self, address: int, data: bytes) -> None:
        """Store *data* whatever the guest's rights are, as a kernel does into pages that it gives to the guest."""
        for area in self.areas.between(address, address + len(data)):
            if area.frame is None:
                continue
            start, end = max(address, area.start), min(address + len(data), area.end)
            place = area.frame + start - area.start
            if self.changes is not None:
                self.changes.store(area, start, end)
            self.ram.view[place : place + end - start] = data[start - address : end - address]
            area.pristine = False
            if area.executed or area.twin:
                self.stale.append((place, end - start))

    def outdate(self, address: int, size: int) -> None:
        """Code in this range was changed behind the CPU's back: translate it anew."""
        for area in self.areas.between(address, address + size):
            if area.frame is not None and (area.executed or area.twin):
                start, end = max(address, area.start), min(address + size, area.end)
                self.stale.append((area.frame + start - area.start, end - start))

    def views(self, address: int, size: int, write: bool) -> list[memoryview]:
        """The guest's bytes themselves, a view per contiguous piece; for readv and writev. Raises MemoryFault."""
        return list(self._pieces(address, size, _WRITE if write else _READ))

    def string(self, address: int, limit: int) -> bytes | None:
        """The bytes before a NUL that comes within *limit* bytes, else None; raises MemoryFault."""
        text = b""
        while limit > 0:
            area, stop = self._reach(address, address + limit, _READ)
            assert area.frame is not None
            start = area.frame + address - area.start
            end = self._bytes.find(b"\0", start, start + stop - address)
            if end >= 0:
                return text + self._bytes[start:end]
            text += self._bytes[start : start + stop - address]
            limit -= stop - address
            address = stop
        return None

    def _pieces(self, address: int, size: int, access: int) -> Iterator[memoryview]:
        end = address + size
        while address < end:
            area, stop = self._reach(address, end, access)
            assert area.frame is not None
            start = area.frame + address - area.start
            if access == _WRITE and (area.executed or area.twin):
                self.stale.append((start, stop - address))
            if access == _WRITE and self.changes is not None:
                self.changes.store(area, address, stop)
            yield self.ram.view[start : start + stop - address]
            address = stop

    def _reach(self, address: int, end: int, access: int) -> tuple[Area, int]:
        """The area at *address*, and how far towards *end* it may be accessed; raises MemoryFault."""
        area: Area | None = self._last
        if area is None or not area.start <= address < area.end:
            area = self._find(address)
        if area is None or area.frame is None or not _RIGHTS[area.protection] & access:
            raise self.explain(address, _KINDS[access])
        stop = min(end, area.end)
        if area.backing is not None and not area.backing.reaches(area.offset + stop - area.start - 1):
            pages = -(-(area.backing.known - area.offset) // PAGE)
            stop = min(stop, area.start + pages * PAGE)
            if stop <= address:
                raise self.explain(address, _KINDS[access])
        return area, stop


def _one_file(area: Area, other: Area) -> bool:
    return area.backing is not None and other.backing is not None and area.backing.same_file(other.backing)
