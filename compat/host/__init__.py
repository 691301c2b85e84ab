"""Every host call that serves a guest passes through one `Host`: methods named as the system calls.

    Host = Names (files by directory and name) + Descriptors (open files) + Locks + Terminals
         + Waiting (poll, select) + Identity (the machine, the process) + Privileges + Clocks + Tree (processes)
         + Events + Futexes + Sockets + Watches + Signals + Timers + Queues + Questions,
           over the same libc

A subclass that wraps the methods (compat.trace.hosts.TracedHost) therefore sees the host side of each guest
call. Rules for all methods: names are bytes; *dir_fd* is an open directory or AT_FDCWD; flags and results are
the host's own numbers; failures are OSError, and what this host does not have is OSError(ENOSYS). Descriptors
made here are close-on-exec. Python enters an interrupted call again (PEP 475) unless a signal handler raises.
"""

from __future__ import annotations

from compat.host.clocks import CLOCKS, ITIMERS, Clocks
from compat.host.constants import (
    AT_EACCESS,
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_SYMLINK_FOLLOW,
    AT_SYMLINK_NOFOLLOW,
    O_PATH,
    RENAME_EXCHANGE,
    RENAME_NOREPLACE,
    RENAME_WHITEOUT,
    RESOLVE_BENEATH,
    RESOLVE_NO_MAGICLINKS,
    RESOLVE_NO_SYMLINKS,
    RESOLVE_NO_XDEV,
    UTIME_NOW,
    UTIME_OMIT,
)
from compat.host.descriptors import Descriptors
from compat.host.events import Events
from compat.host.futexes import Futexes
from compat.host.identity import Identity
from compat.host.libc import Times
from compat.host.locks import Lock, Locks
from compat.host.names import Dirent, Names, Statfs
from compat.host.privileges import Capabilities, Privileges
from compat.host.questions import ASKING, Questions
from compat.host.queues import Queues
from compat.host.signals import Arrived, Signals
from compat.host.sockets import ControlMessage, Received, Sockets, unix_address, unix_name
from compat.host.terminals import Modes, Terminals
from compat.host.timers import Timers
from compat.host.tree import Tree
from compat.host.waiting import Waiting
from compat.host.watches import Watches

__all__ = [
    "ASKING",
    "AT_EACCESS",
    "AT_EMPTY_PATH",
    "AT_FDCWD",
    "AT_SYMLINK_FOLLOW",
    "AT_SYMLINK_NOFOLLOW",
    "CLOCKS",
    "ITIMERS",
    "O_PATH",
    "RENAME_EXCHANGE",
    "RENAME_NOREPLACE",
    "RENAME_WHITEOUT",
    "RESOLVE_BENEATH",
    "RESOLVE_NO_MAGICLINKS",
    "RESOLVE_NO_SYMLINKS",
    "RESOLVE_NO_XDEV",
    "UTIME_NOW",
    "UTIME_OMIT",
    "Arrived",
    "Capabilities",
    "ControlMessage",
    "Dirent",
    "Host",
    "Lock",
    "Modes",
    "Received",
    "Statfs",
    "Times",
    "unix_address",
    "unix_name",
]


class Host(
    Names,
    Descriptors,
    Locks,
    Terminals,
    Waiting,
    Identity,
    Privileges,
    Clocks,
    Tree,
    Events,
    Futexes,
    Sockets,
    Watches,
    Signals,
    Timers,
    Queues,
    Questions,
):
    """The host's system calls, thinly. Stateless but for the libc handle, which is opened at first need."""
