"""The host's POSIX timers, which tell of each firing by a signal; OSError(ENOSYS) on hosts without them."""

from __future__ import annotations

import struct
from typing import Final

from compat.host.libc import WithLibc

__all__ = ["Timers"]

_EVENT: Final = struct.Struct("@Qii48x")  # struct sigevent of 64-bit Linux: value, signo, notify
_TIMES: Final = struct.Struct("@4l")  # struct itimerspec: interval, value
_ID: Final = struct.Struct("@P")
_SIGEV_SIGNAL, _SIGEV_NONE = 0, 1
_SECOND = 1_000_000_000


class Timers(WithLibc):
    """Times in nanoseconds; a timer is known by what timer_create returned."""

    def timer_create(self, clock: int, signal: int, value: int) -> int:
        """A timer that sends *signal* with *value* as its sival_int, or nothing for signal 0."""
        room = self._libc.buffer(_ID.size)
        event = _EVENT.pack(value, signal, _SIGEV_SIGNAL if signal else _SIGEV_NONE)
        self._libc.call("timer_create", "isp", clock, event, room)
        (timer,) = _ID.unpack(room.raw)
        return int(timer)

    def timer_settime(self, timer: int, flags: int, interval: int, value: int) -> tuple[int, int]:
        """Arm, or disarm with *value* 0; returns the old (interval, value)."""
        old = self._libc.buffer(_TIMES.size)
        new = _TIMES.pack(*divmod(interval, _SECOND), *divmod(value, _SECOND))
        self._libc.call("timer_settime", "pisp", timer, flags, new, old)
        return _pair(old.raw)

    def timer_gettime(self, timer: int) -> tuple[int, int]:
        """(interval, what is left until it fires)."""
        room = self._libc.buffer(_TIMES.size)
        self._libc.call("timer_gettime", "pp", timer, room)
        return _pair(room.raw)

    def timer_delete(self, timer: int) -> None:
        self._libc.call("timer_delete", "p", timer)


def _pair(raw: bytes) -> tuple[int, int]:
    numbers = _TIMES.unpack(raw)
    return numbers[0] * _SECOND + numbers[1], numbers[2] * _SECOND + numbers[3]
