"""The processes that a guest can see: those of its run, which began with the first guest process."""

from __future__ import annotations

import errno

from compat.host.tree import Relation
from shims.posix.state import PosixProcess

__all__ = ["check_visible", "is_visible", "parent", "visible"]

_DEEPEST = 4096  # generations; a chain of parents may change while it is followed


def is_visible(process: PosixProcess, pid: int) -> bool:
    """Whether the guest can see the process *pid*: it, or an ancestor, is one of the run."""
    for _ in range(_DEEPEST):
        if pid in (process.pid, process.root_pid):
            return True
        if pid <= 1:
            return False
        try:
            relation = process.host.relation(pid)
        except OSError as error:
            return error.errno == errno.ENOSYS and pid in process.children
        if process.census is not None and process.census.has(pid, relation.born):
            return True
        pid = relation.parent
    return False


def parent(process: PosixProcess) -> int:
    """The parent's pid; 0 for the first guest process, whose parent it can't see (pid_namespaces(7))."""
    return 0 if process.pid == process.root_pid else process.host.getppid()


def check_visible(process: PosixProcess, pid: int) -> int:
    """*pid*, or the process's own for 0; raises OSError(ESRCH) for a process that the guest can't see."""
    if pid == 0:
        return process.pid
    if pid < 0 or not is_visible(process, pid):
        raise OSError(errno.ESRCH, f"no process {pid}")
    return pid


def visible(process: PosixProcess) -> dict[int, Relation]:
    """All processes that the guest can see; on hosts that can't tell, itself and its children."""
    host, census = process.host, process.census
    if census is None:
        return _descendants(process)
    found = dict[int, Relation]()
    for pid in {process.pid, *census.pids(), *process.children}:
        try:
            relation = host.relation(pid)
        except OSError:
            relation = None
        if relation is None:
            census.strike(pid)
        elif process.pid in (pid, relation.parent) or census.has(pid, relation.born):
            found[pid] = relation
    return found


def _descendants(process: PosixProcess) -> dict[int, Relation]:
    host, found = process.host, dict[int, Relation]()
    try:
        return host.descendants(process.root_pid)
    except OSError:
        for pid, parent in [(process.pid, 0), *((child, process.pid) for child in process.children)]:
            try:
                found[pid] = Relation(parent, host.getpgid(pid), host.getsid(pid))
            except OSError:
                pass  # ended meanwhile
        return found
