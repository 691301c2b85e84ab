"""Who is told, by a signal, that a file is ready: F_SETOWN, F_SETOWN_EX, O_ASYNC. The host sends the signal."""

from __future__ import annotations

import errno
import struct
from collections.abc import Mapping
from typing import Final

from compat.abi.flags import Constant
from shims.posix.family import visible
from shims.posix.names import open_file
from shims.posix.openfiles import OpenFile
from shims.posix.state import PosixThread

__all__ = ["change_owner_of", "get_owner", "owner_of", "set_owner"]

_EX: Final = struct.Struct("@2i")  # struct f_owner_ex: type, pid
_F_SETOWN_EX, _F_GETOWN_EX = 15, 16  # asm-generic/fcntl.h
_KINDS: Final[Mapping[str, int]] = {"F_OWNER_PID": 1, "F_OWNER_PGRP": 2}


def owner_of(thread: PosixThread, file: OpenFile) -> tuple[str, int]:
    """Kind of owner (F_OWNER_*) and its number; 0 for nobody. A guest's thread is known only where it was told."""
    if file.owner[0] == "F_OWNER_TID":
        return file.owner
    raw: bytes = thread.host.fcntl(file.fd, _F_GETOWN_EX, bytes(_EX.size))
    kind, number = _EX.unpack(raw)
    return ("F_OWNER_PGRP" if kind == _KINDS["F_OWNER_PGRP"] else "F_OWNER_PID"), number


def change_owner_of(thread: PosixThread, file: OpenFile, kind: str, number: int) -> None:
    """Let the host tell a process, a process group, or the process of a guest's thread.

    Raises:
        OSError: ESRCH for one that the guest can't see, EINVAL for another kind.
    """
    if number and not _exists(thread, kind, number):
        raise OSError(errno.ESRCH, f"{kind} {number}")
    file.owner = (kind, number)
    host_number = thread.process.pid if kind == "F_OWNER_TID" and number else number
    thread.host.fcntl(file.fd, _F_SETOWN_EX, _EX.pack(_KINDS.get(kind, 1), host_number))


def _exists(thread: PosixThread, kind: str, number: int) -> bool:
    if kind == "F_OWNER_TID":
        return number in thread.process.threads
    everyone = visible(thread.process)
    return number in everyone if kind == "F_OWNER_PID" else any(each.group == number for each in everyone.values())


def get_owner(thread: PosixThread, fd: int, cmd: Constant) -> int:
    """F_GETOWN: a process, or a group as a negative number."""
    kind, number = owner_of(thread, open_file(thread, fd))
    return -number if kind == "F_OWNER_PGRP" else number


def set_owner(thread: PosixThread, fd: int, cmd: Constant, owner: int) -> None:
    """F_SETOWN."""
    kind = "F_OWNER_PGRP" if owner < 0 else "F_OWNER_PID"
    change_owner_of(thread, open_file(thread, fd), kind, abs(owner))
