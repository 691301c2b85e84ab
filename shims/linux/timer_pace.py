"""The pace of a timer that fires faster than its signals can be handled.

A handler takes longer here than on a kernel. With a signal for each of its firings a fast timer would leave a thread
no time between two handlers, for good. So the host's timer fires more seldom, until it is no longer ahead; the firings
that were left out are overruns, which is what the guest is told of firings that it was too slow for.
"""

from __future__ import annotations

from shims.linux.state import LinuxProcess, Timer

__all__ = ["keep_pace", "left", "set_pace"]

_IN_A_ROW = 8
_SLOWEST = 50_000_000  # nanoseconds


def set_pace(timer: Timer, interval: int) -> None:
    """The guest armed the timer, to fire again each *interval* ns, or never again for 0."""
    timer.interval, timer.times, timer.streak, timer.late = interval, 1, 0, False


def keep_pace(process: LinuxProcess, timer: Timer, overrun: int) -> int:
    """The timer fired, and *overrun* times more before its signal was taken; the guest's overruns."""
    told = (overrun + 1) * timer.times - 1
    if not timer.interval:
        return told
    late = overrun > 0
    timer.streak = timer.streak + 1 if late == timer.late else 1
    timer.late = late
    if timer.streak < _IN_A_ROW:
        return told
    times = timer.times * 2 if late else max(1, timer.times // 2)
    timer.streak = 0
    if times != timer.times and (times == 1 or times * timer.interval <= _SLOWEST):
        timer.times = times
        process.host.timer_settime(timer.host, 0, times * timer.interval, times * timer.interval)
    return told


def left(timer: Timer, times: tuple[int, int]) -> tuple[int, int]:
    """The host's (interval, ns until it fires) as the guest's."""
    return times if timer.times == 1 else (timer.interval, times[1] and (times[1] - 1) % timer.interval + 1)
