"""Signals by name between guest and host. Real-time signals have numbers only: the kernel's 32 and up on both sides."""

from __future__ import annotations

import errno
import signal

from compat.abi.abi import Abi
from compat.abi.flags import Constant

__all__ = ["check", "from_host", "to_host"]

_REAL_TIME = 32
_HOST_LAST = int(getattr(signal, "SIGRTMAX", 0))


def check(abi: Abi, number: Constant) -> int:
    """The guest's number; 0 is allowed. Raises OSError(EINVAL) for one that is no signal."""
    if not 0 <= number.value <= abi.signals.values["SIGRTMAX"]:
        raise OSError(errno.EINVAL, f"no signal {number.value}")
    return number.value


def to_host(abi: Abi, number: int) -> int:
    """The host's number for the guest's; raises OSError(EINVAL) for a signal that the host does not have."""
    if number == 0 or (abi.signals.values["SIGRTMIN"] <= number <= _HOST_LAST):
        return number
    found = getattr(signal, abi.signals.decode(number), None)
    if not isinstance(found, signal.Signals):
        raise OSError(errno.EINVAL, f"the host has no signal {number}")
    return int(found)


def from_host(abi: Abi, number: int) -> int:
    """The guest's number for the host's; SIGKILL for one that the guest does not have."""
    if _REAL_TIME <= number <= _HOST_LAST:
        return number
    try:
        return abi.signals.values.get(signal.Signals(number).name, abi.signals.values["SIGKILL"])
    except ValueError:
        return abi.signals.values["SIGKILL"]
