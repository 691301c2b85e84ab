"""Descriptors and credentials in control messages: SCM_RIGHTS and SCM_CREDENTIALS of unix(7)."""

from __future__ import annotations

import errno
import struct
from typing import Final

from shims.posix.arrivals import arrive
from shims.posix.family import is_visible
from shims.posix.names import open_file
from shims.posix.openfiles import SpecialFile
from shims.posix.state import PosixThread

__all__ = ["host_credentials", "host_rights", "receive_rights", "show_credentials", "show_pid"]

_MOST: Final = 253  # SCM_MAX_FD of include/net/scm.h
_HOST_CREDENTIALS: Final = struct.Struct("@iII")  # struct ucred


def host_rights(thread: PosixThread, data: bytes) -> bytes:
    """The host's descriptors for the guest's in *data*; raises OSError EINVAL for too many, EBADF, EOPNOTSUPP
    for those that another process could not make sense of (signalfd, inotify, netlink)."""
    count = len(data) // 4
    if count > _MOST:
        raise OSError(errno.EINVAL, "more descriptors than a message can carry")
    numbers = struct.unpack(f"{thread.abi.cpu.order}{count}i", data[: 4 * count])
    files = [open_file(thread, number) for number in numbers]
    if any(isinstance(file.kind, SpecialFile) and not file.kind.travels for file in files):
        raise OSError(errno.EOPNOTSUPP, "a file whose state is in this process alone")
    return struct.pack(f"@{count}i", *(file.fd for file in files))


def receive_rights(thread: PosixThread, data: bytes, most: int, *, close_on_exec: bool) -> tuple[list[int], bool]:
    """Give up to *most* of the host's descriptors in *data* numbers of the guest, and close the others.

    Returns the numbers, and whether some were closed.
    """
    pending = list(struct.unpack(f"@{len(data) // 4}i", data))
    numbers = list[int]()
    try:
        while pending and len(numbers) < most:
            thread.process.files.free_number()
            file = arrive(thread, pending.pop(0))
            numbers.append(thread.process.files.add(file, close_on_exec=close_on_exec))
    except OSError as error:
        if error.errno != errno.EMFILE:
            raise
    finally:
        for fd in pending:
            thread.host.close(fd)
    return numbers, bool(pending)


def host_credentials(thread: PosixThread, data: bytes) -> bytes:
    """The host's struct ucred for the guest's, whose ids the host checks; raises OSError EINVAL for another size, EPERM
    for a pid that is not the sender's: scm_check_creds()."""
    layout, process = thread.abi.layout("Ucred"), thread.process
    if len(data) != layout.size:
        raise OSError(errno.EINVAL, "struct ucred")
    given = layout.unpack(data)
    if given.int("pid") != process.pid:
        raise OSError(errno.EPERM, "somebody else's pid")
    return _HOST_CREDENTIALS.pack(process.pid, given.int("uid"), given.int("gid"))


def show_credentials(thread: PosixThread, data: bytes) -> bytes:
    """The guest's struct ucred for the host's."""
    pid, user, group = _HOST_CREDENTIALS.unpack(data)
    return thread.abi.layout("Ucred").pack({"pid": show_pid(thread, pid), "uid": user, "gid": group})


def show_pid(thread: PosixThread, pid: int) -> int:
    """*pid*, or 0 for a process outside the guest's tree, as from another PID namespace: pid_namespaces(7)."""
    try:
        thread.host.relation(pid)
    except OSError:
        return pid  # ended: whose it was can't be told any more
    return pid if is_visible(thread.process, pid) else 0
