"""Descriptors that count events: eventfd and timerfd. They are the host's, so that poll and epoll see them."""

from __future__ import annotations

import errno
import os
import select
import sys
import time

from compat.abi.flags import Constant, FlagSet
from compat.abi.handles import Pointer
from compat.abi.structs import Record
from compat.host import CLOCKS
from compat.host.events import TFD_ABSTIME, TFD_NONBLOCK
from shims.linux.state import LinuxThread
from shims.posix.clock import nanoseconds, split
from shims.posix.openfiles import OpenFile, SpecialFile
from shims.posix.state import PosixThread
from shims.posix.transfers import nonblocking, wait_until_ready

_SIZE = 8
_LOOK_AGAIN = 0.01  # seconds


class Counter(SpecialFile):
    """A 64-bit number that travels in the guest's byte order; the host's descriptor has its own."""

    travels = True

    def read(self, thread: PosixThread, file: OpenFile, views: list[memoryview]) -> int:
        """Take the number; waits while it is 0. Raises OSError: EINVAL for less room than 8 bytes, EAGAIN."""
        if sum(map(len, views)) < _SIZE:
            raise OSError(errno.EINVAL, "less than 8 bytes")
        wait_until_ready(thread, file, select.POLLIN)
        data = _swap(thread, thread.host.read(file.fd, _SIZE))
        for view in views:
            part, data = data[: len(view)], data[len(view) :]
            view[: len(part)] = part
        return _SIZE


class EventCounter(Counter):
    """eventfd."""

    def write(self, thread: PosixThread, file: OpenFile, views: list[memoryview]) -> int:
        """Add a number; waits while it would overflow. Raises OSError: EINVAL for fewer bytes or 2**64 - 1, EAGAIN."""
        data = b"".join(bytes(view[:_SIZE]) for view in views[:_SIZE])[:_SIZE]
        if len(data) < _SIZE:
            raise OSError(errno.EINVAL, "less than 8 bytes")
        wait_until_ready(thread, file, select.POLLOUT)
        return _add(thread, file, _swap(thread, data))


def _add(thread: PosixThread, file: OpenFile, data: bytes) -> int:
    """Write without blocking the host, although poll only says that 1 fits; if more does not, look again later."""
    waits = not nonblocking(file)
    try:
        thread.host.set_blocking(file.fd, False)
        return thread.host.write(file.fd, data)
    except BlockingIOError:
        if waits:
            thread.wait(until=time.monotonic() + _LOOK_AGAIN)
        raise
    finally:
        thread.host.set_blocking(file.fd, waits)


def _swap(thread: PosixThread, data: bytes) -> bytes:
    return data if thread.abi.cpu.endian == sys.byteorder else data[::-1]


def add_file(
    thread: LinuxThread, fd: int, kind: SpecialFile, *, close_on_exec: bool, name: bytes = b"[eventfd]"
) -> int:
    """Give the host's descriptor *fd* a number; it is closed where it is refused. Raises OSError(EMFILE)."""
    file = OpenFile(thread.host, fd, path=b"anon_inode:" + name, kind=kind)
    try:
        return thread.process.files.add(file, close_on_exec=close_on_exec)
    except OSError:
        file.close()
        raise


# --- eventfd ---


def eventfd(thread: LinuxThread, value: int) -> int:
    """A counter that starts at *value*. Raises OSError(EMFILE)."""
    return add_file(thread, thread.host.eventfd(value, 0), EventCounter(), close_on_exec=False)


_EVENT_FLAGS = {"EFD_SEMAPHORE": 1, "EFD_NONBLOCK": os.O_NONBLOCK}  # include/uapi/linux/eventfd.h


def eventfd2(thread: LinuxThread, value: int, flags: FlagSet) -> int:
    """eventfd with flags. Raises OSError: EINVAL for unknown ones, EMFILE."""
    if flags.unknown:
        raise OSError(errno.EINVAL, "eventfd flags")
    fd = thread.host.eventfd(value, flags.host(_EVENT_FLAGS))
    return add_file(thread, fd, EventCounter(), close_on_exec="EFD_CLOEXEC" in flags)


# --- timerfd ---


class TimerCounter(Counter):
    """timerfd: how often the timer has fired."""


_TIMER_CLOCKS = ("CLOCK_REALTIME", "CLOCK_MONOTONIC", "CLOCK_BOOTTIME")


def timerfd_create(thread: LinuxThread, clock: Constant, flags: FlagSet) -> int:
    """A timer on *clock*. Raises OSError: EINVAL for flags or the clock, EPERM for a clock that wakes the machine."""
    if flags.unknown or (clock not in _TIMER_CLOCKS and not clock.endswith("_ALARM")):
        raise OSError(errno.EINVAL, "timerfd_create")
    if clock not in _TIMER_CLOCKS:
        raise OSError(errno.EPERM, clock)
    fd = thread.host.timerfd_create(CLOCKS[clock], TFD_NONBLOCK if "TFD_NONBLOCK" in flags else 0)
    return add_file(thread, fd, TimerCounter(), close_on_exec="TFD_CLOEXEC" in flags, name=b"[timerfd]")


def timerfd_settime(
    thread: LinuxThread, fd: int, flags: FlagSet, value: Pointer[Record], old_value: Pointer[Record] | None
) -> None:
    """Arm the timer, or disarm it with a value of 0.

    Raises:
        OSError: EBADF, EINVAL for another file, unknown flags or a time that is none.
    """
    wanted = value.read()
    interval, first = (nanoseconds(thread, wanted, f"{part}.") for part in ("interval", "value"))
    host_fd = _timer(thread, fd)
    if flags.unknown:
        raise OSError(errno.EINVAL, "timerfd_settime flags")
    host_flags = flags.host({"TFD_TIMER_ABSTIME": TFD_ABSTIME, "TFD_TIMER_CANCEL_ON_SET": 2})
    old = thread.host.timerfd_settime(host_fd, host_flags, interval, first)
    if old_value is not None:
        old_value.write(_itimerspec(old))


def timerfd_gettime(thread: LinuxThread, fd: int, value: Pointer[Record]) -> None:
    """What is left until the timer fires. Raises OSError: EBADF, EINVAL for another file."""
    value.write(_itimerspec(thread.host.timerfd_gettime(_timer(thread, fd))))


def _timer(thread: LinuxThread, fd: int) -> int:
    file = thread.process.files.get(fd)
    if not isinstance(file.kind, TimerCounter):
        raise OSError(errno.EINVAL, "no timer")
    return file.fd


def _itimerspec(pair: tuple[int, int]) -> dict[str, object]:
    return split(pair[0], "interval.") | split(pair[1], "value.")
