"""What the host's descriptor stands for that another process made and passed here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from shims.linux.epoll import EpollSet
from shims.linux.events import EventCounter, TimerCounter
from shims.posix.state import PosixProcess

__all__ = ["recognize"]

_KINDS: Final[Mapping[bytes, Callable[[], object]]] = {
    b"anon_inode:[eventfd]": EventCounter,
    b"anon_inode:[timerfd]": TimerCounter,
    b"anon_inode:[eventpoll]": EpollSet,
}
"""By the text of /proc/self/fd/N: proc_pid_fd(5)."""


def recognize(process: PosixProcess, fd: int) -> object:
    """The `OpenFile.kind` of *fd*; None for a plain file."""
    make = _KINDS.get(process.host.path_of(fd))
    return make() if make else None
