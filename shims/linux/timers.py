"""POSIX timers: the host's own, all of which fire with one signal; here it becomes the guest's (timer_create(2))."""

from __future__ import annotations

import errno
import itertools

from compat.abi.flags import Constant, FlagSet
from compat.abi.handles import Pointer
from compat.abi.structs import Record
from shims.linux.catching import catch_blocked
from shims.linux.state import LinuxProcess, LinuxThread, Timer
from shims.linux.timer_pace import keep_pace, left, set_pace
from shims.posix.clock import host_clock, nanoseconds, split
from shims.posix.sending import queues
from shims.posix.state import Pending

__all__ = ["delete_timers", "fired"]

_ABSTIME = 1  # TIMER_ABSTIME of the host
_HOST_SIGNAL = 64  # the last real-time signal; the guest may use it as well, since SI_TIMER tells them apart
_MOST_OVERRUNS = 0x7FFF_FFFF  # DELAYTIMER_MAX
_MOST_TIMERS = 4096
_NO_TIMERS = ("CLOCK_MONOTONIC_RAW", "CLOCK_REALTIME_COARSE", "CLOCK_MONOTONIC_COARSE")


def timer_create(thread: LinuxThread, clock: Constant, event: Pointer[Record] | None, timer: Pointer[int]) -> None:
    """Make a timer that is not armed yet.

    Raises:
        OSError: EINVAL for no clock, signal or kind of notice, EOPNOTSUPP for a clock without timers, EPERM for one
            that wakes the machine, EAGAIN at the limit of timers.
    """
    process = thread.process
    on = host_clock(thread, clock)
    if clock in _NO_TIMERS:
        raise OSError(errno.EOPNOTSUPP, f"no timers on {clock}")
    if clock.endswith("_ALARM"):
        raise OSError(errno.EPERM, clock)
    if len(process.timers) >= _MOST_TIMERS:
        raise OSError(errno.EAGAIN, "limit of timers")
    number = next(n for n in itertools.count() if n not in process.timers)
    made = _timer_of(thread, number, event)
    process.timer_serial += 1
    made.serial = process.timer_serial
    if made.signal:
        catch_blocked(process, 1 << (_HOST_SIGNAL - 1))
        if process.notices < 0:
            raise OSError(errno.ENOSYS, "the host does not tell which timer fired")
    made.host = process.host.timer_create(on, _HOST_SIGNAL if made.signal else 0, made.serial)
    process.timers[number] = made
    try:
        timer.write(number)
    except Exception:
        _delete(process, number)
        raise


def _timer_of(thread: LinuxThread, number: int, event: Pointer[Record] | None) -> Timer:
    """What timer *number* shall do (good_sigevent() of kernel/time/posix-timers.c)."""
    if event is None:
        return Timer(thread.abi.signals.encode("SIGALRM"), number, 0)
    record = event.read()
    kinds = thread.abi.constants("SigNotify")
    notify, signal = kinds.decode(record.int("notify")), record.int("signo")
    if notify == "SIGEV_NONE":
        return Timer(0, record.int("value"), 0)
    if notify not in ("SIGEV_SIGNAL", "SIGEV_THREAD", "SIGEV_THREAD_ID"):
        raise OSError(errno.EINVAL, "sigev_notify")
    if not 1 <= signal <= thread.process.most_signals:
        raise OSError(errno.EINVAL, "sigev_signo")
    tid = record.int("tid") if notify == "SIGEV_THREAD_ID" else 0
    if tid and tid not in thread.process.threads:
        raise OSError(errno.EINVAL, "sigev_notify_thread_id")
    return Timer(signal, record.int("value"), tid)


def timer_settime(
    thread: LinuxThread, timer: int, flags: FlagSet, value: Pointer[Record], old_value: Pointer[Record] | None
) -> None:
    """Arm a timer, or disarm it with a value of 0. Raises OSError(EINVAL) for no timer or a time that is none."""
    wanted = value.read()
    interval, first = (nanoseconds(thread, wanted, f"{part}.") for part in ("interval", "value"))
    found = _find(thread, timer)
    _forget(thread.process, found)
    old = left(
        found, thread.host.timer_settime(found.host, _ABSTIME if "TIMER_ABSTIME" in flags else 0, interval, first)
    )
    set_pace(found, interval)
    if old_value is not None:
        old_value.write(_itimerspec(old))


def timer_gettime(thread: LinuxThread, timer: int, value: Pointer[Record]) -> None:
    """What is left until the timer fires. Raises OSError(EINVAL) for no timer."""
    found = _find(thread, timer)
    value.write(_itimerspec(left(found, thread.host.timer_gettime(found.host))))


def timer_getoverrun(thread: LinuxThread, timer: int) -> int:
    """How often it fired between the last signal's queueing and delivery. Raises OSError(EINVAL) for no timer."""
    found = _find(thread, timer)
    told = found.told if _waits(thread.process, found) else found.pending
    return 0 if told is None else _overrun(told)


def timer_delete(thread: LinuxThread, timer: int) -> None:
    """Disarm and forget a timer. Raises OSError(EINVAL) for none."""
    _find(thread, timer)
    _delete(thread.process, timer)


def delete_timers(process: LinuxProcess) -> None:
    """execve leaves none."""
    for number in list(process.timers):
        _delete(process, number)


def _find(thread: LinuxThread, number: int) -> Timer:
    found = thread.process.timers.get(number)
    if found is None:
        raise OSError(errno.EINVAL, f"no timer {number}")
    return found


def _delete(process: LinuxProcess, number: int) -> None:
    timer = process.timers.pop(number)
    process.host.timer_delete(timer.host)
    _forget(process, timer)


def _forget(process: LinuxProcess, timer: Timer) -> None:
    """A signal of an earlier setting that still waits is dropped."""
    process.gather()
    for queue in queues(process):
        queue[:] = [each for each in queue if each is not timer.pending]
    process.pending_changed()
    timer.pending = timer.told = None


def _itimerspec(pair: tuple[int, int]) -> dict[str, object]:
    return split(pair[0], "interval.") | split(pair[1], "value.")


# --- firing ---


def fired(process: LinuxProcess, serial: int, overrun: int) -> None:
    """The host's timer *serial* fired, and *overrun* times more before its signal was taken."""
    found = next(((n, timer) for n, timer in process.timers.items() if timer.serial == serial), None)
    if found is None:
        return
    number, timer = found
    overrun = keep_pace(process, timer, overrun)
    if timer.pending is not None and _waits(process, timer):
        timer.pending.fields["overrun"] = min(_overrun(timer.pending) + 1 + overrun, _MOST_OVERRUNS)
        return
    target = process.threads.get(timer.thread) if timer.thread else None
    if timer.thread and not isinstance(target, LinuxThread):
        return
    fields: dict[str, object] = {"timer": number, "overrun": overrun, "value": timer.value}
    timer.told, timer.pending = timer.pending, Pending(timer.signal, "SI_TIMER", "SiginfoTimer", fields)
    queue = target.pending if isinstance(target, LinuxThread) else process.pending
    queue.append(timer.pending)
    process.pending_changed(timer.signal)
    process.attention = True


def _waits(process: LinuxProcess, timer: Timer) -> bool:
    return any(each is timer.pending for queue in queues(process) for each in queue)


def _overrun(pending: Pending) -> int:
    count = pending.fields["overrun"]
    assert isinstance(count, int)
    return count
