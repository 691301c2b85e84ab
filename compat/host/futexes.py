"""futex(2) on words of this process's own memory that other host processes share.

Hosts without it, and CPUs whose number of the call isn't known here, are told by looking at the word again.
"""

from __future__ import annotations

import errno
import os
import struct
import time
from typing import Final

from compat.host.constants import LINUX
from compat.host.libc import WithLibc

_CALL: Final = {"x86_64": 202, "aarch64": 98, "riscv64": 98}.get(os.uname().machine) if LINUX else None
_WAIT_BITSET, _WAKE_BITSET, _REQUEUE = 9, 10, 3  # include/uapi/linux/futex.h
_LOOK_AGAIN = 0.01  # seconds


class Futexes(WithLibc):
    """*place* is the host address of a word of 32 bits, in the host's byte order."""

    def futex_wait(self, place: int, value: int, mask: int, seconds: float) -> None:
        """Block while nobody wakes. OSError: EAGAIN for another value, ETIMEDOUT, EINTR."""
        until = time.monotonic_ns() + round(seconds * 1e9)
        if _CALL is not None:
            limit = struct.pack("@2l", *divmod(until, 10**9))
            self._libc.call("syscall", "lpiuspu", _CALL, place, _WAIT_BITSET, value, limit, None, mask)
            return
        while self._libc.word(place) == value:
            if time.monotonic_ns() >= until:
                raise OSError(errno.ETIMEDOUT, "futex_wait")
            time.sleep(_LOOK_AGAIN)

    def futex_wake(self, place: int, most: int, mask: int) -> int:
        """Wake up to *most* that wait for a bit of *mask*; returns how many."""
        if _CALL is None:
            return 0
        return self._libc.call("syscall", "lpiuppu", _CALL, place, _WAKE_BITSET, most, None, None, mask)

    def futex_requeue(self, place: int, target: int, wake: int, move: int) -> int:
        """Wake up to *wake* and let up to *move* others wait at *target*; returns how many were woken."""
        if _CALL is None:
            return 0
        return self._libc.call("syscall", "lpiuzpu", _CALL, place, _REQUEUE, wake, move, target, 0)
