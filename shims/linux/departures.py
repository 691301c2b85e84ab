"""Children that tell of their end by another signal than SIGCHLD, or by none: the low byte of clone(2)'s flags.

The host's kernel knows nothing of that: to it every child is one of fork. So its SIGCHLD, which may stand for several
children, makes the process look who has ended.
"""

from __future__ import annotations

import errno
import os
import signal as host_signal

from compat.host import Arrived
from shims.linux.catching import catch_blocked
from shims.linux.state import LinuxProcess
from shims.posix.children import child_pending, has_executed
from shims.posix.sending import queue_for_process
from shims.posix.state import Child, Pending

__all__ = ["expect_departure", "mark_departed", "tell_departures"]

_ENDS = (1, 2, 3)  # CLD_EXITED, CLD_KILLED, CLD_DUMPED of asm-generic/siginfo.h
_LOOK = os.WEXITED | os.WNOHANG | os.WNOWAIT


def expect_departure(process: LinuxProcess, signal: int) -> None:
    """A child was born that shall tell of its end by *signal*."""
    usual = process.abi.signals.encode("SIGCHLD")
    if signal != usual:
        catch_blocked(process, 1 << (usual - 1))


def tell_departures(process: LinuxProcess, arrived: Arrived) -> bool:
    """Queue what the end of children gives; True if *arrived* is told by that."""
    if arrived.signal != host_signal.SIGCHLD or arrived.code not in _ENDS:
        return False
    others = {pid: child for pid, child in process.children.items() if not _is_usual(process, pid, child)}
    for pid, child in others.items():
        _tell(process, pid, child)
    if arrived.pid in process.departed:
        process.departed.discard(arrived.pid)
    elif arrived.pid not in others:
        if arrived.pid in process.children:
            process.children[arrived.pid].told = True
        return False
    for pid in process.children.keys() - others.keys():  # the one signal may stand for these, too
        child = process.children[pid]
        if not child.told and (pending := _end_of(process, pid)) is not None:
            child.told = True
            process.departed.add(pid)  # or its own is still to come
            queue_for_process(process, pending)
            break
    return True


def mark_departed(process: LinuxProcess, pid: int, child: Child) -> None:
    """*child* was waited for; if that came before the host's signal, its own is due now."""
    if child.told or _is_usual(process, pid, child):
        return
    process.departed.add(pid)
    fields: dict[str, object] = {"pid": pid, "uid": process.credentials.users.real, "status": 0}
    _queue(process, child, Pending(child.signal, "CLD_EXITED", "SiginfoChild", fields))


def _is_usual(process: LinuxProcess, pid: int, child: Child) -> bool:
    return child.signal == process.abi.signals.values["SIGCHLD"] or has_executed(process, pid)


def _tell(process: LinuxProcess, pid: int, child: Child) -> None:
    pending = None if child.told else _end_of(process, pid)
    if pending is not None:
        _queue(process, child, Pending(child.signal, pending.code, pending.layout, pending.fields))


def _end_of(process: LinuxProcess, pid: int) -> Pending | None:
    try:
        return child_pending(process, process.host.waitid(os.P_PID, pid, _LOOK))
    except OSError as error:
        if error.errno != errno.ECHILD:
            raise
        return None


def _queue(process: LinuxProcess, child: Child, pending: Pending) -> None:
    child.told = True
    if 0 < child.signal <= process.most_signals:
        queue_for_process(process, pending)
