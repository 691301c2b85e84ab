"""Gives a CPU its pages when it asks, and knows from which frames code was run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from compat.cpu.engine import HOOK_FETCH_REFUSED, Engine
from compat.cpu.family import OWN_PAGE, Family

__all__ = ["FETCH", "READ", "WRITE", "PageSource", "Paging"]

READ, WRITE, FETCH = 1, 2, 4

_FEW_FILLS, _MANY_FILLS = 1 << 9, 1 << 15
"""How many fills there may be until a flush lets the TLB grow: it has 256 entries at first, and a flush of a full one
doubles them, so the number doubles too. A fill costs 4 us.

After many it begins with few again: after more than about 20,000 Unicorn's own count of used entries is too low, and
the TLB would stay small [measured]."""

_BASE_64 = 1 << 46
"""Where the RAM of 64-bit CPUs is in Unicorn's eyes: within the physical addresses, and where a guest has no code."""

_ALIAS_32, _ALIAS_64 = 0xFFFFC000, 0xFFFFF00000000000
"""Where `invalidate_code` sees frames, above all that a guest may map."""


class PageSource(Protocol):
    """Guest memory as the machine sees it.

    Frame 0 (the first 4096 bytes of *ram*) belongs to the machine and must never be given to a guest page.
    """

    ram: Any

    def fill(self, page: int, access: int) -> tuple[int, int] | None:
        """Return a guest page's (physical address, permissions R=1 W=2 X=4), or None if *access* is a fault.

        Permissions that lack *access* are a fault too. For a page both writable and executable say RX for a
        fetch and RW for data; only for a frame that is written at one address and run at another say RWX for
        data, which makes each store slow but lets changed code be seen.
        """

    def changeable(self, address: int, size: int) -> bool:
        """Whether the host may for a moment write to the frames at *address* without changing a file."""


class Paging:
    """Answers one engine's fill hook. *own* tells that the machine's own code runs, which sees only frame 0; *refused*
    is the access that was refused last."""

    def __init__(self, engine: Engine, family: Family, pages: PageSource) -> None:
        self._engine = engine
        self._family = family
        self._source = pages.fill
        self.ram = memoryview(pages.ram)
        self.own = True
        self.refused = 0
        self.fetched: dict[int, int] = {}
        """Page -> frame of the code that was fetched since the last flush of the TLB."""
        self._ran: set[int] = set()
        self._alias: int | None = None
        self._fills, self._enough_fills = 0, _FEW_FILLS
        self._wide = family.registers[family.pc].size == 8
        engine.map_ram(pages.ram, _BASE_64 if self._wide else 0)
        self._doubts = self._trust_code(_BASE_64, _BASE_64 + len(pages.ram)) if self._wide else []
        engine.on_fill(self._fill)

    def flush_tlb(self) -> None:
        """Forget every page: needed when a page loses a permission or its frame."""
        self.fetched.clear()
        self._family.forgotten()
        self._fills = 0
        self._engine.flush_tlb()

    def invalidate_code(self, physical: int, size: int) -> None:
        """Forget code translated from frames *physical* to *physical* + *size*.

        Needed when the host writes to a frame that was filled for a fetch, or gives the frame to something
        else: code is known by its virtual address and its frame, and only the guest's own stores are noticed.
        Includes `flush_tlb`.
        """
        end = physical + size
        self._ran = {frame for frame in self._ran if not physical <= frame <= end - 4096}
        offset = physical & 0xFFF
        self._alias = physical - offset
        self._engine.flush_tlb()
        base = _ALIAS_64 if self._wide else _ALIAS_32
        self._engine.remove_code(base + offset, base + offset + size)
        self._alias = None
        self._engine.flush_tlb()

    def code_frame(self, page: int) -> int | None:
        """Return the frame of a guest page of code; None where the guest may not execute."""
        found = self._source(page, FETCH)
        return found[0] if found is not None and found[1] & FETCH else None

    def code(self, address: int, size: int) -> bytes:
        """Return *size* bytes of guest code; fewer where the guest may not execute."""
        out = b""
        while len(out) < size:
            at = address + len(out)
            frame = self.code_frame(at & ~0xFFF)
            if frame is None:
                break
            start = frame + (at & 0xFFF)
            out += bytes(self.ram[start : start + min(size - len(out), 4096 - (at & 0xFFF))])
        return out

    def _fill(self, page: int, access: int) -> tuple[int, int] | None:
        if self.own:
            found = (0, READ | WRITE | FETCH) if page in (OWN_PAGE, self._family.own_address) else None
        elif self._alias is not None:
            return self._alias, READ | FETCH
        else:
            found = self._find(page, access)
        if found is None or not found[1] & access:
            self.refused = access
            return None
        return found if self.own else self._give(page, access, *found)

    def _find(self, page: int, access: int) -> tuple[int, int] | None:
        self._fills += 1
        if self._fills > self._enough_fills:
            self._fills = 0
            self._enough_fills = 2 * self._enough_fills if self._enough_fills < _MANY_FILLS else _FEW_FILLS
            self._engine.flush_tlb()
        found = self._source(page, access)
        if found is None and page == self._family.own_address and access == READ:
            return 0, READ
        return found

    def _give(self, page: int, access: int, frame: int, permissions: int) -> tuple[int, int]:
        """Note what the guest is about to do with a page that it gets."""
        family = self._family
        if access == FETCH:
            self.fetched[page] = frame
            self._ran.add(frame)
            if self._doubts and (self._source(page, READ) or (0, 0))[1] & WRITE:
                self._doubt_code()
            family.fetching(page, self.ram[frame : frame + 4096])
        else:
            family.filled()
        if permissions & WRITE and frame in self._ran and self.code_frame(page) is not None:
            # Blocks known by their addresses run without a new fetch, so a store must look for code every time.
            family.changing(page)
            self._doubt_code()
            permissions |= FETCH
        return frame, permissions

    # --- code that nobody writes to ---

    def _trust_code(self, start: int, end: int) -> list[Callable[[], None]]:
        """Spare each new block a search of the whole TLB for its page, a sixth of what translation takes.

        The search is for an entry that lets stores into the page go unnoticed (`tb_gen_code` of Unicorn's
        qemu/accel/tcg/translate-all.c). There is none while no page that runs can be written at its own address. It
        is left out for blocks at an address for which a hook of memory is set, which may be one that never fires; but
        a store asks the same of its physical address, so that those from *start* to *end* must have none: 32-bit CPUs
        have no room for such a place. Returns what brings the search back.
        """
        ranges = (0, start - 1), (end, (1 << 64) - 1)
        return [self._engine.hook_idly(HOOK_FETCH_REFUSED, *each) for each in ranges]

    def _doubt_code(self) -> None:
        """The guest may write to a page that it runs."""
        for doubt in self._doubts:
            doubt()
        self._doubts = []
