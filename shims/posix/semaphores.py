"""System V semaphores (semop(2), semctl(2)); the order of checks is ipc/sem.c's."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Mapping
from typing import Final

from compat.abi.flags import Constant, FlagSet
from compat.abi.handles import ArrayHandle, Pointer, ScalarCodec
from compat.abi.structs import Record
from shims.posix.ipc import Sleep, find_or_make, ipc_of, new_entry, now
from shims.posix.ipc_layouts import changed_permissions, command, stamps
from shims.posix.ipc_state import Namespace, SemaphoreSet
from shims.posix.state import PosixThread

__all__ = ["operate", "semctl", "semget", "semop"]

_MOST_VALUE: Final = 32767  # SEMVMX and the other limits: include/uapi/linux/sem.h
_MOST_IN_SET: Final = 32000
_MOST_SETS: Final = 32000
_MOST_OPERATIONS: Final = 500
_LEAST_UNDO: Final = -32768
_READ, _ALTER = 4, 2


def semget(thread: PosixThread, key: int, count: int, flags: FlagSet) -> int:
    """semget(2)."""
    if not 0 <= count <= _MOST_IN_SET:
        raise OSError(errno.EINVAL, "number of semaphores")

    def check(found: SemaphoreSet) -> None:
        if count > len(found.values):
            raise OSError(errno.EINVAL, "the set is smaller")

    def make(state: Namespace) -> int:
        if count == 0:
            raise OSError(errno.EINVAL, "no semaphore")
        entry = new_entry(thread, SemaphoreSet, key, flags.value)
        entry.values, entry.pids = [0] * count, [0] * count
        return state.add(entry, _MOST_SETS)

    return find_or_make(thread, SemaphoreSet, key, flags, check=check, make=make)


def semop(thread: PosixThread, id: int, ops: ArrayHandle[Record], count: int) -> None:
    """semop(2)."""
    operate(thread, id, ops, None)


class Operation:
    """One struct sembuf."""

    def __init__(self, thread: PosixThread, record: Record) -> None:
        self.index = record.int("num")
        self.change = record.int("op")
        flags = thread.abi.flags("SemFlags").decode(record.int("flg") & 0xFFFF)
        self.waits = "IPC_NOWAIT" not in flags
        self.undone = "SEM_UNDO" in flags


def operate(thread: PosixThread, id: int, ops: ArrayHandle[Record], seconds: float | None) -> None:
    """Do all operations at once, or wait until that is possible; EAGAIN after *seconds*.

    Raises OSError: EINVAL, E2BIG, EFBIG, EACCES, ERANGE, EAGAIN, EIDRM; Interrupted.
    """
    if ops.count < 1 or id < 0:
        raise OSError(errno.EINVAL, "no operation")
    if ops.count > _MOST_OPERATIONS:
        raise OSError(errno.E2BIG, "operations")
    wanted = [Operation(thread, record) for record in ops.read()]
    ipc, waited = ipc_of(thread), thread.resume
    until = waited.until if isinstance(waited, Sleep) else None if seconds is None else time.monotonic() + seconds
    with ipc.open() as state:
        if isinstance(waited, Sleep) and id not in state.all(SemaphoreSet):
            raise OSError(errno.EIDRM, "removed while waiting")
        entry = state.get(SemaphoreSet, id)
        if max(each.index for each in wanted) >= len(entry.values):
            raise OSError(errno.EFBIG, "index")
        entry.check(thread.process.credentials, _ALTER if any(each.change for each in wanted) else _READ)
        blocked = _try(entry, wanted, thread.process.pid)
        if blocked is None:
            ipc.leave(thread, entry)
            ipc.wake(entry)
            return
        if not blocked.waits or (until is not None and time.monotonic() >= until):
            ipc.leave(thread, entry)
            raise OSError(errno.EAGAIN, "would wait")
        ipc.wait(thread, entry, (blocked.index, blocked.change == 0), until, "never")


def _try(entry: SemaphoreSet, wanted: list[Operation], pid: int) -> Operation | None:
    """Change the set, or tell which operation has to wait; raises OSError(ERANGE)."""
    values = list(entry.values)
    undo = list(entry.undo.get(pid, ())) or [0] * len(values)
    for each in wanted:
        value = values[each.index] + each.change
        if value < 0 or (each.change == 0 and value):
            return each
        if value > _MOST_VALUE:
            raise OSError(errno.ERANGE, "value")
        values[each.index] = value
        if each.undone:
            undo[each.index] -= each.change
            if not _LEAST_UNDO <= undo[each.index] <= _MOST_VALUE:
                raise OSError(errno.ERANGE, "undo value")
    entry.values, entry.operated = values, now()
    for each in wanted:
        entry.pids[each.index] = pid
    if any(each.undone for each in wanted):
        entry.undo[pid] = undo
    return None


# --- semctl ---


def semctl(thread: PosixThread, id: int, index: int, cmd: Constant, arg: int) -> int:
    """semctl(2); *arg* is union semun as a word."""
    what = command(thread, "SemCmd", cmd)
    if (what not in _COMMANDS and what not in _STATS) or id < 0:
        raise OSError(errno.EINVAL, "cmd or id")
    ipc = ipc_of(thread)
    with ipc.open() as state:
        if what in _STATS:
            result, found = state.seen(SemaphoreSet, id, what, thread.process.credentials)
            _write(thread, arg, found)
            return result
        return _COMMANDS[what](thread, state, id, index, arg) or 0


def _write(thread: PosixThread, arg: int, entry: SemaphoreSet) -> None:
    layout = thread.abi.layout("SemidDs")
    times = stamps(thread, layout, otime=entry.operated, ctime=entry.changed)
    thread.memory.write(arg, layout.pack({**entry.permissions(), **times, "nsems": len(entry.values)}))


def _set(thread: PosixThread, state: Namespace, id: int, index: int, arg: int) -> None:
    """IPC_SET."""
    given = Pointer[Record](thread.memory, arg, thread.abi.layout("SemidDs")).read()
    changed_permissions(thread, state.get(SemaphoreSet, id), given)


def _remove(thread: PosixThread, state: Namespace, id: int, index: int, arg: int) -> None:
    """IPC_RMID."""
    entry = state.get(SemaphoreSet, id)
    entry.check_owner(thread.process.credentials)
    del state.all(SemaphoreSet)[id]
    ipc_of(thread).wake(entry)


def _one(thread: PosixThread, state: Namespace, id: int, index: int, mode: int = _READ) -> SemaphoreSet:
    entry = state.get(SemaphoreSet, id)
    entry.check(thread.process.credentials, mode)
    if not 0 <= index < len(entry.values):
        raise OSError(errno.EINVAL, "index")
    return entry


def _value(thread: PosixThread, state: Namespace, id: int, index: int, arg: int) -> int:
    return _one(thread, state, id, index).values[index]


def _pid(thread: PosixThread, state: Namespace, id: int, index: int, arg: int) -> int:
    return _one(thread, state, id, index).pids[index]


def _waiting(thread: PosixThread, state: Namespace, id: int, index: int, arg: int) -> int:
    """GETNCNT: who waits for a larger value."""
    return sum(note == (index, False) for note in _one(thread, state, id, index).waiting.values())


def _waiting_for_zero(thread: PosixThread, state: Namespace, id: int, index: int, arg: int) -> int:
    """GETZCNT."""
    return sum(note == (index, True) for note in _one(thread, state, id, index).waiting.values())


def _set_value(thread: PosixThread, state: Namespace, id: int, index: int, arg: int) -> None:
    """SETVAL: an int in a union of words lies in the upper half on big-endian 64-bit CPUs."""
    cpu = thread.abi.cpu
    value = arg >> 32 if cpu.bits == 64 and cpu.endian == "big" else arg & 0xFFFFFFFF
    if value > _MOST_VALUE:
        raise OSError(errno.ERANGE, "value")
    _store(thread, _one(thread, state, id, index, _ALTER), {index: value})


def _values(thread: PosixThread, state: Namespace, id: int, index: int, arg: int) -> None:
    """GETALL."""
    entry = _one(thread, state, id, 0)
    _shorts(thread, arg, len(entry.values)).write(entry.values)


def _shorts(thread: PosixThread, address: int, count: int) -> ArrayHandle[int]:
    return ArrayHandle(thread.memory, address, ScalarCodec(2, thread.abi.cpu.endian, signed=False), count)


def _set_values(thread: PosixThread, state: Namespace, id: int, index: int, arg: int) -> None:
    """SETALL."""
    entry = _one(thread, state, id, 0, _ALTER)
    values = _shorts(thread, arg, len(entry.values)).read()
    if max(values) > _MOST_VALUE:
        raise OSError(errno.ERANGE, "value")
    _store(thread, entry, dict(enumerate(values)))


def _store(thread: PosixThread, entry: SemaphoreSet, values: Mapping[int, int]) -> None:
    """Setting a value forgets what processes would undo to it."""
    for index, value in values.items():
        entry.values[index], entry.pids[index] = value, thread.process.pid
        for undo in entry.undo.values():
            undo[index] = 0
    entry.changed = now()
    ipc_of(thread).wake(entry)


def _info(thread: PosixThread, state: Namespace, id: int, index: int, arg: int) -> int:
    """IPC_INFO."""
    return _tell(thread, state, arg, 20, _MOST_VALUE)


def _usage(thread: PosixThread, state: Namespace, id: int, index: int, arg: int) -> int:
    """SEM_INFO: how many sets and semaphores there are."""
    sets = state.all(SemaphoreSet).values()
    return _tell(thread, state, arg, len(sets), sum(len(each.values) for each in sets))


def _tell(thread: PosixThread, state: Namespace, arg: int, usz: int, aem: int) -> int:
    total = _MOST_SETS * _MOST_IN_SET
    limits = {"map": total, "mni": _MOST_SETS, "mns": total, "mnu": total, "msl": _MOST_IN_SET}
    more = {"opm": _MOST_OPERATIONS, "ume": _MOST_OPERATIONS, "usz": usz, "vmx": _MOST_VALUE, "aem": aem}
    thread.memory.write(arg, thread.abi.layout("Seminfo").pack({**limits, **more}))
    return state.highest(SemaphoreSet)


_STATS: Final = ("IPC_STAT", "SEM_STAT", "SEM_STAT_ANY")

_COMMANDS: Final[Mapping[str, Callable[[PosixThread, Namespace, int, int, int], int | None]]] = {
    "IPC_SET": _set, "IPC_RMID": _remove, "IPC_INFO": _info,
    "SEM_INFO": _usage,
    "GETVAL": _value, "GETPID": _pid, "GETNCNT": _waiting, "GETZCNT": _waiting_for_zero,
    "SETVAL": _set_value, "GETALL": _values, "SETALL": _set_values,
}  # fmt: skip
