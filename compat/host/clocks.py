"""The host's clocks and interval timers, by the names that Linux gives them."""

from __future__ import annotations

import errno
import signal
import struct
import time
from collections.abc import Mapping
from typing import Final

from compat.data import dataclass
from compat.host.constants import LINUX
from compat.host.libc import WithLibc, raise_errno

# Linux include/uapi/linux/time.h; elsewhere the nearest clock that time.h of the host has
CLOCKS: Final[Mapping[str, int]] = {
    "CLOCK_REALTIME": time.CLOCK_REALTIME,
    "CLOCK_MONOTONIC": time.CLOCK_MONOTONIC,
    "CLOCK_PROCESS_CPUTIME_ID": time.CLOCK_PROCESS_CPUTIME_ID,
    "CLOCK_THREAD_CPUTIME_ID": time.CLOCK_THREAD_CPUTIME_ID,
    "CLOCK_MONOTONIC_RAW": getattr(time, "CLOCK_MONOTONIC_RAW", time.CLOCK_MONOTONIC),
    "CLOCK_REALTIME_COARSE": 5 if LINUX else time.CLOCK_REALTIME,
    "CLOCK_MONOTONIC_COARSE": 6 if LINUX else time.CLOCK_MONOTONIC,
    "CLOCK_BOOTTIME": getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC),
    "CLOCK_REALTIME_ALARM": 8 if LINUX else time.CLOCK_REALTIME,
    "CLOCK_BOOTTIME_ALARM": 9 if LINUX else time.CLOCK_MONOTONIC,
    "CLOCK_TAI": getattr(time, "CLOCK_TAI", time.CLOCK_REALTIME),
}

ITIMERS: Final[Mapping[str, int]] = {
    "ITIMER_REAL": signal.ITIMER_REAL,
    "ITIMER_VIRTUAL": signal.ITIMER_VIRTUAL,
    "ITIMER_PROF": signal.ITIMER_PROF,
}

_TIMEX = struct.Struct("@I4l i 3l 2l 3l i 5l i 44x")  # struct timex, include/uapi/linux/timex.h, 64-bit


@dataclass(frozen=True)
class Timex:
    """struct timex of Linux as adjtimex(2) fills it; *state* is the call's result, TIME_OK …"""

    state: int
    fields: Mapping[str, int]


_TIMEX_FIELDS = (
    "modes", "offset", "freq", "maxerror", "esterror", "status", "constant", "precision", "tolerance", "sec", "usec",
    "tick", "ppsfreq", "jitter", "shift", "stabil", "jitcnt", "calcnt", "errcnt", "stbcnt", "tai",
)  # fmt: skip


class Clocks(WithLibc):
    """Clocks in nanoseconds, interval timers in seconds."""

    def clock_gettime(self, clock: int) -> int:
        """Nanoseconds."""
        return time.clock_gettime_ns(clock)

    def clock_getres(self, clock: int) -> int:
        """Nanoseconds."""
        return round(time.clock_getres(clock) * 1_000_000_000)

    def getitimer(self, which: int) -> tuple[float, float]:
        """(seconds until it fires or 0, seconds between two firings or 0)."""
        return signal.getitimer(which)

    def setitimer(self, which: int, value: float, interval: float) -> tuple[float, float]:
        """Arm, or disarm with *value* 0; returns the old pair as `getitimer` does."""
        return signal.setitimer(which, value, interval)

    def adjtimex(self) -> Timex:
        """What the kernel knows of its clock; nothing is changed. ENOSYS on other hosts than Linux."""
        if not LINUX:
            return Timex(*raise_errno(errno.ENOSYS))
        room = self._libc.buffer(_TIMEX.size)
        state = self._libc.call("adjtimex", "p", room)
        return Timex(state, dict(zip(_TIMEX_FIELDS, _TIMEX.unpack(room.raw), strict=True)))
