"""futex_waitv and the calls of one operation each."""

from __future__ import annotations

import errno
import time

import pytest

from tests.linux.guest import Guest, refused
from tests.linux.test_futex import threads

U32, PRIVATE = 2, 128
MONOTONIC = 1


def vector(guest: Guest, *places: int, value: int = 5, flags: int = U32 | PRIVATE) -> int:
    layout = guest.abi.layout("FutexWaitv")
    fields = [{"val": value, "uaddr": place, "flags": flags} for place in places]
    return guest.put(b"".join(layout.pack(each) for each in fields))


def test_one_of_many_words(guest: Guest) -> None:
    places = [guest.word(5) for _ in range(3)]
    (thread,) = threads(guest, 1)
    waiters = vector(guest, *places)
    guest.block("futex_waitv", waiters, 3, 0, 0, 0, thread=thread)
    assert guest.call("futex_wake", places[1], 0xFFFFFFFF, 9, U32 | PRIVATE) == 1
    assert guest.call("futex_wake", places[2], 0xFFFFFFFF, 9, U32 | PRIVATE) == 0
    assert guest.enter("futex_waitv", waiters, 3, 0, 0, 0, thread=thread) == 1
    assert not guest.process.futexes


def test_a_word_with_another_value(guest: Guest) -> None:
    with pytest.raises(BlockingIOError):
        guest.call("futex_waitv", vector(guest, guest.word(5), guest.word(6)), 2, 0, 0, 0)


def test_a_deadline(guest: Guest) -> None:
    until = time.monotonic_ns() + 10_000_000
    timeout = guest.struct("Timespec64", {"sec": until // 10**9, "nsec": until % 10**9})
    with pytest.raises(TimeoutError):
        guest.call("futex_waitv", vector(guest, guest.word(5)), 1, 0, timeout, MONOTONIC)
    with pytest.raises(TimeoutError):
        guest.call("futex_wait", guest.word(5), 5, 1, U32, timeout, MONOTONIC)
    with refused(errno.EINVAL):
        guest.call("futex_wait", guest.word(5), 5, 1, U32, timeout, 2)


def test_words_of_shared_and_private_memory_together(guest: Guest) -> None:
    shared = guest.process.memory.map(4096, 3, shared=True)
    (thread,) = threads(guest, 1)
    waiters = vector(guest, guest.word(0), shared, value=0, flags=U32)
    guest.block("futex_waitv", waiters, 2, 0, 0, 0, thread=thread)
    while not guest.call("futex_wake", shared, 1, 1, U32):
        time.sleep(0.001)
    guest.settle(thread.waiting)  # type: ignore[arg-type]
    assert guest.enter("futex_waitv", waiters, 2, 0, 0, 0, thread=thread) == 1
    assert not guest.process.futexes


@pytest.mark.parametrize("flags", [0, 1, 3, U32 | 4, U32 | 8, U32 | 0x100])
def test_flags_that_are_not_offered(guest: Guest, flags: int) -> None:
    with refused(errno.EINVAL):
        guest.call("futex_waitv", vector(guest, guest.word(5), flags=flags), 1, 0, 0, 0)
    with refused(errno.EINVAL):
        guest.call("futex_wake", guest.word(5), 1, 1, flags)


@pytest.mark.parametrize(("count", "flags"), [(0, 0), (129, 0), (1, 1)])
def test_waitv_arguments(guest: Guest, count: int, flags: int) -> None:
    with refused(errno.EINVAL):
        guest.call("futex_waitv", vector(guest, guest.word(5)), count, flags, 0, 0)


def test_requeue(guest: Guest) -> None:
    place, target = guest.word(5), guest.word(7)
    waiting = threads(guest, 3)
    for thread in waiting:
        guest.block("futex_wait", place, 5, 1, U32 | PRIVATE, 0, 0, thread=thread)
    pair = vector(guest, place, target)
    assert guest.call("futex_requeue", pair, 0, 1, 1) == 2
    assert [thread.woken for thread in waiting] == [True, False, False]
    assert guest.call("futex_wake", target, 1, 9, U32 | PRIVATE) == 1
    assert guest.call("futex_wake", place, 2, 9, U32 | PRIVATE) == 0
