"""Job control: who may read from the terminal (__tty_check_change() of Linux's drivers/tty/tty_jobctrl.c)."""

from __future__ import annotations

import errno

from compat.errors import Interrupted
from compat.host import Host
from shims.posix.host_signals import to_host
from shims.posix.openfiles import OpenFile
from shims.posix.state import PosixThread

__all__ = ["check_foreground"]

_DEEPEST = 4096  # generations; a chain of parents may change while it is followed


def check_foreground(thread: PosixThread, file: OpenFile) -> None:
    """Stop this process's group by SIGTTIN while another one has the terminal *file*.

    Raises:
        OSError: EIO where the signal would stop nobody: it is blocked or ignored, or no shell watches the group.
        Interrupted: the guest handles the signal.
    """
    process, host = thread.process, thread.host
    number = thread.abi.signals.encode("SIGTTIN")
    while not _is_foreground(host, file.fd):
        action = process.actions.get(number)
        if thread.mask >> (number - 1) & 1 or (action and action.handler == 1) or _is_orphaned(host):
            raise OSError(errno.EIO, "a read in the background")
        host.kill(0, to_host(thread.abi, number))  # it stops this process too, here, if nobody handles it
        process.gather()
        if process.deliverable(thread):
            raise Interrupted("sa_restart")


def _is_foreground(host: Host, fd: int) -> bool:
    try:
        return host.tcgetpgrp(fd) == host.getpgid(0)
    except OSError:
        return True  # not this session's terminal: no job control


def _is_orphaned(host: Host) -> bool:
    """Whether the group has no parent in another group of the session; its processes descend from one another."""
    try:
        own = above = host.relation(host.getpid())
        for _ in range(_DEEPEST):
            if above.group != own.group:
                return above.session != own.session
            above = host.relation(above.parent)
    except OSError:
        pass
    return True
