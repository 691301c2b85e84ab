"""Futexes: threads of one process wait for each other in queues by address.

Between processes there is no common queue: who waits on a word in shared memory looks at it again every `_LOOK_AGAIN`
seconds, and takes a changed word for a wake-up.
"""

from __future__ import annotations

import errno
import time
from collections import deque
from typing import NoReturn

from compat.abi.flags import FlagSet
from compat.abi.handles import Pointer, ScalarCodec
from compat.abi.structs import Layout
from compat.data import dataclass
from compat.errors import MemoryFault
from shims.linux.state import LinuxProcess, LinuxThread, Waiter
from shims.posix.clock import SECOND, nanoseconds

__all__ = ["release_robust_locks", "wake"]

_ALL = 0xFFFFFFFF
_LOOK_AGAIN = 0.01
_ROBUST_MOST = 2048  # ROBUST_LIST_LIMIT (include/linux/futex.h)


# --- queues ---


def wake(process: LinuxProcess, address: int, most: int, mask: int = _ALL) -> int:
    """Wake up to *most* threads that wait at *address* for a bit of *mask*, the first come first."""
    queue, woken = process.futexes.get(address, deque()), 0
    for waiter in [each for each in queue if each.mask & mask]:
        if woken >= most:
            break
        _leave(process, waiter)
        assert process.engine is not None
        woken += process.engine.wake(waiter, 1)
    return woken


def _enter(process: LinuxProcess, waiter: Waiter) -> None:
    process.futexes.setdefault(waiter.address, deque()).append(waiter)


def _leave(process: LinuxProcess, waiter: Waiter) -> None:
    queue = process.futexes.get(waiter.address)
    if queue and waiter in queue:
        queue.remove(waiter)
        if not queue:
            del process.futexes[waiter.address]


def _move(process: LinuxProcess, source: int, target: int, most: int) -> int:
    moved = list(process.futexes.get(source, ()))[:most]
    for waiter in moved:
        _leave(process, waiter)
        waiter.address = target
        _enter(process, waiter)
    return len(moved)


# --- the calls ---


def futex(
    thread: LinuxThread,
    word: Pointer[int],
    op: FlagSet,
    value: int,
    timeout: int,
    word2: Pointer[int] | None,
    value3: int,
) -> int:
    """Wait, wake or move waiters; the operations of priority inheritance are answered as by a kernel without them.

    Raises:
        OSError: EAGAIN if the word has changed, ETIMEDOUT, EINVAL, ENOSYS for another operation.
    """
    return _futex(_Call(thread, word, op, value, timeout, word2, value3, thread.abi.layout("Timespec")))


def futex_time64(
    thread: LinuxThread,
    word: Pointer[int],
    op: FlagSet,
    value: int,
    timeout: int,
    word2: Pointer[int] | None,
    value3: int,
) -> int:
    """futex with a timeout of 64 bits."""
    return _futex(_Call(thread, word, op, value, timeout, word2, value3, thread.abi.layout("Timespec64")))


@dataclass(frozen=True)
class _Call:
    """The arguments of one futex call; *layout* is that of a timeout."""

    thread: LinuxThread
    word: Pointer[int]
    op: FlagSet
    value: int
    timeout: int
    word2: Pointer[int] | None
    value3: int
    layout: Layout

    @property
    def address2(self) -> int:
        address = self.word2.address if self.word2 is not None else 0
        _check_address(address)
        return address


def _futex(call: _Call) -> int:
    _check_address(call.word.address)
    by_name = {
        "FUTEX_WAIT": _wait,
        "FUTEX_WAIT_BITSET": _wait,
        "FUTEX_WAKE": _wake,
        "FUTEX_WAKE_BITSET": _wake,
        "FUTEX_REQUEUE": _requeue,
        "FUTEX_CMP_REQUEUE": _requeue,
        "FUTEX_WAKE_OP": _wake_op,
    }
    for name, serve in by_name.items():
        if name in call.op:
            if "FUTEX_CLOCK_REALTIME" in call.op and name != "FUTEX_WAIT_BITSET":
                break
            return serve(call)
    raise OSError(errno.ENOSYS, "futex operation")


def _check_address(address: int) -> None:
    if address % 4:
        raise OSError(errno.EINVAL, "futex word not aligned")


def _wait(call: _Call) -> int:
    """Enter the queue; once entered again, leave it for one of the reasons to end."""
    thread, address = call.thread, call.word.address
    waiter = thread.resume
    if not isinstance(waiter, Waiter):
        waiter = Waiter(address, call.value, _mask(call), _deadline(call))
        if call.word.read() != call.value:
            raise OSError(errno.EAGAIN, "the word has another value")
        _enter(thread.process, waiter)
    elif thread.woken or _changed_elsewhere(thread, waiter):
        _leave(thread.process, waiter)
        return 0
    elif waiter.until is not None and time.monotonic() >= waiter.until and not thread.interrupted:
        _leave(thread.process, waiter)
        raise OSError(errno.ETIMEDOUT, "futex")
    return _stay(thread, waiter)


def _stay(thread: LinuxThread, waiter: Waiter) -> NoReturn:
    if thread.interrupted:
        _leave(thread.process, waiter)
    until = waiter.until
    if _is_shared(thread, waiter.address):
        until = min(time.monotonic() + _LOOK_AGAIN, until or float("inf"))
    thread.wait(until=until, key=waiter, resume=waiter, restart="sa_restart" if waiter.until is None else "no_handler")


def _mask(call: _Call) -> int:
    mask = call.value3 if {"FUTEX_WAIT_BITSET", "FUTEX_WAKE_BITSET"} & call.op else _ALL
    if mask == 0:
        raise OSError(errno.EINVAL, "an empty bit set")
    return mask


def _deadline(call: _Call) -> float | None:
    """The end of a wait as a monotonic time: FUTEX_WAIT takes a length, FUTEX_WAIT_BITSET a point in time."""
    if not call.timeout:
        return None
    thread = call.thread
    wanted = nanoseconds(thread, call.layout.unpack(thread.memory.read(call.timeout, call.layout.size)))
    if "FUTEX_WAIT_BITSET" not in call.op:
        return time.monotonic() + wanted / SECOND
    now = time.time_ns() if "FUTEX_CLOCK_REALTIME" in call.op else time.monotonic_ns()
    return time.monotonic() + (wanted - now) / SECOND


def _word(thread: LinuxThread, address: int) -> Pointer[int]:
    return Pointer(thread.memory, address, ScalarCodec(4, thread.abi.cpu.endian, signed=False))


def _is_shared(thread: LinuxThread, address: int) -> bool:
    area = thread.memory.areas.find(address)
    return area is not None and area.shared


def _changed_elsewhere(thread: LinuxThread, waiter: Waiter) -> bool:
    if not _is_shared(thread, waiter.address):
        return False
    return _word(thread, waiter.address).read() != waiter.value


def _wake(call: _Call) -> int:
    return wake(call.thread.process, call.word.address, _count(call.value), _mask(call))


def _requeue(call: _Call) -> int:
    """Wake some and move others, up to the number that stands in the place of the timeout; EAGAIN as the name says."""
    target, most = call.address2, _count(call.timeout)
    if "FUTEX_CMP_REQUEUE" in call.op and call.word.read() != call.value3:
        raise OSError(errno.EAGAIN, "the word has another value")
    process = call.thread.process
    woken = wake(process, call.word.address, _count(call.value))
    moved = _move(process, call.word.address, target, most)
    return woken + (moved if "FUTEX_CMP_REQUEUE" in call.op else 0)


def _count(value: int) -> int:
    """How many threads are meant: an int, whose negative values the kernel refuses to take for many."""
    count = (value & _ALL ^ 0x80000000) - 0x80000000
    if count < 0:
        raise OSError(errno.EINVAL, "a negative number of threads")
    return count


def _wake_op(call: _Call) -> int:
    """Change word2 by an operation that value3 encodes, wake at the first word, and at the second if a test of its old
    value holds (futex(2), FUTEX_WAKE_OP)."""
    second = call.word2
    address2 = call.address2
    if second is None:
        raise MemoryFault(0, "write")
    old = second.read()
    second.write(_changed(call.value3, old))
    process = call.thread.process
    woken = wake(process, call.word.address, _count(call.value))
    if _test(call.value3, old):
        woken += wake(process, address2, _count(call.timeout))
    return woken


def _signed(value: int, bits: int) -> int:
    return (value & (1 << bits) - 1 ^ 1 << bits - 1) - (1 << bits - 1)


def _changed(encoded: int, old: int) -> int:
    operation, argument = encoded >> 28 & 7, _signed(encoded >> 12, 12)
    if encoded >> 31:
        argument = 1 << (argument & 31)
    results = [argument, old + argument, old | argument, old & ~argument, old ^ argument]
    if operation >= len(results):
        raise OSError(errno.ENOSYS, "FUTEX_WAKE_OP operation")
    return results[operation] & _ALL


def _test(encoded: int, old: int) -> bool:
    comparison, argument, value = encoded >> 24 & 15, _signed(encoded, 12), _signed(old, 32)
    results = [
        value == argument,
        value != argument,
        value < argument,
        value <= argument,
        value > argument,
        value >= argument,
    ]
    if comparison >= len(results):
        raise OSError(errno.ENOSYS, "FUTEX_WAKE_OP comparison")
    return results[comparison]


# --- robust locks ---

_WAITERS, _OWNER_DIED, _TID = 0x80000000, 0x40000000, 0x3FFFFFFF  # include/uapi/linux/futex.h


def release_robust_locks(thread: LinuxThread) -> None:
    """Mark the locks in the thread's robust list as left behind, and wake one waiter each (kernel/futex/core.c,
    exit_robust_list). A list that can't be read ends there."""
    if not thread.robust_list:
        return
    word = thread.abi.word_codec()
    head, thread.robust_list = thread.robust_list, 0
    try:
        entry, offset, pending = (word.unpack(thread.memory.read(head + k * word.size, word.size)) for k in range(3))
        offset -= offset >> (thread.abi.cpu.bits - 1) << thread.abi.cpu.bits
        for _ in range(_ROBUST_MOST):
            if entry & ~1 == head:
                break
            following = word.unpack(thread.memory.read(entry & ~1, word.size))
            if entry != pending:
                _abandon(thread, (entry & ~1) + offset)
            entry = following
        if pending:
            _abandon(thread, (pending & ~1) + offset)
    except MemoryFault:
        pass


def _abandon(thread: LinuxThread, address: int) -> None:
    lock = _word(thread, address)
    value = lock.read()
    if value & _TID == thread.id:
        lock.write(value & _WAITERS | _OWNER_DIED)
        if value & _WAITERS:
            wake(thread.process, address, 1)
