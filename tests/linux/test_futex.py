"""Futexes: who waits where, who is woken."""

from __future__ import annotations

import errno
import os
import time

import pytest

from compat.errors import Interrupted, Wait
from shims.linux.state import LinuxThread
from tests.linux.guest import Guest, refused

WAIT, WAKE, REQUEUE, CMP_REQUEUE, WAKE_OP, LOCK_PI, WAIT_BITSET, WAKE_BITSET = 0, 1, 3, 4, 5, 6, 9, 10
PRIVATE, REALTIME = 128, 256


def threads(guest: Guest, count: int) -> list[LinuxThread]:
    """*count* threads beside the first."""
    made = [LinuxThread(guest.process, 5000 + k, guest.engine.copy_registers()) for k in range(count)]
    guest.process.threads |= {thread.id: thread for thread in made}
    return made


def wait(guest: Guest, thread: LinuxThread, place: int, mask: int | None = None) -> None:
    value = guest.int_at(place)
    if mask is None:
        guest.block("futex", place, WAIT | PRIVATE, value, 0, 0, 0, thread=thread)
    else:
        guest.block("futex", place, WAIT_BITSET | PRIVATE, value, 0, 0, mask, thread=thread)


def test_wakes_come_in_the_order_of_waits(guest: Guest) -> None:
    place, other = guest.word(5), guest.word(5)
    first, second, third = threads(guest, 3)
    for thread, where in ((first, place), (third, other), (second, place)):
        wait(guest, thread, where)
    assert guest.call("futex", place, WAKE | PRIVATE, 1, 0, 0, 0) == 1
    assert (first.woken, second.woken, third.woken) == (True, False, False)
    assert guest.call("futex", place, WAKE | PRIVATE, 0x7FFFFFFF, 0, 0, 0) == 1
    assert guest.call("futex", place, WAKE | PRIVATE, 1, 0, 0, 0) == 0
    assert not third.woken


def test_a_woken_wait_returns_0(guest: Guest) -> None:
    place = guest.word(5)
    (thread,) = threads(guest, 1)
    wait(guest, thread, place)
    guest.call("futex", place, WAKE, 1, 0, 0, 0)
    guest.process.memory.write(place, bytes(4))
    assert guest.enter("futex", place, WAIT | PRIVATE, 5, 0, 0, 0, thread=thread) == 0
    assert not guest.process.futexes


def test_a_changed_word_is_not_waited_for(guest: Guest) -> None:
    with pytest.raises(BlockingIOError):
        guest.call("futex", guest.word(5), WAIT, 6, 0, 0, 0)
    assert not guest.process.futexes


def test_bit_sets_choose_among_the_waiting(guest: Guest) -> None:
    place = guest.word(1)
    low, high = threads(guest, 2)
    wait(guest, low, place, 1)
    wait(guest, high, place, 2)
    assert guest.call("futex", place, WAKE_BITSET, 9, 0, 0, 2) == 1
    assert (low.woken, high.woken) == (False, True)
    for operation in (WAIT_BITSET, WAKE_BITSET):
        with refused(errno.EINVAL):
            guest.call("futex", place, operation, 1, 0, 0, 0)


def test_requeue_wakes_some_and_moves_others(guest: Guest) -> None:
    place, target = guest.word(1), guest.word(2)
    waiting = threads(guest, 4)
    for thread in waiting:
        wait(guest, thread, place)
    with pytest.raises(BlockingIOError):
        guest.call("futex", place, CMP_REQUEUE, 1, 2, target, 7)
    assert guest.call("futex", place, CMP_REQUEUE, 1, 2, target, 1) == 3
    assert [thread.woken for thread in waiting] == [True, False, False, False]
    assert guest.call("futex", target, WAKE, 9, 0, 0, 0) == 2
    assert [thread.woken for thread in waiting] == [True, True, True, False]
    assert guest.call("futex", place, REQUEUE, 0, 9, target, 0) == 0
    assert guest.call("futex", target, WAKE, 9, 0, 0, 0) == 1


def test_negative_numbers_of_threads(guest: Guest) -> None:
    for arguments in ((CMP_REQUEUE, 1, -1), (CMP_REQUEUE, -1, 1)):
        with refused(errno.EINVAL):
            guest.call("futex", guest.word(1), *arguments, guest.word(), 1)


@pytest.mark.parametrize(
    ("operation", "argument", "comparison", "against", "after", "woken"),
    [
        (0, 9, 0, 5, 9, 2),  # set; equal
        (1, 3, 1, 5, 8, 1),  # add; not equal
        (2, 8, 2, 6, 13, 2),  # or; less
        (3, 4, 3, 4, 1, 1),  # and not; at most
        (4, 1, 4, 4, 4, 2),  # exclusive or; greater
        (8, 3, 5, 5, 8, 2),  # set to a shifted bit; at least
        (1, 0xFFF, 0, 0xFFF, 4, 1),  # add -1; equal to -1
    ],
)
def test_wake_op(
    guest: Guest, operation: int, argument: int, comparison: int, against: int, after: int, woken: int
) -> None:
    place, second = guest.word(1), guest.word(5)
    one, two = threads(guest, 2)
    wait(guest, one, place)
    wait(guest, two, second)
    encoded = operation << 28 | comparison << 24 | argument << 12 | against
    assert guest.call("futex", place, WAKE_OP, 1, 1, second, encoded) == woken
    assert guest.int_at(second) == after
    assert (one.woken, two.woken) == (True, woken == 2)


def test_a_wait_ends_at_its_time(guest: Guest) -> None:
    place, start = guest.word(1), time.monotonic()
    with pytest.raises(TimeoutError):
        guest.call("futex", place, WAIT, 1, guest.struct("Timespec", {"nsec": 10_000_000}), 0, 0)
    assert time.monotonic() - start >= 0.01
    assert not guest.process.futexes


@pytest.mark.parametrize("realtime", [False, True])
def test_a_wait_until_a_point_in_time(guest: Guest, realtime: bool) -> None:
    now = time.time_ns() if realtime else time.monotonic_ns()
    until = now + 10_000_000
    timeout = guest.struct("Timespec", {"sec": until // 10**9, "nsec": until % 10**9})
    with pytest.raises(TimeoutError):
        guest.call("futex", guest.word(1), WAIT_BITSET | REALTIME * realtime, 1, timeout, 0, -1)
    assert (time.time_ns() if realtime else time.monotonic_ns()) >= until


def test_64_bit_timeouts(make_guest: type[Guest]) -> None:
    guest = make_guest("ppc")
    with pytest.raises(TimeoutError):
        guest.call("futex_time64", guest.word(1), WAIT, 1, guest.struct("Timespec64", {"nsec": 1}), 0, 0)


def test_a_signal_takes_a_waiter_out_of_its_queue(guest: Guest) -> None:
    place = guest.word(1)
    wait(guest, guest.thread, place)
    guest.thread.interrupted = True
    with pytest.raises(Interrupted) as stop:
        guest.enter("futex", place, WAIT | PRIVATE, 1, 0, 0, 0)
    assert stop.value.restart == "sa_restart"
    assert not guest.process.futexes


def test_another_process_wakes_at_a_word_in_shared_memory(guest: Guest) -> None:
    place = guest.process.memory.map(4096, 3, shared=True)
    with pytest.raises(Wait) as waited:
        guest.enter("futex", place, WAIT, 0, 0, 0, 0)
    assert waited.value.descriptors
    assert waited.value.until is None
    child = os.fork()
    if child == 0:
        while not guest.call("futex", place, WAKE, 1, 0, 0, 0):
            time.sleep(0.001)
        os._exit(0)
    assert guest.call("futex", place, WAIT, 0, 0, 0, 0) == 0
    assert os.waitpid(child, 0)[1] == 0


def test_a_word_in_shared_memory_that_changes_before_the_host_waits(guest: Guest) -> None:
    place = guest.process.memory.map(4096, 3, shared=True)
    with pytest.raises(BlockingIOError):
        guest.call("futex", place, WAIT, 1, 0, 0, 0)
    timeout = guest.struct("Timespec", {"nsec": 10_000_000})
    with pytest.raises(TimeoutError):
        guest.call("futex", place, WAIT, 0, timeout, 0, 0)


@pytest.mark.parametrize(
    ("operation", "expected"),
    [(2, errno.ENOSYS), (77, errno.ENOSYS), (WAKE | REALTIME, errno.ENOSYS), (LOCK_PI | REALTIME, errno.ENOSYS)],
)
def test_operations_that_do_not_exist(guest: Guest, operation: int, expected: int) -> None:
    with refused(expected):
        guest.call("futex", guest.word(), operation, 0, 0, 0, 0)


def test_words_must_be_aligned(guest: Guest) -> None:
    with refused(errno.EINVAL):
        guest.call("futex", guest.word() + 1, WAKE, 1, 0, 0, 0)
