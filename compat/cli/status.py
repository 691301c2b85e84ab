"""How a run ends: as the guest ended."""

from __future__ import annotations

import os
import signal
from typing import NoReturn

from compat.abi.abi import Abi
from compat.cli.refusals import flush

__all__ = ["end", "exit_status", "host_signal"]

_REAL_TIME = 32  # signals from here on have the same numbers on every CPU


def exit_status(abi: Abi, word: int) -> int:
    """A guest's wait status word as a shell shows it: 0–255, or 128 + the host's number of the signal."""
    return 128 + host_signal(abi, os.WTERMSIG(word)) if os.WIFSIGNALED(word) else os.WEXITSTATUS(word)


def host_signal(abi: Abi, number: int) -> int:
    """The host's number of the guest's signal *number*, by its name; SIGKILL where the host has none."""
    found = getattr(signal, str(abi.signals.decode(number)), None)
    if isinstance(found, signal.Signals):
        return int(found)
    return number if number >= _REAL_TIME else int(signal.SIGKILL)


def end(abi: Abi, word: int, *, child: bool) -> NoReturn:
    """End this host process as the guest ended with the wait status *word*.

    A *child*, whose guest parent waits for it as for any host process, dies by the guest's signal. Python is not wound
    down: nothing is left to do that its 5 ms would be worth.
    """
    flush()
    if child and os.WIFSIGNALED(word):
        _die(host_signal(abi, os.WTERMSIG(word)))
    os._exit(exit_status(abi, word))


def _die(number: int) -> NoReturn:
    """End this process by a signal, without a core file of Python's memory."""
    import resource

    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
        os.kill(os.getpid(), number)
    except (OSError, ValueError):
        pass
    os._exit(128 + number)
