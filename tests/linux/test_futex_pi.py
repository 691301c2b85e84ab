"""Futexes that are locks: who owns them, who gets them next."""

from __future__ import annotations

import errno
import time

import pytest

from compat.errors import ThreadExit, Wait
from shims.linux.state import LinuxThread
from tests.linux.guest import Guest, refused
from tests.linux.test_futex import PRIVATE, WAKE, threads

LOCK, UNLOCK, TRYLOCK, WAIT_REQUEUE, CMP_REQUEUE, LOCK2 = (number | PRIVATE for number in (6, 7, 8, 11, 12, 13))
WAITERS, OWNER_DIED = 0x80000000, 0x40000000


def futex(guest: Guest, thread: LinuxThread, place: int, operation: int, *more: int) -> int:
    return guest.call("futex", place, operation, *more, thread=thread)


def block(guest: Guest, thread: LinuxThread, place: int, operation: int, *more: int) -> None:
    guest.block("futex", place, operation, *more, thread=thread)


def value(guest: Guest, place: int) -> int:
    return guest.int_at(place) & 0xFFFFFFFF


def test_a_free_lock_is_taken_and_given_back(guest: Guest) -> None:
    place, (one, two) = guest.word(), threads(guest, 2)
    assert futex(guest, one, place, LOCK) == 0
    assert value(guest, place) == one.id
    with refused(errno.EDEADLK):
        futex(guest, one, place, LOCK)
    with pytest.raises(BlockingIOError):
        futex(guest, two, place, TRYLOCK)
    with refused(errno.EPERM):
        futex(guest, two, place, UNLOCK)
    assert futex(guest, one, place, UNLOCK) == 0
    assert value(guest, place) == 0
    assert futex(guest, two, place, TRYLOCK) == 0


def test_the_longest_waiting_gets_the_lock(guest: Guest) -> None:
    place, (owner, first, second) = guest.word(), threads(guest, 3)
    futex(guest, owner, place, LOCK)
    block(guest, first, place, LOCK)
    block(guest, second, place, LOCK2)
    assert value(guest, place) == owner.id | WAITERS
    futex(guest, owner, place, UNLOCK)
    assert value(guest, place) == first.id | WAITERS
    assert guest.enter("futex", place, LOCK, thread=first) == 0
    futex(guest, first, place, UNLOCK)
    assert second.woken
    futex(guest, second, place, UNLOCK)
    assert value(guest, place) == 0
    assert not guest.process.locks


def test_nobody_owns_it(guest: Guest) -> None:
    with refused(errno.ESRCH):
        futex(guest, guest.thread, guest.word(12345), LOCK)


@pytest.mark.parametrize("operation", [LOCK, LOCK2])
def test_a_deadline(guest: Guest, operation: int) -> None:
    place, (owner,) = guest.word(), threads(guest, 1)
    futex(guest, owner, place, LOCK)
    now = time.time_ns() if operation == LOCK else time.monotonic_ns()
    until = now + 10_000_000
    timeout = guest.struct("Timespec", {"sec": until // 10**9, "nsec": until % 10**9})
    with pytest.raises(TimeoutError):
        futex(guest, guest.thread, place, operation, 0, timeout)
    futex(guest, owner, place, UNLOCK)
    assert value(guest, place) == 0


def test_the_end_of_the_owner_hands_its_lock_over(guest: Guest) -> None:
    place, (owner, heir) = guest.word(), threads(guest, 2)
    futex(guest, owner, place, LOCK)
    block(guest, heir, place, LOCK)
    with pytest.raises(ThreadExit):
        guest.call("exit", 0, thread=owner)
    assert value(guest, place) == heir.id | WAITERS | OWNER_DIED
    assert heir.woken


def test_a_condition_gives_its_lock_to_one_and_queues_the_others(guest: Guest) -> None:
    place, lock, (one, two, three) = guest.word(5), guest.word(), threads(guest, 3)
    for thread in (one, two, three):
        block(guest, thread, place, WAIT_REQUEUE, 5, 0, lock, 0xFFFFFFFF)
    with refused(errno.EINVAL):
        futex(guest, guest.thread, place, WAKE, 1)
    with pytest.raises(BlockingIOError):
        futex(guest, guest.thread, place, CMP_REQUEUE, 1, 9, lock, 6)
    with refused(errno.EINVAL):
        futex(guest, guest.thread, place, CMP_REQUEUE, 1, 9, guest.word(), 5)
    assert futex(guest, guest.thread, place, CMP_REQUEUE, 1, 1, lock, 5) == 2
    assert (one.woken, two.woken, three.woken) == (True, False, False)
    assert value(guest, lock) == one.id | WAITERS
    futex(guest, one, lock, UNLOCK)
    assert guest.enter("futex", place, WAIT_REQUEUE, 5, 0, lock, 0xFFFFFFFF, thread=two) == 0
    assert value(guest, lock) == two.id | WAITERS
    assert futex(guest, guest.thread, place, CMP_REQUEUE, 1, 9, lock, 5) == 1


def test_a_lock_in_shared_memory(guest: Guest) -> None:
    place, (owner,) = guest.process.memory.map(4096, 3, shared=True), threads(guest, 1)
    futex(guest, owner, place, LOCK - PRIVATE)
    with pytest.raises(Wait):
        guest.enter("futex", place, LOCK - PRIVATE)
    futex(guest, owner, place, UNLOCK - PRIVATE)
    assert futex(guest, guest.thread, place, LOCK - PRIVATE) == 0
    assert value(guest, place) == guest.thread.id | WAITERS
