"""Time: what Linux adds to POSIX. Calls with 64-bit time on 32-bit CPUs are the same shims over other structs."""

from __future__ import annotations

import errno

from compat.abi.flags import Constant
from compat.abi.handles import Pointer
from compat.abi.structs import Record
from compat.host import CLOCKS
from shims.linux.state import LinuxThread
from shims.posix.clock import SECOND, clock_now


def time(thread: LinuxThread, now: Pointer[int] | None) -> int:
    """Seconds since 1970."""
    seconds = thread.host.clock_gettime(CLOCKS["CLOCK_REALTIME"]) // SECOND
    if now is not None:
        now.write(seconds)
    return seconds


def stime(thread: LinuxThread, now: Pointer[int]) -> None:
    """Refused: only a privileged process sets the clock. Raises OSError(EPERM)."""
    now.read()
    raise OSError(errno.EPERM, "stime")


def adjtimex(thread: LinuxThread, state: Pointer[Record]) -> int:
    """What the host's kernel knows of its clock; returns its state, TIME_OK …

    Raises:
        OSError: EPERM for a request to change something.
    """
    modes = thread.abi.flags("TimexModes").decode(state.read().int("modes"))
    if modes.value and modes != frozenset({"ADJ_OFFSET_SS_READ"}):
        raise OSError(errno.EPERM, "adjtimex")
    found = thread.host.adjtimex()
    fields: dict[str, object] = {**found.fields, "modes": modes.value}
    fields["time.sec"], fields["time.usec"] = fields.pop("sec"), fields.pop("usec")
    state.write(fields)
    return found.state


def clock_adjtime(thread: LinuxThread, clock: Constant, state: Pointer[Record]) -> int:
    """adjtimex of a clock. Raises OSError: EPERM, EINVAL for no clock, EOPNOTSUPP for one that is never adjusted."""
    clock_now(thread, clock)
    if clock != "CLOCK_REALTIME":
        raise OSError(errno.EOPNOTSUPP, f"{clock} can't be adjusted")
    return adjtimex(thread, state)
