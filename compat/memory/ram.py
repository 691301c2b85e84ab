"""The one RAM: a sparse private host mapping that Unicorn sees whole; guest areas are ranges of it.

Sixty-four GiB of address space cost nothing until they are touched. A file or a shared area is a host mapping laid
over a range of the RAM (mmap with MAP_FIXED), so the host's own page cache, copy-on-write and sharing between forked
processes do the work, and nothing is copied.
"""

from __future__ import annotations

import errno
import mmap
import os
import struct
import sys
from collections.abc import Callable

from compat.host._libc import ffi, lib
from compat.memory.frames import Frames
from compat.memory.guard import Guard

__all__ = ["PAGE", "Ram"]

PAGE = 4096

_LINUX = sys.platform.startswith("linux")
_MAP_FIXED = 0x10  # the same number on Linux, macOS and the BSDs (sys/mman.h)
_MAP_NORESERVE = getattr(mmap, "MAP_NORESERVE", 0x4000 if _LINUX else 0x40)
_FRESH = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE | _MAP_FIXED
_READ_WRITE = mmap.PROT_READ | mmap.PROT_WRITE

_ENTRY = struct.Struct("=Q")
_PRESENT = 1 << 63
_SHARED_MASK = _PRESENT | 1 << 61 | 1 << 56


class Ram:
    """Frames by physical address; *size* in bytes, a multiple of the page. Frame 0 belongs to the CPU's machine.

    *granule* is the host's page size: where it is larger than a guest's page (macOS on ARM), shared mappings whose
    place in the RAM does not fall on one are refused, and private file pages are copied instead. *on_lost* is called
    when a file page was cut off while in use; zeros lie there now. *first* is the host address of frame 0.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.granule = mmap.PAGESIZE
        self.map = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE)
        self.view = memoryview(self.map)
        self.pointer = ffi.from_buffer("char[]", self.map, require_writable=True)
        self.on_lost: Callable[[], None] = lambda: None
        self._frames = Frames(PAGE, size)
        self._guard: Guard | None = None
        self.first = int(ffi.cast("intptr_t", self.pointer))

    def take(self, size: int, after: int | None = None) -> int:
        """The physical address of *size* zero bytes (a multiple of the page), at *after* if that is free.

        Raises OSError(ENOMEM).
        """
        return self._frames.take(size, after)

    def give_back(self, start: int, size: int, *, laid: bool) -> None:
        """Free a range; *laid* tells that something was laid over it. Its memory returns to the host."""
        if laid:
            self._lay_fresh(start, size)
        else:
            self.clear(start, size)
        self._frames.give_back(start, size)

    def clear(self, start: int, size: int) -> None:
        """Make a range of plain private memory zero again."""
        if self._crooked(start, size):
            self.view[start : start + size] = bytes(size)
        elif _LINUX:
            self._check(lib.madvise(self.pointer + start, size, mmap.MADV_DONTNEED))
        else:  # only Linux promises zeros after MADV_DONTNEED
            self._lay_fresh(start, size)

    def _lay_fresh(self, start: int, size: int) -> None:
        if self._crooked(start, size):
            self.view[start : start + size] = bytes(size)
        else:
            self._lay(start, size, _READ_WRITE, _FRESH, -1, 0)

    def lay_shared(self, start: int, size: int) -> None:
        """Make a range zero bytes that stay shared with children of fork."""
        self._refuse_crooked(start, size)
        flags = mmap.MAP_SHARED | mmap.MAP_ANONYMOUS | _MAP_NORESERVE | _MAP_FIXED
        self._lay(start, size, _READ_WRITE, flags, -1, 0)

    def lay_file(self, start: int, size: int, fd: int, offset: int, *, shared: bool, writable: bool) -> None:
        """Lay a host file over a range; raises the host's OSError (ENODEV, EACCES, …)."""
        if self._crooked(start, size, offset) and not shared:
            self._copy_file(start, size, fd, offset)
            return
        self._refuse_crooked(start, size, offset)
        if self._guard is None:
            self._guard = Guard(self._replace_lost)
        kind = mmap.MAP_SHARED if shared else mmap.MAP_PRIVATE
        protection = mmap.PROT_READ | (mmap.PROT_WRITE if writable else 0)
        self._lay(start, size, protection, kind | _MAP_NORESERVE | _MAP_FIXED, fd, offset)

    def _replace_lost(self, address: int) -> bool:
        start = (address - self.first) // self.granule * self.granule
        if not 0 <= start < self.size:
            return False
        self._lay_fresh(start, self.granule)
        self.on_lost()
        return True

    def close(self) -> None:
        """Give the host's signals back."""
        if self._guard is not None:
            self._guard.close()
            self._guard = None

    def _copy_file(self, start: int, size: int, fd: int, offset: int) -> None:
        done = 0
        while done < size:
            count = os.preadv(fd, [self.view[start + done : start + size]], offset + done)
            if not count:
                break
            done += count
        self.view[start + done : start + size] = bytes(size - done)

    def _crooked(self, *numbers: int) -> bool:
        """Whether the host can't lay a mapping there, because its pages are larger."""
        return self.granule > PAGE and any(number % self.granule for number in numbers)

    def _refuse_crooked(self, *numbers: int) -> None:
        if self._crooked(*numbers):
            raise OSError(errno.ENODEV, "the host's pages are too large to share this range")

    def _lay(self, start: int, size: int, protection: int, flags: int, fd: int, offset: int) -> None:
        result = lib.mmap(self.pointer + start, size, protection, flags, fd, offset)
        self._check(int(ffi.cast("intptr_t", result)))

    def sync(self, start: int, size: int, flags: int) -> None:
        """msync(2) on a range; *flags* are the host's."""
        self._check(lib.msync(self.pointer + start, size, flags))

    def advise(self, start: int, size: int, advice: int) -> None:
        """madvise(2) on a range; *advice* is the host's."""
        self._check(lib.madvise(self.pointer + start, size, advice))

    def resident(self, start: int, size: int) -> bytes:
        """One byte per page, bit 0 set where the page is in core (mincore(2))."""
        vector = ffi.new("unsigned char[]", max(1, size // PAGE))
        self._check(lib.mincore(self.pointer + start, size, vector))
        return bytes(ffi.buffer(vector, size // PAGE))

    def shared_pages(self, start: int, size: int) -> int:
        """Pages in core that another process still shares since a fork; 0 where the host can't tell. From
        /proc/self/pagemap (Documentation/admin-guide/mm/pagemap.rst): present, not of a file, not mapped here alone."""
        if self.granule != PAGE:
            return 0
        try:
            with open("/proc/self/pagemap", "rb", buffering=0) as file:
                file.seek((self.first + start) // PAGE * 8)
                entries = file.read(size // PAGE * 8)
        except OSError:
            return 0
        return sum(entry & _SHARED_MASK == _PRESENT for (entry,) in _ENTRY.iter_unpack(entries[: len(entries) & ~7]))

    def _check(self, result: int) -> None:
        if result == -1:
            raise OSError(ffi.errno, os.strerror(ffi.errno))
