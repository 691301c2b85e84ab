"""The one RAM: a sparse private host mapping that Unicorn sees whole; guest areas are ranges of it.

Sixty-four GiB of address space cost nothing until they are touched. A file or a shared area is a host mapping laid
over a range of the RAM (mmap with MAP_FIXED), so the host's own page cache, copy-on-write and sharing between forked
processes do the work, and nothing is copied.
"""

from __future__ import annotations

import errno
import mmap
import os

from compat.memory._libc import ffi, lib

__all__ = ["PAGE", "Ram"]

PAGE = 4096

_MAP_FIXED = 0x10  # the same number on Linux, macOS and the BSDs (sys/mman.h)
_MAP_NORESERVE = getattr(
    mmap, "MAP_NORESERVE", 0x4000 if os.name == "posix" and os.uname().sysname == "Linux" else 0x40
)
_FRESH = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE | _MAP_FIXED


class Ram:
    """Frames by physical address; *size* in bytes, a multiple of the page."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.map = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE)
        self.view = memoryview(self.map)
        self.pointer = ffi.from_buffer("char[]", self.map, require_writable=True)
        self._next = PAGE  # frame 0 stays unused, so that a physical address is never 0
        self._free: dict[int, list[int]] = {}

    def take(self, size: int) -> int:
        """The physical address of *size* fresh zero bytes (a multiple of the page); raises OSError(ENOMEM)."""
        ranges = self._free.get(size)
        if ranges:
            return ranges.pop()
        start = self._next
        if start + size > self.size:
            start = self._reuse(size)
        else:
            self._next = start + size
        return start

    def _reuse(self, size: int) -> int:
        """A piece of a larger free range; raises OSError(ENOMEM) where none is large enough."""
        self._coalesce()
        larger = [s for s, ranges in self._free.items() if s >= size and ranges]
        if not larger:
            raise OSError(errno.ENOMEM, "guest RAM is used up")
        whole = min(larger)
        start = self._free[whole].pop()
        if whole > size:
            self._free.setdefault(whole - size, []).append(start + size)
        return start

    def _coalesce(self) -> None:
        pieces = sorted((start, size) for size, ranges in self._free.items() for start in ranges)
        joined: list[tuple[int, int]] = []
        for start, size in pieces:
            if joined and joined[-1][0] + joined[-1][1] == start:
                joined[-1] = (joined[-1][0], joined[-1][1] + size)
            else:
                joined.append((start, size))
        self._free = {}
        for start, size in joined:
            self._free.setdefault(size, []).append(start)

    def give_back(self, start: int, size: int) -> None:
        """Free a range: its memory and whatever was laid over it return to the host."""
        self.clear(start, size)
        self._free.setdefault(size, []).append(start)

    def clear(self, start: int, size: int) -> None:
        """Make a range fresh zero bytes again, private to this process."""
        self._lay(start, size, mmap.PROT_READ | mmap.PROT_WRITE, _FRESH, -1, 0)

    def lay_shared(self, start: int, size: int) -> None:
        """Make a range zero bytes that stay shared with children of fork."""
        flags = mmap.MAP_SHARED | mmap.MAP_ANONYMOUS | _MAP_NORESERVE | _MAP_FIXED
        self._lay(start, size, mmap.PROT_READ | mmap.PROT_WRITE, flags, -1, 0)

    def lay_file(self, start: int, size: int, fd: int, offset: int, *, shared: bool, writable: bool) -> None:
        """Lay a host file over a range; raises the host's OSError (ENODEV, EACCES, …)."""
        kind = mmap.MAP_SHARED if shared else mmap.MAP_PRIVATE
        protection = mmap.PROT_READ | (mmap.PROT_WRITE if writable else 0)
        self._lay(start, size, protection, kind | _MAP_NORESERVE | _MAP_FIXED, fd, offset)

    def _lay(self, start: int, size: int, protection: int, flags: int, fd: int, offset: int) -> None:
        result = lib.mmap(self.pointer + start, size, protection, flags, fd, offset)
        if int(ffi.cast("intptr_t", result)) == -1:
            raise OSError(ffi.errno, os.strerror(ffi.errno))

    def advise_free(self, start: int, size: int) -> None:
        """MADV_DONTNEED on a range: private pages become zero, or the file's again."""
        if lib.madvise(self.pointer + start, size, mmap.MADV_DONTNEED) != 0:
            raise OSError(ffi.errno, os.strerror(ffi.errno))

    def sync(self, start: int, size: int, flags: int) -> None:
        """msync(2) on a range."""
        if lib.msync(self.pointer + start, size, flags) != 0:
            raise OSError(ffi.errno, os.strerror(ffi.errno))

    def resident(self, start: int, size: int) -> bytes:
        """One byte per page, bit 0 set where the page is in core (mincore(2))."""
        vector = ffi.new("unsigned char[]", max(1, size // PAGE))
        if lib.mincore(self.pointer + start, size, vector) != 0:
            raise OSError(ffi.errno, os.strerror(ffi.errno))
        return bytes(ffi.buffer(vector, size // PAGE))
