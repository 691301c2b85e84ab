"""madvise: advice that changes what the guest sees is followed, a hint is accepted where Linux would accept it."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Final

from compat.abi.flags import Constant
from compat.host.memory import MADV_REMOVE
from compat.memory import PAGE, Area, Mark
from compat.memory.access import Accessor
from shims.posix.state import PosixProcess, PosixThread

__all__ = ["madvise"]

Follow = Callable[[PosixProcess, Area, int, int], None]
"""(process, area, start, end): follow the advice for the part of *area* from *start* to *end*."""


def madvise(thread: PosixThread, addr: int, length: int, advice: Constant) -> None:
    """madvise(2).

    Raises:
        OSError: EINVAL for unknown advice, or one that an area in the range can't take; ENOMEM for a hole, once all
        that is mapped has been served; what the host says to MADV_REMOVE.
    """
    if advice in _PRIVILEGED:
        raise OSError(errno.EPERM, f"{advice} takes a capability")
    follow = _ADVICE.get(advice)
    size = -(-length // PAGE) * PAGE
    if follow is None or addr % PAGE or addr + size > 1 << thread.abi.cpu.bits:
        raise OSError(errno.EINVAL, "advice, or a range beyond all addresses")
    end = addr + size
    for area in thread.memory.areas.between(addr, end):
        follow(thread.process, area, max(addr, area.start), min(end, area.end))
    if not thread.memory.areas.covers(addr, end):
        raise OSError(errno.ENOMEM, "hole in the range")


def _accept(process: PosixProcess, area: Area, start: int, end: int) -> None:
    """A hint: nothing to do."""


def _check_unlocked(area: Area) -> None:
    if area.marks & Mark.LOCKED:
        raise OSError(errno.EINVAL, "locked memory")


def _accept_unlocked(process: PosixProcess, area: Area, start: int, end: int) -> None:
    _check_unlocked(area)


def _discard(process: PosixProcess, area: Area, start: int, end: int) -> None:
    process.memory.discard(start, end - start)


def _discard_unlocked(process: PosixProcess, area: Area, start: int, end: int) -> None:
    _check_unlocked(area)
    _discard(process, area, start, end)


def _free(process: PosixProcess, area: Area, start: int, end: int) -> None:
    """Linux frees such pages when it needs them; here that is at once."""
    _check_unlocked(area)
    _check_plain(area)
    _discard(process, area, start, end)


def _check_plain(area: Area) -> None:
    if area.shared or area.backing is not None:
        raise OSError(errno.EINVAL, "not private memory of its own")


def _remove(process: PosixProcess, area: Area, start: int, end: int) -> None:
    """Punch a hole into what is shared: madvise_remove() of mm/madvise.c."""
    _check_unlocked(area)
    if area.backing is None and not area.shared:
        raise OSError(errno.EINVAL, "no file")
    if not area.shared or not area.protection & 2:
        raise OSError(errno.EACCES, "not shared and writable")
    if MADV_REMOVE is None or area.frame is None:
        raise OSError(errno.EINVAL, "the host can't punch holes")
    process.memory.ram.advise(area.frame + start - area.start, end - start, MADV_REMOVE)
    process.memory.outdate(start, end - start)


def _mark(*, add: int = 0, remove: int = 0) -> Follow:
    def follow(process: PosixProcess, area: Area, start: int, end: int) -> None:
        process.memory.mark(start, end - start, add=add, remove=remove)

    return follow


def _wipe_on_fork(process: PosixProcess, area: Area, start: int, end: int) -> None:
    _check_plain(area)
    process.memory.mark(start, end - start, add=Mark.WIPED_BY_FORK)


def _populate(right: int) -> Follow:
    def follow(process: PosixProcess, area: Area, start: int, end: int) -> None:
        if not Accessor.allowed(area) & right:
            raise OSError(errno.EINVAL, "a right is missing")
        if area.backing is not None and not area.backing.reaches(area.offset + end - area.start - PAGE):
            raise OSError(errno.EFAULT, "beyond the end of the file")

    return follow


_PRIVILEGED: Final = frozenset({"MADV_HWPOISON", "MADV_SOFT_OFFLINE"})
_ADVICE: Final[dict[str, Follow]] = {
    "MADV_NORMAL": _accept,
    "MADV_RANDOM": _accept,
    "MADV_SEQUENTIAL": _accept,
    "MADV_WILLNEED": _accept,
    "MADV_DONTNEED": _discard_unlocked,
    "MADV_DONTNEED_LOCKED": _discard,
    "MADV_FREE": _free,
    "MADV_REMOVE": _remove,
    "MADV_DONTFORK": _mark(add=Mark.NOT_FORKED),
    "MADV_DOFORK": _mark(remove=Mark.NOT_FORKED),
    "MADV_MERGEABLE": _accept,
    "MADV_UNMERGEABLE": _accept,
    "MADV_HUGEPAGE": _accept,
    "MADV_NOHUGEPAGE": _accept,
    "MADV_DONTDUMP": _mark(add=Mark.NOT_DUMPED),
    "MADV_DODUMP": _mark(remove=Mark.NOT_DUMPED),
    "MADV_WIPEONFORK": _wipe_on_fork,
    "MADV_KEEPONFORK": _mark(remove=Mark.WIPED_BY_FORK),
    "MADV_COLD": _accept_unlocked,
    "MADV_PAGEOUT": _accept_unlocked,
    "MADV_POPULATE_READ": _populate(1),
    "MADV_POPULATE_WRITE": _populate(2),
}
