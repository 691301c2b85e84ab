"""futex(2): one call for many operations on words that threads wait at."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Mapping
from typing import Final

from compat.abi.flags import FlagSet
from compat.abi.handles import Pointer
from compat.abi.structs import Layout
from compat.data import dataclass
from shims.linux import futex_pi
from shims.linux.futex_operation import change, holds
from shims.linux.futex_wait import Place, wait_at
from shims.linux.futex_words import ALL, Word, find_word, move, wake
from shims.linux.state import LinuxThread
from shims.posix.clock import SECOND, nanoseconds

_BY_CLOCK = {"FUTEX_WAIT_BITSET", "FUTEX_WAIT_REQUEUE_PI", "FUTEX_LOCK_PI2"}
"""The operations that FUTEX_CLOCK_REALTIME may go with; without it their deadlines are CLOCK_MONOTONIC's."""


def futex(
    thread: LinuxThread,
    word: Pointer[int],
    op: FlagSet,
    value: int,
    timeout: int,
    word2: Pointer[int] | None,
    value3: int,
) -> int:
    """Wait at a word, wake or move those that wait, lock and unlock.

    Raises:
        OSError: EAGAIN if the word has changed, ETIMEDOUT, EINVAL, ENOSYS for another operation; of locks also
            EDEADLK, EPERM, ESRCH.
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
    pointer: Pointer[int]
    op: FlagSet
    value: int
    timeout: int
    pointer2: Pointer[int] | None
    value3: int
    layout: Layout

    def word(self) -> Word:
        return self._find(self.pointer.address)

    def word2(self) -> Word:
        return self._find(self.pointer2.address if self.pointer2 is not None else 0)

    def _find(self, address: int) -> Word:
        return find_word(self.thread, address, private="FUTEX_PRIVATE_FLAG" in self.op)

    def place(self) -> Place:
        mask = ALL if "FUTEX_WAIT" in self.op else self.mask()
        return Place(self.word(), self.value, mask)

    def mask(self) -> int:
        if self.value3 == 0:
            raise OSError(errno.EINVAL, "an empty bit set")
        return self.value3

    def until(self) -> float | None:
        """The end of a wait as a monotonic time: FUTEX_WAIT takes a length, the others a point in time."""
        if not self.timeout:
            return None
        layout = self.layout
        wanted = nanoseconds(self.thread, layout.unpack(self.thread.memory.read(self.timeout, layout.size)))
        if "FUTEX_WAIT" in self.op:
            return time.monotonic() + wanted / SECOND
        realtime = "FUTEX_CLOCK_REALTIME" in self.op or "FUTEX_LOCK_PI" in self.op
        now = time.time_ns() if realtime else time.monotonic_ns()
        return time.monotonic() + (wanted - now) / SECOND


def _futex(call: _Call) -> int:
    for name, serve in _OPERATIONS.items():
        if name in call.op:
            if "FUTEX_CLOCK_REALTIME" in call.op and name not in _BY_CLOCK:
                break
            return serve(call) or 0
    raise OSError(errno.ENOSYS, "futex operation")


def _wait(call: _Call) -> int:
    return wait_at(call.thread, [call.place()], call.until)


def _wake(call: _Call) -> int:
    return wake(call.word(), _count(call.value), call.mask() if "FUTEX_WAKE_BITSET" in call.op else ALL)


def _requeue(call: _Call) -> int:
    """Wake some and move others, up to the number that stands in the place of the timeout; EAGAIN as the name says."""
    word, target = call.word(), call.word2()
    wakes, moves = _count(call.value), _count(call.timeout)
    compares = "FUTEX_CMP_REQUEUE" in call.op
    _check_value(call, word, wanted=compares)
    woken, moved = move(word, target, wakes, moves)
    return woken + (moved if compares else 0)


def _check_value(call: _Call, word: Word, *, wanted: bool = True) -> None:
    if wanted and word.read() != call.value3:
        raise OSError(errno.EAGAIN, "the word has another value")


def _count(value: int) -> int:
    """How many threads are meant: an int, whose negative values the kernel refuses to take for many."""
    count = (value & ALL ^ 0x80000000) - 0x80000000
    if count < 0:
        raise OSError(errno.EINVAL, "a negative number of threads")
    return count


def _wake_op(call: _Call) -> int:
    """Change word2 by an operation that value3 encodes, wake at the first word, and at the second if a test of its old
    value holds."""
    word, second = call.word(), call.word2()
    old = second.read()
    second.write(change(call.value3, old))
    woken = wake(word, _count(call.value))
    if holds(call.value3, old):
        woken += wake(second, _count(call.timeout))
    return woken


# --- locks ---


def _lock(call: _Call) -> None:
    futex_pi.lock(call.thread, call.word(), call.until)


def _try_lock(call: _Call) -> None:
    futex_pi.try_lock(call.thread, call.word())


def _unlock(call: _Call) -> None:
    futex_pi.unlock(call.thread, call.word())


def _wait_for_lock(call: _Call) -> None:
    futex_pi.wait_for_lock(call.thread, call.place(), call.word2(), call.until)


def _requeue_to_lock(call: _Call) -> int:
    word, target = call.word(), call.word2()
    if word.address == target.address or _count(call.value) != 1:
        raise OSError(errno.EINVAL, "exactly one thread can get a lock, and a word can't be its own")
    moves = _count(call.timeout)
    _check_value(call, word)
    return futex_pi.requeue(word, target, moves)


_OPERATIONS: Final[Mapping[str, Callable[[_Call], int | None]]] = {
    "FUTEX_WAIT": _wait,
    "FUTEX_WAIT_BITSET": _wait,
    "FUTEX_WAKE": _wake,
    "FUTEX_WAKE_BITSET": _wake,
    "FUTEX_REQUEUE": _requeue,
    "FUTEX_CMP_REQUEUE": _requeue,
    "FUTEX_WAKE_OP": _wake_op,
    "FUTEX_LOCK_PI": _lock,
    "FUTEX_LOCK_PI2": _lock,
    "FUTEX_TRYLOCK_PI": _try_lock,
    "FUTEX_UNLOCK_PI": _unlock,
    "FUTEX_WAIT_REQUEUE_PI": _wait_for_lock,
    "FUTEX_CMP_REQUEUE_PI": _requeue_to_lock,
}
