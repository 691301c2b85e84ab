"""Host signals for the guest: the host's disposition follows the guest's, by the signal's name.

A signal that the guest handles or blocks is caught by Python and queued; one that it ignores the host ignores; one with
the default action the host may act on itself. Once caught, a signal stays caught: delivery then does what is due.
"""

from __future__ import annotations

import signal as host_signal

from shims.linux.state import LinuxProcess
from shims.posix.state import Pending

__all__ = ["catch_again", "catch_blocked", "host_number", "set_disposition"]

_OWN = frozenset(
    ("SIGKILL", "SIGSTOP", "SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGTRAP", "SIGSYS", "SIGABRT", "SIGPIPE")
)
"""Signals that the host never passes on: they can't be caught, or the guest's own faults raise them inside."""


def host_number(process: LinuxProcess, number: int) -> int | None:
    """The host's number of the guest's signal, None where the host has none."""
    name = str(process.abi.signals.decode(number))
    found = getattr(host_signal, name, None)
    return int(found) if isinstance(found, host_signal.Signals) else None


def set_disposition(process: LinuxProcess, number: int, handler: int) -> None:
    """Let the host treat a signal as the guest's new action wants."""
    if handler > 1:
        _catch(process, number)
    elif number in process.caught or _passed_on(process, number) is None:
        return
    elif (host := _passed_on(process, number)) is not None:
        host_signal.signal(host, host_signal.SIG_IGN if handler == 1 else host_signal.SIG_DFL)


def catch_blocked(process: LinuxProcess, mask: int) -> None:
    """Signals that a thread blocks or waits for must be queued, not acted on by the host."""
    wanted = mask & ~process.caught_mask
    while wanted:
        number = (wanted & -wanted).bit_length()
        wanted &= wanted - 1
        _catch(process, number)


def catch_again(process: LinuxProcess, numbers: set[int]) -> None:
    """The process has another CPU and another engine: catch *numbers*, as that CPU counts them, for it."""
    process.caught, process.caught_mask = set(), 0
    for number in numbers:
        _catch(process, number)


def _passed_on(process: LinuxProcess, number: int) -> int | None:
    if str(process.abi.signals.decode(number)) in _OWN:
        return None
    return host_number(process, number)


def _catch(process: LinuxProcess, number: int) -> None:
    process.caught_mask |= 1 << (number - 1)
    if number in process.caught:
        return
    process.caught.add(number)
    host = _passed_on(process, number)
    if host is None:
        return

    def queue(received: int, frame: object) -> None:
        if all(p.number != number for p in process.pending):  # standard signals don't queue (signal(7))
            process.pending.append(Pending(number, "SI_KERNEL"))
        if process.engine is not None:
            process.engine.attend()

    host_signal.signal(host, queue)
    if process.engine is not None:
        process.engine.listen()
