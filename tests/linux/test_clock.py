"""Time: clocks, sleep, interval timers, on structs with 32-bit and 64-bit seconds."""

from __future__ import annotations

import errno
import os
import signal
import time

import pytest

from compat.errors import Interrupted, Wait
from tests.linux.guest import Guest, refused


def clock(guest: Guest, name: str) -> int:
    return guest.abi.constants("ClockId").encode(name)


def clock_gettime(guest: Guest, number: int) -> float:
    place = guest.struct("Timespec")
    guest.call("clock_gettime", number, place)
    now = guest.record("Timespec", place)
    return now.int("sec") + now.int("nsec") / 1e9


def test_clocks_tell_the_hosts_time(guest: Guest) -> None:
    before = time.time()
    assert before <= clock_gettime(guest, clock(guest, "CLOCK_REALTIME")) + 1e-6 <= time.time() + 1e-6
    before = time.monotonic()
    assert before <= clock_gettime(guest, clock(guest, "CLOCK_MONOTONIC")) + 1e-6 <= time.monotonic() + 1e-6
    assert 0 < clock_gettime(guest, clock(guest, "CLOCK_MONOTONIC_COARSE")) <= time.monotonic()
    assert 0 < clock_gettime(guest, clock(guest, "CLOCK_PROCESS_CPUTIME_ID")) <= time.process_time()


def test_the_cpu_clock_of_the_own_process_has_a_number_made_of_its_pid(guest: Guest) -> None:
    own = ~guest.process.pid << 3 | 2
    assert 0 < clock_gettime(guest, own) <= time.process_time()
    with refused(errno.EINVAL):
        guest.call("clock_gettime", ~1 << 3 | 2, guest.struct("Timespec"))


@pytest.mark.parametrize("number", [10, 15, 99])
def test_no_such_clock(guest: Guest, number: int) -> None:
    with refused(errno.EINVAL):
        guest.call("clock_gettime", number, guest.struct("Timespec"))


def test_64_bit_seconds_on_a_32_bit_cpu(make_guest: type[Guest]) -> None:
    guest = make_guest("ppc")
    place = guest.struct("Timespec64")
    guest.call("clock_gettime64", clock(guest, "CLOCK_REALTIME"), place)
    raw = guest.bytes_at(place, 16)
    assert abs(int.from_bytes(raw[:8], "big") - time.time()) < 5
    assert 0 <= int.from_bytes(raw[8:], "big") < 1_000_000_000


def test_resolution(guest: Guest) -> None:
    place = guest.struct("Timespec")
    guest.call("clock_getres", clock(guest, "CLOCK_MONOTONIC"), place)
    found = guest.record("Timespec", place)
    assert (found["sec"], found["nsec"]) == (0, round(time.clock_getres(time.CLOCK_MONOTONIC) * 1e9))
    assert guest.call("clock_getres", clock(guest, "CLOCK_MONOTONIC"), 0) == 0


def test_no_guest_sets_a_clock(guest: Guest) -> None:
    good = guest.struct("Timespec", {"sec": 1})
    bad = guest.struct("Timespec", {"nsec": 1_000_000_000})
    for name, place, expected in (
        ("CLOCK_REALTIME", good, errno.EPERM),
        ("CLOCK_REALTIME", bad, errno.EINVAL),
        ("CLOCK_MONOTONIC", good, errno.EINVAL),
    ):
        with refused(expected):
            guest.call("clock_settime", clock(guest, name), place)
    with pytest.raises(PermissionError):
        guest.call("settimeofday", guest.struct("Timeval", {"sec": 1}), 0)


def test_gettimeofday_and_time(guest: Guest) -> None:
    now, zone = guest.struct("Timeval"), guest.put(b"\xff" * 8)
    guest.call("gettimeofday", now, zone)
    assert abs(guest.record("Timeval", now).int("sec") - time.time()) < 5
    assert guest.bytes_at(zone, 8) == bytes(8)
    place = guest.allot(8)
    seconds = guest.call("time", place)
    assert abs(seconds - time.time()) < 5
    assert guest.pointer_at(place) == seconds


def test_times_counts_in_hundredths(guest: Guest) -> None:
    place = guest.struct("Tms")
    guest.call("times", place)
    assert guest.record("Tms", place).int("utime") <= os.times().user * 100
    assert guest.record("Tms", place).int("utime") > 0


# --- sleep ---


def test_a_sleep_ends_when_its_time_has_come(guest: Guest) -> None:
    start = time.monotonic()
    assert guest.call("nanosleep", guest.struct("Timespec", {"nsec": 20_000_000}), 0) == 0
    assert time.monotonic() - start >= 0.02


def test_an_absolute_sleep_ends_at_its_time(guest: Guest) -> None:
    until = time.time_ns() + 20_000_000
    want = guest.struct("Timespec", {"sec": until // 10**9, "nsec": until % 10**9})
    absolute = guest.abi.flags("TimerFlags").encode(["TIMER_ABSTIME"])
    guest.call("clock_nanosleep", clock(guest, "CLOCK_REALTIME"), absolute, want, 0)
    assert time.time_ns() >= until
    assert guest.call("clock_nanosleep", clock(guest, "CLOCK_REALTIME"), absolute, want, 0) == 0


def test_what_is_left_of_an_interrupted_sleep(guest: Guest) -> None:
    want, left = guest.struct("Timespec", {"sec": 100}), guest.struct("Timespec")
    with pytest.raises(Wait):
        guest.enter("nanosleep", want, left)
    guest.thread.interrupted = True
    with pytest.raises(Interrupted) as stop:
        guest.enter("nanosleep", want, left)
    assert stop.value.restart == "no_handler"
    assert 90 < guest.record("Timespec", left).int("sec") < 100


@pytest.mark.parametrize("fields", [{"sec": -1}, {"nsec": 1_000_000_000}, {"nsec": -1}])
def test_a_time_that_is_none(guest: Guest, fields: dict[str, object]) -> None:
    with refused(errno.EINVAL):
        guest.call("nanosleep", guest.struct("Timespec", fields), 0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CLOCK_THREAD_CPUTIME_ID", errno.EINVAL),
        ("CLOCK_MONOTONIC_COARSE", errno.EOPNOTSUPP),
        ("CLOCK_REALTIME_ALARM", errno.EPERM),
    ],
)
def test_clocks_that_nobody_sleeps_on(guest: Guest, name: str, expected: int) -> None:
    with refused(expected):
        guest.call("clock_nanosleep", clock(guest, name), 0, guest.struct("Timespec"), 0)


def test_a_sleep_of_centuries_fits_what_the_host_can_wait_for(make_guest: type[Guest]) -> None:
    guest = make_guest("x86-64")
    with pytest.raises(Wait) as wait:
        guest.enter("nanosleep", guest.struct("Timespec", {"sec": (1 << 63) - 1}), 0)
    assert wait.value.until is not None
    assert (wait.value.until - time.monotonic()) * 1000 < 1 << 31


# --- interval timers ---


def test_interval_timers_are_the_hosts(guest: Guest) -> None:
    kind = guest.abi.constants("ItimerKind").encode("ITIMER_VIRTUAL")
    value, old = guest.struct("Itimerval", {"value.sec": 1000, "interval.usec": 500_000}), guest.struct("Itimerval")
    try:
        guest.call("setitimer", kind, value, old)
        assert round(signal.getitimer(signal.ITIMER_VIRTUAL)[0], 1) == 1000
        assert guest.record("Itimerval", old).int("value.sec") == 0
        guest.call("getitimer", kind, old)
        assert guest.record("Itimerval", old).int("interval.usec") == 500_000
        guest.call("setitimer", kind, 0, old)
        assert guest.record("Itimerval", old).int("value.sec") >= 990
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def test_alarm_tells_the_seconds_left(guest: Guest) -> None:
    try:
        assert guest.call("alarm", 1000) == 0
        assert guest.call("alarm", 0) == 1000
        assert guest.call("alarm", 0) == 0
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def test_adjtimex_only_answers(guest: Guest) -> None:
    place = guest.struct("Timex")
    assert 0 <= guest.call("adjtimex", place) <= 5
    assert guest.record("Timex", place).int("tick") in range(9000, 11001)
    modes = guest.abi.flags("TimexModes").encode(["ADJ_FREQUENCY"])
    with pytest.raises(PermissionError):
        guest.call("adjtimex", guest.struct("Timex", {"modes": modes}))
