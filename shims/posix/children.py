"""News of children: who may be waited for, looking, waiting, and what a look found."""

from __future__ import annotations

import errno
import os
import resource
import select
import time
from typing import Any

from compat.abi.flags import Constant, FlagSet
from shims.posix.host_signals import from_host
from shims.posix.state import Child, Pending, PosixProcess, PosixThread

__all__ = [
    "bury", "child_pending", "forget_vanished", "guest_status", "has_executed", "look_for_child", "take_child",
    "wait_for_child",
]  # fmt: skip

Usage = resource.struct_rusage

_OPTIONS = {name: getattr(os, name) for name in ("WUNTRACED", "WCONTINUED", "WEXITED", "WNOWAIT") if hasattr(os, name)}
_CODES = {
    getattr(os, name): name
    for name in ("CLD_EXITED", "CLD_KILLED", "CLD_DUMPED", "CLD_TRAPPED", "CLD_STOPPED", "CLD_CONTINUED")
    if hasattr(os, name)
}
_LOOK_AGAIN = 0.02  # seconds between two looks for news that no host descriptor tells
_LEAST = -(1 << 31)


# --- who ---


def _chosen(thread: PosixThread, options: FlagSet) -> list[int] | None:
    """The children that the options allow, None for all of them (eligible_child() of kernel/exit.c)."""
    if "__WALL" in options and "__WNOTHREAD" not in options:
        return None
    children, usual = thread.process.children, thread.abi.signals.values["SIGCHLD"]
    chosen = [pid for pid, child in children.items() if _is_meant(thread, pid, child, options, usual)]
    whole = len(chosen) == len(children) and "__WCLONE" not in options
    return None if whole else chosen


def _is_meant(thread: PosixThread, pid: int, child: Child, options: FlagSet, usual: int) -> bool:
    process = thread.process
    if "__WNOTHREAD" in options and child.parent not in (0, thread.id) and child.parent in process.threads:
        return False
    if "__WALL" in options:
        return True
    return (child.signal != usual and not has_executed(process, pid)) == ("__WCLONE" in options)


def has_executed(process: PosixProcess, pid: int) -> bool:
    """Whether the child has another program by now, and with it the usual signal (begin_new_exec() of fs/exec.c)."""
    entry = process.census.entry(pid) if process.census is not None else None
    return entry is not None and entry.executed


# --- looking ---


def wait_for_child(thread: PosixThread, pid: int, options: FlagSet) -> tuple[int, int, Usage]:
    """wait4 in terms of the host: (pid or 0, host status word, resource usage); waits where nothing is new.

    Raises:
        OSError: ECHILD for nobody to wait for, ESRCH for the one number that has no negative.
    """
    process = thread.process
    if pid == _LEAST:
        raise OSError(errno.ESRCH, "wait4 pid")
    found = _take_any(thread, pid, options)
    if found[0]:
        if not (os.WIFSTOPPED(found[1]) or os.WIFCONTINUED(found[1])):
            bury(process, found[0])
    elif "WNOHANG" not in options:
        _await_news(thread, pid, options)
    return found


def _take_any(thread: PosixThread, pid: int, options: FlagSet) -> tuple[int, int, Usage]:
    host, wanted = thread.host, os.WNOHANG | options.host(_OPTIONS)
    chosen = _chosen(thread, options)
    if chosen is None:
        try:
            return host.wait4(pid, wanted)
        except ChildProcessError:
            forget_vanished(thread.process)
            raise
    group = -pid if pid < -1 else host.getpgid(0) if pid == 0 else 0
    found: tuple[int, int, Usage] | None = None
    for each in chosen:
        if pid in (-1, each) or (group and host.relation(each).group == group):
            found = host.wait4(each, wanted)
            if found[0]:
                return found
    if found is None:
        raise OSError(errno.ECHILD, "no child of that kind")
    return found


def look_for_child(thread: PosixThread, type: Constant, id: int, options: FlagSet) -> Any:
    """waitid's look, which takes nothing: what the host's waitid finds, or None; waits unless WNOHANG.

    Raises:
        OSError: ECHILD, EINVAL for another *type* or a bad *id*, EAGAIN for a pidfd that must not block.
    """
    kind, which = _whom(thread, type, id)
    wanted = os.WNOHANG | os.WNOWAIT | options.host(_OPTIONS)
    chosen = _chosen(thread, options)
    found = thread.host.waitid(kind, which, wanted) if chosen is None else _look(thread, chosen, kind, which, wanted)
    if found is None and "WNOHANG" not in options:
        if type == "P_PIDFD" and not os.get_blocking(which):
            raise OSError(errno.EAGAIN, "a descriptor that must not block")
        _await_news(thread, which if kind == os.P_PID else -1, options)
    return found


def _look(thread: PosixThread, chosen: list[int], kind: int, which: int, wanted: int) -> Any:
    host, meant = thread.host, 0
    for each in chosen:
        if (kind == os.P_PID and each != which) or (kind == os.P_PGID and host.relation(each).group != which):
            continue
        meant += 1
        found = host.waitid(os.P_PID, each, wanted)
        if found is not None:
            return found
    if not meant or kind == os.P_PIDFD:
        raise OSError(errno.ECHILD, "no child of that kind")
    return None


def _whom(thread: PosixThread, type: Constant, id: int) -> tuple[int, int]:
    if type == "P_PIDFD":
        return int(os.P_PIDFD), thread.process.files.get(id).fd
    kinds = {"P_ALL": os.P_ALL, "P_PID": os.P_PID, "P_PGID": os.P_PGID}
    if type not in kinds or (id <= 0 and type == "P_PID") or id < 0:
        raise OSError(errno.EINVAL, f"waitid {type} {id}")
    return kinds[type], id or (thread.host.getpgid(0) if type == "P_PGID" else 0)


# --- waiting ---


def _await_news(thread: PosixThread, pid: int, options: FlagSet) -> None:
    process = thread.process
    meant = [pid] if pid in process.children else list(process.children)
    watches = {_watch(process, each): select.POLLIN for each in meant}
    silent = -1 in watches or not watches or process.subreaper or options & {"WUNTRACED", "WCONTINUED"}
    watches.pop(-1, None)
    thread.wait(descriptors=watches, until=time.monotonic() + _LOOK_AGAIN if silent else None, resume=True)


def _watch(process: PosixProcess, pid: int) -> int:
    child = process.children[pid]
    if child.watch < 0:
        try:
            child.watch = process.host.pidfd_open(pid)
        except OSError:
            pass  # no descriptors to be had, or no such host call: look again and again
    return child.watch


# --- what was found ---


def bury(process: PosixProcess, pid: int) -> None:
    """A child has been waited for."""
    child = process.children.pop(pid, None)
    if child is not None:
        process.buried(pid, child)
        child.forget(process.host)
    if process.census is not None:
        process.census.strike(pid)


def forget_vanished(process: PosixProcess) -> None:
    """Forget children that the host has buried by itself, as it does while SIGCHLD is ignored."""
    for pid in list(process.children):
        try:
            there = process.host.relation(pid).parent == process.pid
        except OSError as error:
            there = error.errno == errno.ENOSYS
        if not there:
            bury(process, pid)


def guest_status(thread: PosixThread, word: int) -> int:
    """A host's wait status with the guest's signal numbers (wait(2): the low 7 bits, or the second byte if stopped)."""
    if os.WIFSTOPPED(word):
        return from_host(thread.abi, os.WSTOPSIG(word)) << 8 | 0x7F
    if os.WIFSIGNALED(word):
        return from_host(thread.abi, os.WTERMSIG(word)) | word & 0x80
    return 0xFFFF if os.WIFCONTINUED(word) else os.WEXITSTATUS(word) << 8


def child_pending(process: PosixProcess, found: Any) -> Pending | None:
    """What waitid found, as the SIGCHLD that tells the same."""
    if found is None:
        return None
    code = _CODES[found.si_code]
    status = found.si_status if code == "CLD_EXITED" else from_host(process.abi, found.si_status)
    fields: dict[str, object] = {"pid": found.si_pid, "uid": found.si_uid, "status": status}
    return Pending(process.abi.signals.encode("SIGCHLD"), code, "SiginfoChild", fields)


def take_child(thread: PosixThread, found: Any, options: FlagSet) -> Usage | None:
    """Take the news that waitid looked at, unless it shall stay; returns what the child used."""
    if "WNOWAIT" in options:
        return None
    _, _, used = thread.host.wait4(found.si_pid, os.WNOHANG | options.host(_OPTIONS) & ~os.WEXITED)
    if found.si_code in (os.CLD_EXITED, os.CLD_KILLED, os.CLD_DUMPED):
        bury(thread.process, found.si_pid)
    return used
