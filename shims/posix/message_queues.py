"""System V message queues (msgop(2), msgctl(2)); the order of checks is ipc/msg.c's."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from typing import Final

from compat.abi.flags import Constant, FlagSet
from compat.abi.handles import Pointer, ScalarCodec
from compat.abi.structs import Record
from shims.posix.ipc import Sleep, find_or_make, ipc_of, new_entry, now
from shims.posix.ipc_layouts import changed_permissions, command, stamps
from shims.posix.ipc_state import Namespace, Queue
from shims.posix.state import PosixThread

__all__ = ["msgctl", "msgget", "msgrcv", "msgsnd"]

_LONGEST: Final = 8192  # MSGMAX and the other limits: include/uapi/linux/msg.h
_MOST_BYTES: Final = 16384
_MOST_QUEUES: Final = 32000
_READ, _WRITE = 4, 2


def msgget(thread: PosixThread, key: int, flags: FlagSet) -> int:
    """msgget(2)."""

    def make(state: Namespace) -> int:
        return state.add(new_entry(thread, Queue, key, flags.value), _MOST_QUEUES)

    return find_or_make(thread, Queue, key, flags, check=lambda found: None, make=make)


def _queue(thread: PosixThread, state: Namespace, id: int, mode: int) -> Queue:
    """The queue *id*; EIDRM where it went while the call waited."""
    if isinstance(thread.resume, Sleep) and id not in state.all(Queue):
        raise OSError(errno.EIDRM, "removed while waiting")
    entry = state.get(Queue, id)
    entry.check(thread.process.credentials, mode)
    return entry


def msgsnd(thread: PosixThread, id: int, message: int, size: int, flags: FlagSet) -> None:
    """msgsnd(2). Raises OSError: EINVAL, EACCES, EAGAIN, EIDRM; Interrupted."""
    head = _head(thread)
    kind = head.unpack(thread.memory.read(message, head.size))
    if size > _LONGEST or id < 0 or kind < 1:
        raise OSError(errno.EINVAL, "size, id or type")
    text = thread.memory.read(message + head.size, size)
    ipc = ipc_of(thread)
    with ipc.open() as state:
        queue = _queue(thread, state, id, _WRITE)
        if _bytes(queue) + size > queue.limit or len(queue.messages) + 1 > queue.limit:
            if "IPC_NOWAIT" in flags:
                raise OSError(errno.EAGAIN, "full")
            ipc.wait(thread, queue, "send", None, "no_handler")
        ipc.leave(thread, queue)
        queue.messages.append((kind, text))
        queue.sender, queue.sent = thread.process.pid, now()
        ipc.wake(queue)


def _head(thread: PosixThread) -> ScalarCodec:
    """The type before the text of a message."""
    return ScalarCodec(thread.abi.cpu.word, thread.abi.cpu.endian, signed=True)


def _bytes(queue: Queue) -> int:
    return sum(len(text) for _, text in queue.messages)


def msgrcv(thread: PosixThread, id: int, message: int, size: int, type: int, flags: FlagSet) -> int:
    """msgrcv(2). Raises OSError: EINVAL, EACCES, E2BIG, ENOMSG, EIDRM; Interrupted."""
    if id < 0 or size >> (thread.abi.cpu.bits - 1):
        raise OSError(errno.EINVAL, "id or size")
    if "MSG_COPY" in flags:
        return _copy(thread, id, message, size, type, flags)
    ipc = ipc_of(thread)
    with ipc.open() as state:
        queue = _queue(thread, state, id, _READ)
        place = _choose(queue, type, other="MSG_EXCEPT" in flags)
        if place is None:
            if "IPC_NOWAIT" in flags:
                raise OSError(errno.ENOMSG, "no such message")
            ipc.wait(thread, queue, "receive", None, "no_handler")
        kind, text = queue.messages[place]
        if len(text) > size and "MSG_NOERROR" not in flags:
            raise OSError(errno.E2BIG, "message")
        ipc.leave(thread, queue)
        del queue.messages[place]
        queue.receiver, queue.received = thread.process.pid, now()
        ipc.wake(queue)
    text = text[:size]
    thread.memory.write(message, _head(thread).pack(kind) + text)
    return len(text)


def _copy(thread: PosixThread, id: int, message: int, size: int, place: int, flags: FlagSet) -> int:
    """MSG_COPY: the message at *place* stays in the queue. Raises OSError: EINVAL, EACCES, E2BIG, ENOMSG."""
    if "MSG_EXCEPT" in flags or "IPC_NOWAIT" not in flags:
        raise OSError(errno.EINVAL, "flags beside MSG_COPY")
    with ipc_of(thread).open() as state:
        messages = _queue(thread, state, id, _READ).messages
    if not 0 <= place < len(messages):
        raise OSError(errno.ENOMSG, "no such message")
    kind, text = messages[place]
    if len(text) > size:
        raise OSError(errno.EINVAL if "MSG_NOERROR" in flags else errno.E2BIG, "message")
    thread.memory.write(message, _head(thread).pack(kind) + text)
    return len(text)


def _choose(queue: Queue, wanted: int, *, other: bool) -> int | None:
    """Where in the queue the message is that *wanted* asks for: any for 0, the first of a type, or of the lowest type
    up to -*wanted*; with *other* the first of another type."""
    kinds = [kind for kind, _ in queue.messages]
    if wanted < 0:
        lowest = min((kind for kind in kinds if kind <= -wanted), default=None)
        return None if lowest is None else kinds.index(lowest)
    fits = (place for place, kind in enumerate(kinds) if wanted == 0 or (kind == wanted) != other)
    return next(fits, None)


# --- msgctl ---


def msgctl(thread: PosixThread, id: int, cmd: Constant, buf: int) -> int:
    """msgctl(2)."""
    what = command(thread, "MsgCmd", cmd)
    if (what not in _COMMANDS and what not in _STATS) or id < 0:
        raise OSError(errno.EINVAL, "cmd or id")
    with ipc_of(thread).open() as state:
        if what in _STATS:
            result, found = state.seen(Queue, id, what, thread.process.credentials)
            _write(thread, buf, found)
            return result
        return _COMMANDS[what](thread, state, id, buf) or 0


def _write(thread: PosixThread, buf: int, queue: Queue) -> None:
    layout = thread.abi.layout("MsqidDs")
    times = stamps(thread, layout, stime=queue.sent, rtime=queue.received, ctime=queue.changed)
    counts = {"cbytes": _bytes(queue), "qnum": len(queue.messages), "qbytes": queue.limit}
    who = {"lspid": queue.sender, "lrpid": queue.receiver}
    thread.memory.write(buf, layout.pack({**queue.permissions(), **times, **counts, **who}))


def _set(thread: PosixThread, state: Namespace, id: int, buf: int) -> None:
    """IPC_SET. Raises OSError: EPERM for another owner, or for a limit that takes CAP_SYS_RESOURCE."""
    given = Pointer[Record](thread.memory, buf, thread.abi.layout("MsqidDs")).read()
    queue, limit = state.get(Queue, id), given.int("qbytes")
    queue.check_owner(thread.process.credentials)
    if limit > _MOST_BYTES:
        raise OSError(errno.EPERM, "qbytes")
    changed_permissions(thread, queue, given)
    queue.limit = limit
    ipc_of(thread).wake(queue)


def _remove(thread: PosixThread, state: Namespace, id: int, buf: int) -> None:
    """IPC_RMID."""
    queue = state.get(Queue, id)
    queue.check_owner(thread.process.credentials)
    del state.all(Queue)[id]
    ipc_of(thread).wake(queue)


def _info(thread: PosixThread, state: Namespace, id: int, buf: int) -> int:
    """IPC_INFO."""
    _tell(thread, buf, _MOST_QUEUES * _MOST_BYTES // 1024, _MOST_BYTES, _MOST_BYTES)
    return state.highest(Queue)


def _usage(thread: PosixThread, state: Namespace, id: int, buf: int) -> int:
    """MSG_INFO: how many queues, messages and bytes there are."""
    queues = state.all(Queue).values()
    _tell(thread, buf, len(queues), sum(len(each.messages) for each in queues), sum(map(_bytes, queues)))
    return state.highest(Queue)


def _tell(thread: PosixThread, buf: int, pool: int, map: int, tql: int) -> None:
    limits = {"max": _LONGEST, "mnb": _MOST_BYTES, "mni": _MOST_QUEUES, "ssz": 16, "seg": 0xFFFF}
    thread.memory.write(buf, thread.abi.layout("Msginfo").pack({"pool": pool, "map": map, "tql": tql, **limits}))


_STATS: Final = ("IPC_STAT", "MSG_STAT", "MSG_STAT_ANY")

_COMMANDS: Final[Mapping[str, Callable[[PosixThread, Namespace, int, int], int | None]]] = {
    "IPC_SET": _set, "IPC_RMID": _remove, "IPC_INFO": _info,
    "MSG_INFO": _usage,
}  # fmt: skip
