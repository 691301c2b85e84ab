"""The address space: mapping, protecting, locking, making durable. Error numbers follow Linux's mm/."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from compat.abi.flags import FlagSet
from compat.host.memory import MS_ASYNC, MS_INVALIDATE, MS_SYNC
from compat.memory import PAGE, Area, Mark
from shims.posix.advice import madvise
from shims.posix.mapping import Request, check_locked, host_protection, limit, locked, map_request, rounded
from shims.posix.state import PosixProcess, PosixThread

__all__ = [
    "lock",
    "madvise",
    "mincore",
    "mlock",
    "mlockall",
    "mmap",
    "mprotect",
    "msync",
    "munlock",
    "munlockall",
    "munmap",
]

_KNOWN_RIGHTS = frozenset({"PROT_NONE", "PROT_READ", "PROT_WRITE", "PROT_EXEC", "PROT_SEM"})
_VECTOR = 4096  # pages that mincore tells at a time


def mmap(thread: PosixThread, addr: int, length: int, prot: FlagSet, flags: FlagSet, fd: int, offset: int) -> int:
    """mmap(2): *offset* in bytes."""
    offset &= thread.abi.cpu.mask
    if offset % PAGE:
        raise OSError(errno.EINVAL, "offset not on a page")
    return map_request(thread, Request(addr, length, prot, flags, fd, offset))


def munmap(thread: PosixThread, addr: int, length: int) -> None:
    """munmap(2)."""
    top = thread.memory.top
    if addr % PAGE or length == 0 or addr > top or length > top - addr:
        raise OSError(errno.EINVAL, "range")
    thread.memory.unmap(addr, length)


def mprotect(thread: PosixThread, addr: int, length: int, prot: FlagSet) -> None:
    """mprotect(2); PROT_GROWSDOWN takes in the rest of a growing stack below *addr*."""
    grows = prot & {"PROT_GROWSDOWN", "PROT_GROWSUP"}
    if len(grows) == 2 or addr % PAGE:
        raise OSError(errno.EINVAL, "address not on a page")
    if length == 0:
        return
    _check_end(thread.process, addr, length)
    if prot.unknown or not prot - grows <= _KNOWN_RIGHTS:
        raise OSError(errno.EINVAL, "protection")
    if grows:
        addr, length = _grown(thread.process, addr, length, "PROT_GROWSDOWN" in grows)
    thread.memory.protect(addr, rounded(length), host_protection(thread.process, prot))


def _grown(process: PosixProcess, address: int, length: int, down: bool) -> tuple[int, int]:
    area = process.memory.areas.find(address)
    if area is None:
        raise OSError(errno.ENOMEM, "nothing mapped")
    if not (down and (area.marks & Mark.GROWS_DOWN or area.name == b"[stack]")):
        raise OSError(errno.EINVAL, "no growing stack")
    return area.start, address + length - area.start


def _check_end(process: PosixProcess, address: int, length: int) -> None:
    if address + rounded(length) > 1 << process.abi.cpu.bits:
        raise OSError(errno.ENOMEM, "range beyond all addresses")


# --- files and residence ---


def msync(thread: PosixThread, addr: int, length: int, flags: FlagSet) -> None:
    """msync(2)."""
    if flags.unknown or addr % PAGE or {"MS_ASYNC", "MS_SYNC"} <= flags:
        raise OSError(errno.EINVAL, "flags or address")
    _check_end(thread.process, addr, length)
    memory = thread.memory
    how = MS_SYNC if "MS_SYNC" in flags else MS_ASYNC
    how |= MS_INVALIDATE if "MS_INVALIDATE" in flags else 0
    end = addr + rounded(length)
    for area, start, stop in parts(thread.process, addr, end):
        if "MS_INVALIDATE" in flags and area.marks & Mark.LOCKED:
            raise OSError(errno.EBUSY, "locked")
        if area.shared and area.backing is not None and area.frame is not None:
            memory.ram.sync(area.frame + start - area.start, stop - start, how)
    _check_whole(thread.process, addr, end)


def mincore(thread: PosixThread, addr: int, length: int, pages: int) -> None:
    """mincore(2): what the host has in core. *pages* is where one byte per page goes."""
    if addr % PAGE:
        raise OSError(errno.EINVAL, "address not on a page")
    end = addr + rounded(length)
    if end > thread.memory.top or not thread.memory.areas.covers(addr, end):
        raise OSError(errno.ENOMEM, "hole in the range")
    for area, start, stop in parts(thread.process, addr, end):
        for at in range(start, stop, _VECTOR * PAGE):
            size = min(stop - at, _VECTOR * PAGE)
            vector = bytes(size // PAGE)
            if area.frame is not None:
                vector = thread.memory.ram.resident(area.frame + at - area.start, size)
            thread.memory.write(pages + (at - addr) // PAGE, vector)


def parts(process: PosixProcess, start: int, end: int) -> Iterator[tuple[Area, int, int]]:
    """The areas that touch [start, end), each with the part of it that does."""
    for area in process.memory.areas.between(start, end):
        yield area, max(start, area.start), min(end, area.end)


def _check_whole(process: PosixProcess, start: int, end: int) -> None:
    if not process.memory.areas.covers(start, end):
        raise OSError(errno.ENOMEM, "hole in the range")


# --- locking: the host's pages are not pinned, so only the books are kept ---


def mlock(thread: PosixThread, addr: int, length: int) -> None:
    """mlock(2)."""
    lock(thread, addr, length)


def lock(thread: PosixThread, address: int, length: int) -> None:
    """Mark the pages of a range locked.

    Raises:
        OSError: EPERM where nothing may be locked, ENOMEM above the limit, for a hole or a page without rights.
    """
    process, start = thread.process, address // PAGE * PAGE
    size = rounded(address + length - start)
    if limit(process, "RLIMIT_MEMLOCK") == 0:
        raise OSError(errno.EPERM, "RLIMIT_MEMLOCK is 0")
    end = start + size
    if end > 1 << process.abi.cpu.bits:
        raise OSError(errno.EINVAL, "range beyond all addresses")
    already = sum(b - a for area, a, b in parts(process, start, end) if area.marks & Mark.LOCKED)
    check_locked(process, size - already, errno.ENOMEM)
    thread.memory.mark(start, size, add=Mark.LOCKED)
    if any(not area.protection for area, _, _ in parts(process, start, end)):
        raise OSError(errno.ENOMEM, "a page that can't be read")


def munlock(thread: PosixThread, addr: int, length: int) -> None:
    """munlock(2)."""
    start = addr // PAGE * PAGE
    end = addr + rounded(addr + length - start)
    if end > 1 << thread.abi.cpu.bits:
        raise OSError(errno.EINVAL, "range beyond all addresses")
    thread.memory.mark(start, addr + length - start, remove=Mark.LOCKED)


def mlockall(thread: PosixThread, flags: FlagSet) -> None:
    """mlockall(2)."""
    process = thread.process
    if flags.unknown or flags <= {"MCL_ONFAULT"}:
        raise OSError(errno.EINVAL, "flags")
    most = limit(process, "RLIMIT_MEMLOCK")
    if most == 0:
        raise OSError(errno.EPERM, "RLIMIT_MEMLOCK is 0")
    if "MCL_CURRENT" in flags and thread.memory.mapped > most:
        raise OSError(errno.ENOMEM, "RLIMIT_MEMLOCK")
    process.locks_future = "MCL_FUTURE" in flags
    if "MCL_CURRENT" in flags:
        _mark_all(process, add=Mark.LOCKED)


def munlockall(thread: PosixThread) -> None:
    """munlockall(2)."""
    thread.process.locks_future = False
    if locked(thread.process):
        _mark_all(thread.process, remove=Mark.LOCKED)


def _mark_all(process: PosixProcess, *, add: int = 0, remove: int = 0) -> None:
    for area in list(process.memory.areas):
        process.memory.mark(area.start, area.size, add=add, remove=remove)
