"""Host signals for the guest: the host's disposition follows the guest's, by the signal's name.

A signal that the guest handles, blocks or waits for is held back on the host and read with its siginfo
(`shims.linux.arriving`); one that it ignores the host ignores; one with the default action the host acts on itself.
Once held back, a signal stays so: delivery then does what is due.
"""

from __future__ import annotations

import signal as host_signal
from functools import partial

from compat.host import ASKING
from shims.linux.state import LinuxProcess, LinuxThread
from shims.posix.host_signals import to_host
from shims.posix.state import Action, Pending

__all__ = [
    "adopt_dispositions",
    "catch_again",
    "catch_blocked",
    "catch_endings",
    "forget_handlers",
    "release_unused",
    "set_disposition",
]

_OWN = frozenset(("SIGKILL", "SIGSTOP", "SIGBUS"))
"""Signals that can't be held back; SIGBUS is compat's own (compat.memory.guard)."""

_LIBRARY = range(32, 34)
"""Real-time signals that the host's C library keeps to itself."""


def set_disposition(process: LinuxProcess, number: int, action: Action, old: Action) -> None:
    """Let the host treat a signal as the guest's new action wants."""
    if action.handler > 1:
        _catch(process, number)
    name = str(process.abi.signals.decode(number))
    if (action.handler == 1) == (old.handler == 1) and (name != "SIGCHLD" or action.flags == old.flags):
        return
    host = _passed_on(process, number)
    if host is None or (name == "SIGPIPE" and number not in process.caught):
        return  # the host ignores SIGPIPE: a failed write tells the guest itself
    flags = action.flags if name == "SIGCHLD" else frozenset[str]()
    process.host.set_disposition(
        host,
        ignored=action.handler == 1,
        no_stops="SA_NOCLDSTOP" in flags,
        no_zombies="SA_NOCLDWAIT" in flags,
    )


def forget_handlers(process: LinuxProcess) -> None:
    """Only what is ignored stays so after execve (flush_signal_handlers() of kernel/signal.c)."""
    for number, old in list(process.actions.items()):
        if old.handler != 1 or old.flags:
            new = Action(1) if old.handler == 1 else Action()
            process.actions[number] = new
            set_disposition(process, number, new, old)


def catch_blocked(process: LinuxProcess, mask: int) -> None:
    """Signals that a thread blocks or waits for must be queued, not acted on by the host."""
    wanted = mask & ~process.caught_mask
    while wanted:
        number = (wanted & -wanted).bit_length()
        wanted &= wanted - 1
        _catch(process, number)


def release_unused(process: LinuxProcess) -> None:
    """SIGTTOU is held back no longer than the guest wants: while it is, the host lets all write to a terminal."""
    number = process.abi.signals.encode("SIGTTOU")
    bit = 1 << (number - 1)
    if not process.caught_mask & bit or process.actions.get(number, Action()).handler > 1:
        return
    if any(isinstance(each, LinuxThread) and (each.mask | each.wanted) & bit for each in process.threads.values()):
        return
    process.caught_mask &= ~bit
    process.caught.discard(number)
    if (host := _passed_on(process, number)) is not None:
        process.host.release_signals([host])


def catch_again(process: LinuxProcess, numbers: set[int]) -> None:
    """The process has another CPU and another engine: catch *numbers*, as that CPU counts them, for it."""
    process.caught, process.caught_mask = set(), 0
    for number in numbers:
        _catch(process, number)


def catch_endings(process: LinuxProcess) -> None:
    """There is something to remove when the process ends: signals that end it from outside may not end it at once.

    Not SIGINT: a shell that runs a loop goes on unless it sees the program die by that one.
    """
    for name in ("SIGHUP", "SIGTERM"):
        number = process.abi.signals.encode(name)
        host = _passed_on(process, number)
        if host is None or host_signal.getsignal(host) is not host_signal.SIG_DFL:
            continue
        if process.actions.get(number, Action()).handler == 0:
            _catch(process, number)


def adopt_dispositions(thread: LinuxThread) -> None:
    """Begin as a program does: what the host ignores is ignored, what it holds back is blocked."""
    process = thread.process
    held = process.host.held_signals()
    for number in range(1, process.most_signals + 1):
        host = _passed_on(process, number)
        if host is None:
            continue
        if host in held:
            thread.mask |= 1 << (number - 1)
        if host not in _OF_PYTHON and host_signal.getsignal(host) is host_signal.SIG_IGN:
            process.actions[number] = Action(1)
    catch_blocked(process, thread.mask)


_OF_PYTHON = (host_signal.SIGPIPE, host_signal.SIGXFSZ)
"""Signals that Python ignores whatever was before."""


def _passed_on(process: LinuxProcess, number: int) -> int | None:
    """The host's number of a signal that it may bring."""
    if str(process.abi.signals.decode(number)) in _OWN or number in _LIBRARY:
        return None
    try:
        host = to_host(process.abi, number)
    except OSError:
        return None
    return host if host != ASKING else None  # shims/linux/inquiries.py passes it on


def _catch(process: LinuxProcess, number: int) -> None:
    process.caught_mask |= 1 << (number - 1)
    if number in process.caught:
        return
    process.caught.add(number)
    host = _passed_on(process, number)
    if host is None:
        return
    if process.notices < 0 and not _open_notices(process):
        _catch_in_python(process, number, host)
    else:
        process.host.hold_signals([host])
        if process.actions.get(number, Action()).handler != 1:
            process.host.set_disposition(host, ignored=False)
    if process.engine is not None:
        process.engine.listen()


def _open_notices(process: LinuxProcess) -> bool:
    """Whether the host has a descriptor that tells of signals."""
    from shims.linux.arriving import take_in  # only here: many guests never need it

    try:
        process.notices = process.host.signalfd()
    except OSError:
        return False
    process.gather = partial(take_in, process)
    return True


def _catch_in_python(process: LinuxProcess, number: int, host: int) -> None:
    """The host tells no more than the number."""

    def queue(received: int, frame: object) -> None:
        if all(p.number != number for p in process.pending):  # standard signals don't queue (signal(7))
            process.pending.append(Pending(number, "SI_KERNEL"))
        if process.engine is not None:
            process.engine.attend()

    host_signal.signal(host, queue)
