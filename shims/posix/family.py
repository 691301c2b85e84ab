"""The processes that a guest can see: the tree below the first guest process."""

from __future__ import annotations

import errno

from compat.host.tree import Relation
from shims.posix.state import PosixProcess

__all__ = ["check_visible", "is_visible", "visible"]

_DEEPEST = 4096  # generations; a chain of parents may change while it is followed


def is_visible(process: PosixProcess, pid: int) -> bool:
    """Whether the guest can see the process *pid*."""
    if pid == process.pid or pid in process.children:
        return True
    for _ in range(_DEEPEST):
        if pid == process.root_pid:
            return True
        if pid <= 1:
            return False
        try:
            pid = process.host.relation(pid).parent
        except OSError:
            return False
    return False


def check_visible(process: PosixProcess, pid: int) -> int:
    """*pid*, or the process's own for 0; raises OSError(ESRCH) for a process that the guest can't see."""
    if pid == 0:
        return process.pid
    if pid < 0 or not is_visible(process, pid):
        raise OSError(errno.ESRCH, f"no process {pid}")
    return pid


def visible(process: PosixProcess) -> dict[int, Relation]:
    """All processes that the guest can see; on hosts that can't tell, itself and its children."""
    try:
        return process.host.descendants(process.root_pid)
    except OSError:
        host, found = process.host, dict[int, Relation]()
        for pid, parent in [(process.pid, 0), *((child, process.pid) for child in process.children)]:
            try:
                found[pid] = Relation(parent, host.getpgid(pid), host.getsid(pid))
            except OSError:
                pass  # ended meanwhile
        return found
