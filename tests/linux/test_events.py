"""Counters and timers behind descriptors; what is read and written is in the guest's byte order."""

from __future__ import annotations

import errno
import time

import pytest

from compat.errors import Wait
from shims.posix.transfers import receive, send
from tests.linux.guest import Guest, refused


def number(guest: Guest, value: int) -> int:
    return guest.put(value.to_bytes(8, guest.order))


def read(guest: Guest, fd: int, size: int = 8) -> int:
    place = guest.allot(16)
    assert receive(guest.thread, guest.process.files.get(fd), [(place, 4), (place + 4, size - 4)]) == 8
    return int.from_bytes(guest.bytes_at(place, 8), guest.order)


def write(guest: Guest, fd: int, value: int) -> int:
    return send(guest.thread, guest.process.files.get(fd), [(number(guest, value), 8)])


def test_an_event_counter(guest: Guest) -> None:
    fd = guest.call("eventfd2", 3, 0)
    assert write(guest, fd, 0x0102030405) == 8
    assert read(guest, fd) == 0x0102030408
    with pytest.raises(Wait) as wait:
        read(guest, fd)
    assert wait.value.descriptors


def test_a_counter_without_waiting(guest: Guest) -> None:
    fd = guest.call("eventfd2", 2, guest.abi.flags("EventFdFlags").encode(["EFD_NONBLOCK", "EFD_SEMAPHORE"]))
    assert [read(guest, fd), read(guest, fd)] == [1, 1]
    with pytest.raises(BlockingIOError):
        read(guest, fd)
    assert not guest.process.files.slot(fd).close_on_exec


def test_a_counter_that_would_overflow(guest: Guest) -> None:
    fd = guest.call("eventfd", 5)
    with pytest.raises(Wait) as wait:
        write(guest, fd, (1 << 64) - 4)
    assert wait.value.until is not None or wait.value.descriptors
    assert read(guest, fd) == 5
    with refused(errno.EINVAL):
        write(guest, fd, (1 << 64) - 1)
    with refused(errno.EINVAL):
        read(guest, fd, 7)
    with refused(errno.EINVAL):
        guest.call("eventfd2", 0, 0x100)


def test_a_timer(guest: Guest) -> None:
    clock = guest.abi.constants("ClockId").encode("CLOCK_MONOTONIC")
    fd = guest.call("timerfd_create", clock, guest.abi.flags("TimerFdFlags").encode(["TFD_CLOEXEC"]))
    assert guest.process.files.slot(fd).close_on_exec
    value, old = guest.struct("Itimerspec", {"value.nsec": 1}), guest.struct("Itimerspec")
    guest.call("timerfd_settime", fd, 0, value, 0)
    time.sleep(0.001)
    assert read(guest, fd) == 1
    guest.call("timerfd_settime", fd, 0, guest.struct("Itimerspec", {"value.sec": 100, "interval.nsec": 7}), old)
    guest.call("timerfd_gettime", fd, old)
    found = guest.record("Itimerspec", old)
    assert found.int("value.sec") in (99, 100)
    assert (found["interval.sec"], found["interval.nsec"]) == (0, 7)
    with pytest.raises(Wait):
        read(guest, fd)


def test_timers_refuse(guest: Guest) -> None:
    values = guest.abi.constants("ClockId").values
    for clock, expected in (("CLOCK_PROCESS_CPUTIME_ID", errno.EINVAL), ("CLOCK_REALTIME_ALARM", errno.EPERM)):
        with refused(expected):
            guest.call("timerfd_create", values[clock], 0)
    fd = guest.call("timerfd_create", values["CLOCK_REALTIME"], 0)
    with refused(errno.EINVAL):
        guest.call("timerfd_settime", fd, 0, guest.struct("Itimerspec", {"value.nsec": 10**9}), 0)
    with refused(errno.EINVAL):
        guest.call("timerfd_gettime", guest.call("eventfd", 0), guest.struct("Itimerspec"))
    with refused(errno.EBADF):
        guest.call("timerfd_gettime", 99, guest.struct("Itimerspec"))
