"""Who gets SIGIO and SIGURG for an open file, and when: kept and sent by the host, whose processes the guest's are."""

from __future__ import annotations

import errno

from compat.abi.flags import Constant
from shims.posix.family import check_visible
from shims.posix.names import open_file
from shims.posix.state import PosixThread

__all__ = ["check_owner", "get_owner", "set_owner"]


def get_owner(thread: PosixThread, fd: int, cmd: Constant) -> int:
    """F_GETOWN: a process, or a group as a negative number."""
    kind, number = thread.host.get_owner(open_file(thread, fd).fd)
    return -number if kind == "F_OWNER_PGRP" else number


def set_owner(thread: PosixThread, fd: int, cmd: Constant, owner: int) -> None:
    """F_SETOWN; 0 is nobody. Raises OSError: EBADF, ESRCH, EINVAL."""
    file = open_file(thread, fd)
    if owner == -(1 << 31):
        raise OSError(errno.EINVAL, "owner")
    check_owner(thread, abs(owner))
    thread.host.set_owner(file.fd, "F_OWNER_PGRP" if owner < 0 else "F_OWNER_PID", abs(owner))


def check_owner(thread: PosixThread, number: int) -> None:
    """Raise OSError(ESRCH) for a process, or the leader of a group, that the guest can't see."""
    if number and number != thread.host.getpgid(0):
        check_visible(thread.process, number)
