"""Time, sleep and interval timers."""

from __future__ import annotations

import errno
import time
from typing import NoReturn

from compat.abi.flags import Constant, FlagSet
from compat.abi.handles import Pointer
from compat.abi.structs import Record
from compat.host import CLOCKS, ITIMERS
from shims.posix.state import PosixThread

__all__ = [
    "alarm",
    "clock_getres",
    "clock_gettime",
    "clock_nanosleep",
    "clock_now",
    "clock_settime",
    "getitimer",
    "gettimeofday",
    "host_clock",
    "nanoseconds",
    "nanosleep",
    "setitimer",
    "settimeofday",
    "split",
    "times",
]

SECOND = 1_000_000_000
_TICKS = 100  # USER_HZ, the unit of clock_t on every CPU (include/asm-generic/param.h)
_SETTABLE = ("CLOCK_REALTIME", "CLOCK_TAI")
_SHORTEST = 1_000_000  # nanoseconds before a clock that had not come far enough is looked at again
_LONGEST = 1_000_000 * SECOND  # what the host can wait for at once: poll(2) takes 2**31 - 1 ms


def nanoseconds(thread: PosixThread, value: Record, prefix: str = "") -> int:
    """A timespec as nanoseconds; raises OSError(EINVAL) for a negative time or a fraction of a second or more.

    On 32-bit CPUs the upper half of a 64-bit tv_nsec is padding (kernel/time/time.c, get_timespec64).
    """
    seconds, fraction = value.int(f"{prefix}sec"), value.int(f"{prefix}nsec")
    if thread.abi.cpu.bits == 32:
        fraction &= 0xFFFF_FFFF
    if seconds < 0 or not 0 <= fraction < SECOND:
        raise OSError(errno.EINVAL, "tv_sec or tv_nsec out of range")
    return seconds * SECOND + fraction


def split(value: int, prefix: str = "") -> dict[str, object]:
    """Nanoseconds as the fields of a timespec."""
    seconds, fraction = divmod(value, SECOND)
    return {f"{prefix}sec": seconds, f"{prefix}nsec": fraction}


def clock_now(thread: PosixThread, clock: Constant) -> int:
    """Nanoseconds on *clock*; raises OSError(EINVAL) for one that does not exist."""
    return thread.host.clock_gettime(host_clock(thread, clock))


def host_clock(thread: PosixThread, clock: Constant) -> int:
    """The host's number of *clock*; raises OSError(EINVAL) for one that does not exist."""
    known = CLOCKS.get(clock)
    return known if known is not None else CLOCKS[_cpu_clock(thread, clock)]


def _cpu_clock(thread: PosixThread, clock: Constant) -> str:
    """The name of a CPU-time clock given as ~pid << 3 | kind (include/linux/posix-timers_types.h); bit 2 of the kind
    says that the pid is a thread's."""
    pid, kind = ~(clock.value - (1 << 32)) >> 3, clock.value & 7
    if clock.known or clock.value < 1 << 31 or kind & 3 == 3:
        raise OSError(errno.EINVAL, f"no clock {clock}")
    if pid not in (0, *thread.process.threads, thread.process.pid):
        raise OSError(errno.EINVAL, "a clock of another process")
    return "CLOCK_THREAD_CPUTIME_ID" if kind & 4 else "CLOCK_PROCESS_CPUTIME_ID"


def clock_gettime(thread: PosixThread, clock: Constant, now: Pointer[Record]) -> None:
    """The time on *clock*; CPU time is what the host spent on the guest."""
    now.write(split(clock_now(thread, clock)))


def clock_getres(thread: PosixThread, clock: Constant, step: Pointer[Record] | None) -> None:
    """The resolution of *clock*."""
    found = thread.host.clock_getres(host_clock(thread, clock))
    if step is not None:
        step.write(split(found))


def clock_settime(thread: PosixThread, clock: Constant, now: Pointer[Record]) -> None:
    """Refused: only a privileged process sets a clock.

    Raises:
        OSError: EPERM; EINVAL for a clock that can't be set or a time that is none.
    """
    if clock not in _SETTABLE[:1]:
        host_clock(thread, clock)
        raise OSError(errno.EINVAL, f"{clock} can't be set")
    nanoseconds(thread, now.read())
    raise OSError(errno.EPERM, "clock_settime")


def gettimeofday(thread: PosixThread, now: Pointer[Record] | None, zone: Pointer[Record] | None) -> None:
    """The time of day; the kernel's time zone is UTC."""
    if now is not None:
        seconds, fraction = divmod(thread.host.clock_gettime(CLOCKS["CLOCK_REALTIME"]), SECOND)
        now.write({"sec": seconds, "usec": fraction // 1000})
    if zone is not None:
        zone.write({})


def settimeofday(thread: PosixThread, now: Pointer[Record] | None, zone: Pointer[Record] | None) -> None:
    """Refused: only a privileged process sets the clock. Raises OSError: EPERM, EINVAL for a time that is none."""
    if now is not None:
        _microseconds(now.read())
    if zone is not None:
        zone.read()
    raise OSError(errno.EPERM, "settimeofday")


def times(thread: PosixThread, used: Pointer[Record] | None) -> int:
    """CPU time of the process and of its children that were waited for, in clock ticks; returns ticks since a start."""
    found = thread.host.times()
    if used is not None:
        used.write(
            {
                "utime": int(found.user * _TICKS),
                "stime": int(found.system * _TICKS),
                "cutime": int(found.children_user * _TICKS),
                "cstime": int(found.children_system * _TICKS),
            }
        )
    return int(found.elapsed * _TICKS)


# --- sleep ---


def nanosleep(thread: PosixThread, want: Pointer[Record], left: Pointer[Record] | None) -> None:
    """Sleep for *want*; *left* is what remains when a handler cut the sleep short.

    Raises:
        OSError: EINVAL for a time that is none. (EINTR comes from the scheduler.)
    """
    _sleep(thread, CLOCKS["CLOCK_MONOTONIC"], nanoseconds(thread, want.read()), left)


def clock_nanosleep(
    thread: PosixThread, clock: Constant, flags: FlagSet, want: Pointer[Record], left: Pointer[Record] | None
) -> None:
    """Sleep for *want*, or with TIMER_ABSTIME until then, on *clock*; see `nanosleep`.

    Raises:
        OSError: EINVAL for no clock, EOPNOTSUPP for one that can't be slept on, EPERM for one that wakes the machine.
    """
    on = host_clock(thread, clock)
    if clock == "CLOCK_THREAD_CPUTIME_ID":
        raise OSError(errno.EINVAL, "a thread can't sleep on its own CPU time")
    if clock.endswith("_COARSE") or clock == "CLOCK_MONOTONIC_RAW":
        raise OSError(errno.EOPNOTSUPP, f"no sleep on {clock}")
    if clock.endswith("_ALARM"):
        raise OSError(errno.EPERM, clock)
    wanted = nanoseconds(thread, want.read())
    if "TIMER_ABSTIME" in flags:
        _sleep_until(thread, on, wanted)
    else:
        _sleep(thread, on, wanted, left)


def _sleep(thread: PosixThread, clock: int, wanted: int, left: Pointer[Record] | None) -> None:
    target = thread.resume if isinstance(thread.resume, int) else thread.host.clock_gettime(clock) + wanted
    remaining = target - thread.host.clock_gettime(clock)
    if remaining <= 0:
        return
    if thread.interrupted and left is not None:
        left.write(split(remaining))
    _wait(thread, remaining, target)


def _sleep_until(thread: PosixThread, clock: int, target: int) -> None:
    remaining = target - thread.host.clock_gettime(clock)
    if remaining > 0:
        _wait(thread, remaining, target)


def _wait(thread: PosixThread, remaining: int, target: int) -> NoReturn:
    until = time.monotonic() + min(max(remaining, _SHORTEST if thread.entered else 0), _LONGEST) / SECOND
    thread.wait(until=until, resume=target, restart="no_handler")


# --- interval timers: the host's own, whose signals reach the guest as any signal of the host does ---


def getitimer(thread: PosixThread, timer: Constant, value: Pointer[Record]) -> None:
    """What is left of an interval timer. Raises OSError(EINVAL) for no timer."""
    value.write(_itimerval(thread.host.getitimer(_itimer(timer))))


def setitimer(
    thread: PosixThread, timer: Constant, value: Pointer[Record] | None, old_value: Pointer[Record] | None
) -> None:
    """Arm or disarm an interval timer. A missing *value* disarms (man page, BUGS).

    Raises:
        OSError: EINVAL for no timer or a time that is none.
    """
    wanted = Record() if value is None else value.read()
    which = _itimer(timer)
    first, interval = (_microseconds(wanted, f"{part}.") if wanted else 0 for part in ("value", "interval"))
    old = thread.host.setitimer(which, first / 1e6, interval / 1e6)
    if old_value is not None:
        old_value.write(_itimerval(old))


def alarm(thread: PosixThread, seconds: int) -> int:
    """SIGALRM after *seconds*, or none for 0; returns what was left of the last alarm, at least 1 if there was one."""
    old, _ = thread.host.setitimer(ITIMERS["ITIMER_REAL"], float(min(seconds, 0x7FFFFFFF)), 0.0)
    return max(1, round(old)) if old > 0 else 0


def _itimer(timer: Constant) -> int:
    if timer not in ITIMERS:
        raise OSError(errno.EINVAL, f"no timer {timer}")
    return ITIMERS[timer]


def _itimerval(pair: tuple[float, float]) -> dict[str, object]:
    fields: dict[str, object] = {}
    for part, seconds in zip(("value", "interval"), pair, strict=True):
        whole, fraction = divmod(round(seconds * 1_000_000), 1_000_000)
        fields |= {f"{part}.sec": whole, f"{part}.usec": fraction}
    return fields


def _microseconds(value: Record, prefix: str = "") -> int:
    """A timeval as microseconds; raises OSError(EINVAL) for one out of range."""
    seconds, fraction = value.int(f"{prefix}sec"), value.int(f"{prefix}usec")
    if seconds < 0 or not 0 <= fraction < 1_000_000:
        raise OSError(errno.EINVAL, "tv_sec or tv_usec out of range")
    return seconds * 1_000_000 + fraction
