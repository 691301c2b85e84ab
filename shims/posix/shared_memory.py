"""System V shared memory (shmop(2), shmctl(2)): a segment is a file of the run's private folder, mapped shared."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from typing import Final

from compat.abi.flags import Constant, FlagSet
from compat.abi.handles import Pointer
from compat.abi.structs import Record
from compat.memory import PAGE, AddressSpace, Area, Backing
from shims.posix.ipc import find_or_make, ipc_of, new_entry, now
from shims.posix.ipc_layouts import changed_permissions, command, stamps
from shims.posix.ipc_state import PRIVATE, Namespace, Segment
from shims.posix.mapping import host_protection, rounded
from shims.posix.state import PosixThread

__all__ = ["attach", "mappings", "shmat", "shmctl", "shmdt", "shmget"]

_MOST_SEGMENTS: Final = 4096  # SHMMNI, include/uapi/linux/shm.h
_DOOMED: Final = 0o1000  # SHM_DEST
_LOCKED: Final = 0o2000
_READ, _WRITE, _EXECUTE = 4, 2, 1


class Attached(Backing):
    """The file under one attachment. *id* is the segment's."""

    def __init__(self, fd: int, id: int, key: int, *, writable: bool) -> None:
        super().__init__(fd, b"/SYSV%08x" % (key & 0xFFFFFFFF), writable=writable)
        self.id = id


def mappings(memory: AddressSpace) -> dict[int, int]:
    """How many pieces of each segment are mapped."""
    found: dict[int, int] = {}
    for area in memory.areas:
        if isinstance(area.backing, Attached):
            found[area.backing.id] = found.get(area.backing.id, 0) + 1
    return found


def shmget(thread: PosixThread, key: int, size: int, flags: FlagSet) -> int:
    """shmget(2). Raises OSError: EINVAL, EEXIST, ENOENT, EACCES, ENOSPC, ENOMEM."""
    process = thread.process

    def check(found: Segment) -> None:
        if found.size < size:
            raise OSError(errno.EINVAL, "the segment is smaller")

    def make(state: Namespace) -> int:
        most = min(thread.memory.top, process.options.memory or thread.memory.top)
        if not 0 < size <= most or "SHM_HUGETLB" in flags:
            raise OSError(errno.EINVAL if not size else errno.ENOMEM, "size")
        entry = new_entry(thread, Segment, key, flags.value)
        entry.size, entry.maker = size, process.pid
        id = state.add(entry, _MOST_SEGMENTS)
        ipc_of(thread).make_segment(id, rounded(size))
        return id

    return find_or_make(thread, Segment, key, flags, check=check, make=make)


def shmat(thread: PosixThread, id: int, addr: int, flags: FlagSet) -> int:
    """shmat(2). Raises OSError: EINVAL, EACCES, ENOMEM."""
    return attach(thread, id, addr, flags)


def attach(thread: PosixThread, id: int, addr: int, flags: FlagSet) -> int:
    """Map the segment *id*; returns the address."""
    if "SHM_RND" in flags:
        addr = addr // PAGE * PAGE
    if addr % PAGE or ("SHM_REMAP" in flags and not addr) or id < 0:
        raise OSError(errno.EINVAL, "address")
    writable = "SHM_RDONLY" not in flags
    rights = ["PROT_READ", *["PROT_WRITE"] * writable, *["PROT_EXEC"] * ("SHM_EXEC" in flags)]
    ipc = ipc_of(thread)
    with ipc.open() as state:
        entry = state.get(Segment, id)
        needed = _READ | (_WRITE if writable else 0) | (_EXECUTE if "SHM_EXEC" in flags else 0)
        entry.check(thread.process.credentials, needed)
        backing = Attached(ipc.open_segment(id, writable=writable), id, entry.key, writable=writable)
        protection = host_protection(thread.process, rights)
        address = _map(thread, addr, entry.size, protection, backing, replace="SHM_REMAP" in flags)
        ipc.count(state)
        entry.attached_at, entry.last = now(), thread.process.pid
    return address


def _map(thread: PosixThread, addr: int, size: int, protection: int, backing: Backing, *, replace: bool) -> int:
    try:
        return thread.memory.map(
            size, protection, address=addr, fixed=bool(addr), replace=replace, shared=True, backing=backing
        )
    except FileExistsError:
        raise OSError(errno.EINVAL, "range taken") from None


def shmdt(thread: PosixThread, addr: int) -> None:
    """shmdt(2): what is left of the attachment that began at *addr*. Raises OSError(EINVAL) if there is none."""
    pieces = [area for area in thread.memory.areas if _belongs(area, addr)]
    if addr % PAGE or not pieces:
        raise OSError(errno.EINVAL, "nothing attached there")
    first = pieces[0].backing
    for area in pieces:
        if area.backing is first:
            thread.memory.unmap(area.start, area.size)
    ipc_of(thread).recount()


def _belongs(area: Area, address: int) -> bool:
    return isinstance(area.backing, Attached) and area.start - area.offset == address


# --- shmctl ---


def shmctl(thread: PosixThread, id: int, cmd: Constant, buf: int) -> int:
    """shmctl(2)."""
    what = command(thread, "ShmCmd", cmd)
    if (what not in _COMMANDS and what not in _STATS) or id < 0:
        raise OSError(errno.EINVAL, "cmd or id")
    ipc = ipc_of(thread)
    with ipc.open() as state:
        ipc.count(state)
        if what in _STATS:
            result, found = state.seen(Segment, id, what, thread.process.credentials)
            _write(thread, buf, found)
            return result
        return _COMMANDS[what](thread, state, id, buf) or 0


def _write(thread: PosixThread, buf: int, entry: Segment) -> None:
    layout = thread.abi.layout("ShmidDs")
    times = stamps(thread, layout, atime=entry.attached_at, dtime=entry.detached_at, ctime=entry.changed)
    rest = {"segsz": entry.size, "cpid": entry.maker, "lpid": entry.last, "nattch": sum(entry.attached.values())}
    thread.memory.write(buf, layout.pack({**entry.permissions(), **times, **rest}))


def _set(thread: PosixThread, state: Namespace, id: int, buf: int) -> None:
    """IPC_SET."""
    given = Pointer[Record](thread.memory, buf, thread.abi.layout("ShmidDs")).read()
    changed_permissions(thread, state.get(Segment, id), given)


def _remove(thread: PosixThread, state: Namespace, id: int, buf: int) -> None:
    """IPC_RMID: at once, or when the last process has let go; nobody finds it by its key any more."""
    entry = state.get(Segment, id)
    entry.check_owner(thread.process.credentials)
    entry.doomed, entry.key, entry.mode = True, PRIVATE, entry.mode | _DOOMED
    ipc_of(thread).sweep(state)


def _lock(thread: PosixThread, state: Namespace, id: int, buf: int) -> None:
    """SHM_LOCK: noted; the host decides what of its files stays in memory."""
    entry = state.get(Segment, id)
    entry.check_owner(thread.process.credentials)
    entry.mode |= _LOCKED


def _unlock(thread: PosixThread, state: Namespace, id: int, buf: int) -> None:
    """SHM_UNLOCK."""
    entry = state.get(Segment, id)
    entry.check_owner(thread.process.credentials)
    entry.mode &= ~_LOCKED


def _info(thread: PosixThread, state: Namespace, id: int, buf: int) -> int:
    """IPC_INFO."""
    most = thread.abi.cpu.mask - (1 << 24)  # SHMMAX and SHMALL: ULONG_MAX - (1UL << 24)
    limits = {"max": most, "min": 1, "mni": _MOST_SEGMENTS, "seg": _MOST_SEGMENTS, "all": most}
    thread.memory.write(buf, thread.abi.layout("Shminfo").pack(limits))
    return state.highest(Segment)


def _usage(thread: PosixThread, state: Namespace, id: int, buf: int) -> int:
    """SHM_INFO: how many segments and pages there are."""
    segments = state.all(Segment).values()
    pages = sum(rounded(each.size) // PAGE for each in segments)
    used = {"used_ids": len(segments), "tot": pages, "rss": pages}
    thread.memory.write(buf, thread.abi.layout("ShmInfo").pack(used))
    return state.highest(Segment)


_STATS: Final = ("IPC_STAT", "SHM_STAT", "SHM_STAT_ANY")

_COMMANDS: Final[Mapping[str, Callable[[PosixThread, Namespace, int, int], int | None]]] = {
    "IPC_SET": _set, "IPC_RMID": _remove, "IPC_INFO": _info,
    "SHM_INFO": _usage,
    "SHM_LOCK": _lock, "SHM_UNLOCK": _unlock,
}  # fmt: skip
