"""The calls that came after futex(2): words with flags of their own, and a wait at many of them."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable

from compat.abi.flags import Constant, FlagSet
from compat.abi.handles import ArrayHandle, Pointer
from compat.abi.structs import Record
from shims.linux import futex_words
from shims.linux.futex_wait import Place, wait_at
from shims.linux.futex_words import ALL, Word, find_word
from shims.linux.state import LinuxThread
from shims.posix.clock import SECOND, clock_now, nanoseconds

_MOST = 128  # FUTEX_WAITV_MAX (include/uapi/linux/futex.h)


def futex_waitv(
    thread: LinuxThread,
    waiters: ArrayHandle[Record],
    count: int,
    flags: int,
    timeout: Pointer[Record] | None,
    clock: Constant,
) -> int:
    """Wait until one of many words is woken; returns its index.

    Raises:
        OSError: EINVAL, EAGAIN if a word has another value already, ETIMEDOUT.
    """
    if flags or not 1 <= count <= _MOST or not waiters.address:
        raise OSError(errno.EINVAL, "futex_waitv")
    until = _deadline(thread, timeout, clock)
    return wait_at(thread, [_place(thread, each) for each in waiters.read()], until, absolute=True)


def futex_wait(
    thread: LinuxThread,
    word: Pointer[int],
    value: int,
    mask: int,
    flags: FlagSet,
    timeout: Pointer[Record] | None,
    clock: Constant,
) -> None:
    """Wait at a word for a wake-up with a bit of *mask*. Raises OSError: EINVAL, EAGAIN, ETIMEDOUT."""
    place = Place(_word(thread, word.address, flags), _narrow(value), _mask(mask))
    wait_at(thread, [place], _deadline(thread, timeout, clock), absolute=True)


def futex_wake(thread: LinuxThread, word: Pointer[int], mask: int, count: int, flags: FlagSet) -> int:
    """Wake up to *count* threads that wait for a bit of *mask*; returns how many. Raises OSError(EINVAL)."""
    return futex_words.wake(_word(thread, word.address, flags), max(0, count), _mask(mask))


def futex_requeue(thread: LinuxThread, waiters: Pointer[Record], flags: int, wake: int, requeue: int) -> int:
    """Wake some that wait at the first of two words, let others wait at the second; returns how many in all.

    Raises OSError: EINVAL, EAGAIN if the first word has another value.
    """
    if flags or wake < 0 or requeue < 0:
        raise OSError(errno.EINVAL, "futex_requeue")
    pair = waiters.read()
    source, target = _place(thread, pair, "source."), _place(thread, pair, "target.")
    if source.word.read() != source.value:
        raise OSError(errno.EAGAIN, "the word has another value")
    return sum(futex_words.move(source.word, target.word, wake, requeue))


def _place(thread: LinuxThread, waiter: Record, prefix: str = "") -> Place:
    """A struct futex_waitv."""
    if waiter.int(f"{prefix}reserved"):
        raise OSError(errno.EINVAL, "reserved bits of futex_waitv")
    flags = thread.abi.flags("Futex2Flags").decode(waiter.int(f"{prefix}flags"))
    word = _word(thread, waiter.int(f"{prefix}uaddr"), flags)
    return Place(word, _narrow(waiter.int(f"{prefix}val")), ALL)


def _word(thread: LinuxThread, address: int, flags: FlagSet) -> Word:
    if flags.unknown or flags - {"FUTEX2_SIZE_U32", "FUTEX2_PRIVATE"} or "FUTEX2_SIZE_U32" not in flags:
        raise OSError(errno.EINVAL, "flags of a futex: only words of 32 bits, of no node")
    return find_word(thread, address, private="FUTEX2_PRIVATE" in flags)


def _narrow(value: int) -> int:
    if value > ALL:
        raise OSError(errno.EINVAL, "a value of more bits than the word")
    return value


def _mask(mask: int) -> int:
    if not _narrow(mask):
        raise OSError(errno.EINVAL, "an empty bit set")
    return mask


def _deadline(thread: LinuxThread, timeout: Pointer[Record] | None, clock: Constant) -> Callable[[], float | None]:
    """A point in time on a clock, as a monotonic time."""
    if timeout is None:
        return lambda: None
    if clock not in ("CLOCK_MONOTONIC", "CLOCK_REALTIME"):
        raise OSError(errno.EINVAL, "clock of a futex")
    wanted = nanoseconds(thread, timeout.read())
    return lambda: time.monotonic() + (wanted - clock_now(thread, clock)) / SECOND
