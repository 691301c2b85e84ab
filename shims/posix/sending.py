"""Sending signals: to the process itself they wait in its queues; to its kin they go through the host."""

from __future__ import annotations

import errno

from compat.abi.flags import Constant
from shims.posix.family import is_visible, visible
from shims.posix.host_signals import check, to_host
from shims.posix.state import Pending, PosixProcess, PosixThread

__all__ = ["queue_for_process", "queue_for_thread", "queues", "sender"]

_STOPPING = ("SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU")
_UNLIMITED = 1 << 31  # as many as nobody can queue


def kill(thread: PosixThread, pid: int, signal: Constant) -> None:
    """Send *signal* to a process (> 0), to the own group (0), to all but oneself (-1), or to a group (< -1); only
    processes that the guest can see are meant.

    Raises:
        OSError: EINVAL for no signal, ESRCH if nobody is meant, EPERM from the host.
    """
    number, process = check(thread.abi, signal), thread.process
    if pid > 0:
        _send(process, pid, number, sender(thread))
        return
    reached, error = False, OSError(errno.ESRCH, "nobody to signal")
    for each in _meant(process, pid):
        try:
            _send(process, each, number, sender(thread), known=True)
            reached = True
        except OSError as refusal:
            error = refusal  # it ended meanwhile: as long as anyone is reached, all is well
    if not reached:
        raise error


def _meant(process: PosixProcess, pid: int) -> list[int]:
    everyone = visible(process)
    if pid == -1:
        return [each for each in everyone if each != process.pid]
    group = -pid or process.host.getpgid(0)
    return [each for each, relation in everyone.items() if relation.group == group]


def _send(process: PosixProcess, pid: int, number: int, fields: dict[str, object], *, known: bool = False) -> None:
    """Signal one process, which the guest is *known* to see or may not."""
    if pid == process.pid:
        _queue(process, number, fields)
    elif known or is_visible(process, pid):
        process.host.kill(pid, to_host(process.abi, number))
    else:
        raise OSError(errno.ESRCH, f"no process {pid}")


def _queue(process: PosixProcess, number: int, fields: dict[str, object]) -> None:
    if number:
        queue_for_process(process, Pending(number, "SI_USER", "SiginfoKill", fields))


def sender(thread: PosixThread) -> dict[str, object]:
    """Who sends, as a siginfo's fields."""
    return {"pid": thread.process.pid, "uid": thread.process.credentials.users.real}


def queue_for_process(process: PosixProcess, pending: Pending) -> None:
    """Let any thread of this process take the signal; a standard signal that already waits is not queued twice.

    Raises OSError(EAGAIN) for a real-time signal that was not sent by kill, at the limit of pending signals.
    """
    _queue_once(process, process.pending, pending)


def queue_for_thread(thread: PosixThread, pending: Pending) -> None:
    """Let this thread take the signal; as `queue_for_process`."""
    _queue_once(thread.process, thread.pending, pending)


def _queue_once(process: PosixProcess, queue: list[Pending], pending: Pending) -> None:
    real_time = pending.number >= process.abi.signals.values["SIGRTMIN"]
    if real_time and pending.code != "SI_USER" and _is_full(process):
        raise OSError(errno.EAGAIN, "RLIMIT_SIGPENDING")
    _cancel_contrary(process, str(process.abi.signals.decode(pending.number)))
    if (real_time and not _is_full(process)) or all(each.number != pending.number for each in queue):
        queue.append(pending)
        process.pending_changed(pending.number)
    process.attention = True


def _is_full(process: PosixProcess) -> bool:
    most = process.limits.get("RLIMIT_SIGPENDING", (_UNLIMITED, _UNLIMITED))[0]
    return most < _UNLIMITED and sum(map(len, queues(process))) >= most


def queues(process: PosixProcess) -> list[list[Pending]]:
    """The process's queue and those of its threads."""
    return [process.pending, *(each.pending for each in process.threads.values() if isinstance(each, PosixThread))]


def _cancel_contrary(process: PosixProcess, name: str) -> None:
    """A process that shall go on does not stop first, nor the other way (prepare_signal() of kernel/signal.c)."""
    contrary = _STOPPING if name == "SIGCONT" else ("SIGCONT",) if name in _STOPPING else ()
    for queue in queues(process) if contrary else ():
        queue[:] = [each for each in queue if process.abi.signals.decode(each.number) not in contrary]
