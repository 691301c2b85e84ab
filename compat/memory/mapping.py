"""Mapping and unmapping: which areas there are, and which RAM lies under them.

Edits only note that the CPU's translations are out of date (`flush`, `stale`); the dispatcher settles them once per
trap. Sizes are rounded up to whole pages.
"""

from __future__ import annotations

import errno

from compat.memory.access import NOWHERE, Accessor
from compat.memory.areas import Area, Mark
from compat.memory.backing import Backing, Backings
from compat.memory.kept_code import KeptCode, is_pristine
from compat.memory.places import Places
from compat.memory.ram import PAGE, Ram

__all__ = ["Mapper", "check_page", "check_shared", "rounded"]

_WRITE = 2


class Mapper(Accessor):
    """*top* is the end of user addresses, *bottom* the lowest one that may be mapped; *limit* the most bytes of memory.

    *used* counts what was ever accessible, as Linux accounts for it, and *mapped* all that has an address. *shares*
    tells that other processes may share some of it.
    """

    def __init__(self, ram: Ram, *, top: int, bottom: int = 0x10000, limit: int | None = None) -> None:
        super().__init__(ram)
        self.top = top
        self.bottom = bottom
        self.limit = ram.size if limit is None else limit
        self.places = Places(self.areas, top, bottom)
        self.backings = Backings()
        self.kept_code = KeptCode()
        self.used = 0
        self.mapped = 0
        self.shares = False

    @property
    def mmap_top(self) -> int:
        """Where the search for free addresses begins, downwards."""
        return self.places.highest

    @mmap_top.setter
    def mmap_top(self, address: int) -> None:
        self.places = Places(self.areas, address, self.bottom)

    # --- mapping ---

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
        marks: int = 0,
        below: int | None = None,
    ) -> int:
        """Map *size* bytes; returns the address.

        *fixed* takes exactly *address*, over what is there if *replace*; else *address* is a hint, and the mapping
        must end at or below *below*. Raises OSError: ENOMEM without room, EEXIST where a fixed range is taken and must
        not be replaced, EINVAL for a bad address, EPERM below *bottom* or over a sealed area, EACCES for a shared file
        that was not opened for writing, or what the host's mmap says.
        """
        size = rounded(size)
        if not 0 < size <= self.top:
            raise OSError(errno.ENOMEM, "mapping too large")
        check_shared(protection, shared, backing)
        if fixed:
            self._check_fixed(address, size, replace)
        else:
            address = self._place(address, size, below)
        area = Area(address, address + size, protection, None, shared, backing, offset, name, marks)
        area.pristine = is_pristine(area)
        if not self._share_frames(area) and (protection or backing or shared):
            freed = sum(_part(old, address, address + size).cost for old in self.areas.between(address, address + size))
            self._give_frames(area, freed)
        self._unmap(address, address + size)
        self._add(area)
        if shared and not self.shares:
            self.shares = self.flush = True
        return address

    def map_above(self, address: int, size: int, protection: int, name: bytes) -> None:
        """Map fresh pages beyond the end of user addresses, where some kernels show a page of their own."""
        area = Area(address, address + size, protection, name=name)
        self._give_frames(area)
        self._add(area)

    def _check_fixed(self, address: int, size: int, replace: bool) -> None:
        check_page(address)
        if not 0 <= address <= self.top - size:
            raise OSError(errno.ENOMEM, "beyond the end of user addresses")
        if address < self.bottom:
            raise OSError(errno.EPERM, "below the lowest address that may be mapped")
        if not replace and not self.areas.is_free(address, address + size):
            raise OSError(errno.EEXIST, "range taken")
        self._check_seals(address, address + size)

    def _place(self, hint: int, size: int, below: int | None = None) -> int:
        wanted = -(-hint // PAGE) * PAGE
        top = self.top if below is None else min(below, self.top)
        if self.bottom <= wanted <= top - size and self.areas.is_free(wanted, wanted + size):
            return wanted
        found = self.places.find(size) if below is None else self.areas.gap_below(size, top, self.bottom)
        if found is None and below is None:
            found = self.areas.gap_below(size, self.top, self.bottom)
        if found is None:
            raise OSError(errno.ENOMEM, "no free range of addresses")
        return found

    def _give_frames(self, area: Area, freed: int = 0) -> None:
        """Put RAM under *area*, next to that of the area below where it can; *freed* bytes will be given back."""
        claimed = self.kept_code.claim(area)
        if not claimed:
            below = self.areas.find(area.start - 1)
            after = below.frame + below.size if below is not None and below.frame is not None else None
            area.frame = self.ram.take(area.size, after)
        try:
            if self.used - freed + area.cost > self.limit:
                raise OSError(errno.ENOMEM, "memory limit")
            if not claimed:
                self._lay(area)
        except OSError:
            self._forget(area)
            self._drop_frames(area)
            raise

    def _share_frames(self, area: Area) -> bool:
        """Give *area* the frames under another mapping of the same part of a file, if there are any: code written
        through one of them is then seen to change in the other. What *area* replaces is about to go."""
        if not area.shared or area.backing is None:
            return False
        end = area.offset + area.size
        for other in self._twins():
            backing = other.backing
            held = backing is not None and backing.same_file(area.backing) and backing.writable >= area.backing.writable
            apart = other.end <= area.start or area.end <= other.start
            if held and apart and other.offset <= area.offset and end <= other.offset + other.size:
                assert other.frame is not None
                area.frame = other.frame + area.offset - other.offset
                area.twin = other.twin = self.flush = True
                return True
        return False

    def _twins(self) -> list[Area]:
        """The areas whose frames others may have too."""
        return [area for area in self.areas if area.shared and area.backing is not None and area.frame is not None]

    def _lay(self, area: Area) -> None:
        assert area.frame is not None
        backing = area.backing
        if backing is not None:
            writable = not area.shared or backing.writable
            self.ram.lay_file(area.frame, area.size, backing.fd, area.offset, shared=area.shared, writable=writable)
        elif area.shared:
            self.ram.lay_shared(area.frame, area.size)

    def _drop_frames(self, area: Area) -> None:
        if area.frame is not None:
            for start, end in self._own_frames(area) if area.twin else [(area.frame, area.frame + area.size)]:
                self.ram.give_back(start, end - start, laid=area.shared or area.backing is not None)
            area.frame = None

    def _own_frames(self, area: Area) -> list[tuple[int, int]]:
        """The ranges of the frames of *area*, which is in the map no longer, that no other area has."""
        assert area.frame is not None
        own, at = list[tuple[int, int]](), area.frame
        last = at + area.size
        for start, end in sorted((other.frame or 0, (other.frame or 0) + other.size) for other in self._twins()):
            if at < min(start, last):
                own.append((at, min(start, last)))
            at = max(at, end)
        return [*own, (at, last)] if at < last else own

    def _add(self, area: Area) -> None:
        self.used += area.cost
        self.mapped += area.size
        self.areas.insert(area)
        self._last = NOWHERE

    def _remove(self, start: int, end: int) -> list[Area]:
        """Take a range out of the map; its RAM stays with the pieces returned."""
        pieces = self.areas.cut(start, end)
        for piece in pieces:
            self.used -= piece.cost
            self.mapped -= piece.size
        if pieces:
            self._last = NOWHERE
        return pieces

    # --- unmapping ---

    def unmap(self, address: int, size: int) -> None:
        """Remove whatever lies in the range; raises OSError: EINVAL off a page, EPERM if any of it is sealed."""
        check_page(address)
        self._check_seals(address, address + size)
        self._unmap(address, address + rounded(size))

    def _unmap(self, start: int, end: int) -> None:
        pieces = self._remove(start, end)
        self._release(pieces)
        if self.changes is not None:
            for piece in pieces:
                self.changes.drop(piece.start, piece.end)
        if pieces:
            self.places.freed(start, end)

    def _release(self, pieces: list[Area]) -> None:
        """Give back what lay under *pieces*, which are in the map no longer."""
        for piece in pieces:
            self._forget(piece)
            self._drop_frames(piece)

    def clear(self) -> None:
        """Unmap everything, sealed or not, as execve does; code of files waits for the next program."""
        self._release(self.kept_code.drain())
        pieces = self._remove(0, 1 << 64)
        self._release([piece for piece in pieces if not self.kept_code.keep(piece)])
        self.places.freed(0, self.top)
        self.flush = True

    def _forget(self, piece: Area) -> None:
        """What the CPU knows of *piece* is about to be wrong."""
        if piece.frame is None:
            return
        self.flush = True
        if piece.executed:
            self.stale.append((piece.frame, piece.size))
            piece.executed = False
        if piece.shared and piece.backing is not None and piece.protection & _WRITE:
            self._forget_code_of(piece.backing)

    def _forget_code_of(self, backing: Backing) -> None:
        """Code may have been written through one mapping of a file and run through another."""
        for area in self.areas:
            if area.executed and area.frame is not None and area.backing and area.backing.same_file(backing):
                self.stale.append((area.frame, area.size))

    def _check_seals(self, start: int, end: int) -> None:
        if any(area.marks & Mark.SEALED for area in self.areas.between(start, end)):
            raise OSError(errno.EPERM, "sealed")


def _part(area: Area, start: int, end: int) -> Area:
    return area.piece(max(start, area.start), min(end, area.end))


def check_shared(protection: int, shared: bool, backing: Backing | None) -> None:
    """Raise OSError(EACCES) for a shared writable mapping of a file that was not opened for writing."""
    if protection & _WRITE and shared and backing is not None and not backing.writable:
        raise OSError(errno.EACCES, "file not open for writing")


def check_page(address: int) -> None:
    """Raise OSError(EINVAL) for an address inside a page."""
    if address % PAGE:
        raise OSError(errno.EINVAL, "address not on a page")


def rounded(size: int) -> int:
    """*size* up to whole pages."""
    return -(-size // PAGE) * PAGE
