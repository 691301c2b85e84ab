"""Who a process is: users, groups, process groups and sessions."""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import partial
from typing import Final

from compat.abi.handles import ArrayHandle, Pointer
from shims.posix.becoming import become_group, become_user, join_groups
from shims.posix.credentials import NO_CHANGE
from shims.posix.family import check_visible, is_visible, visible
from shims.posix.state import PosixProcess, PosixThread

_MOST_GROUPS: Final = 65536  # NGROUPS_MAX, linux/limits.h

# --- users ---


def getuid(thread: PosixThread) -> int:
    return thread.process.credentials.users.real


def geteuid(thread: PosixThread) -> int:
    return thread.process.credentials.users.effective


def setuid(thread: PosixThread, uid: int) -> None:
    """Become *uid*, for good if privileged. Raises OSError: EPERM, EINVAL for -1."""
    if uid == NO_CHANGE:
        raise OSError(errno.EINVAL, "uid -1")
    become_user(thread, thread.process.credentials.users.change_one(uid, may_become_user(thread)))


def setreuid(thread: PosixThread, real: int, effective: int) -> None:
    """Set the real and effective user; -1 leaves one. Raises OSError(EPERM)."""
    become_user(thread, thread.process.credentials.users.change_pair(real, effective, may_become_user(thread)))


def setresuid(thread: PosixThread, real: int, effective: int, saved: int) -> None:
    """Set the three users; -1 leaves one. Raises OSError(EPERM)."""
    become_user(thread, thread.process.credentials.users.change(real, effective, saved, may_become_user(thread)))


def may_become_user(thread: PosixThread) -> Callable[[], bool]:
    """What tells whether the process may take on any user."""
    return partial(thread.process.capable, "CAP_SETUID")


def getresuid(thread: PosixThread, real: Pointer[int], effective: Pointer[int], saved: Pointer[int]) -> None:
    users = thread.process.credentials.users
    real.write(users.real)
    effective.write(users.effective)
    saved.write(users.saved)


# --- groups ---


def getgid(thread: PosixThread) -> int:
    return thread.process.credentials.groups.real


def getegid(thread: PosixThread) -> int:
    return thread.process.credentials.groups.effective


def setgid(thread: PosixThread, gid: int) -> None:
    """Become group *gid*, for good if privileged. Raises OSError: EPERM, EINVAL for -1."""
    if gid == NO_CHANGE:
        raise OSError(errno.EINVAL, "gid -1")
    become_group(thread, thread.process.credentials.groups.change_one(gid, may_become_group(thread)))


def setregid(thread: PosixThread, real: int, effective: int) -> None:
    """Set the real and effective group; -1 leaves one. Raises OSError(EPERM)."""
    become_group(thread, thread.process.credentials.groups.change_pair(real, effective, may_become_group(thread)))


def setresgid(thread: PosixThread, real: int, effective: int, saved: int) -> None:
    """Set the three groups; -1 leaves one. Raises OSError(EPERM)."""
    become_group(thread, thread.process.credentials.groups.change(real, effective, saved, may_become_group(thread)))


def may_become_group(thread: PosixThread) -> Callable[[], bool]:
    """What tells whether the process may take on any group."""
    return partial(thread.process.capable, "CAP_SETGID")


def getresgid(thread: PosixThread, real: Pointer[int], effective: Pointer[int], saved: Pointer[int]) -> None:
    groups = thread.process.credentials.groups
    real.write(groups.real)
    effective.write(groups.effective)
    saved.write(groups.saved)


def getgroups(thread: PosixThread, count: int, groups: ArrayHandle[int]) -> int:
    """The supplementary groups; *count* 0 only asks how many. Raises OSError(EINVAL) for too little room."""
    found = thread.process.credentials.supplementary
    if count < 0 or 0 < count < len(found):
        raise OSError(errno.EINVAL, "fewer places than groups")
    if count:
        groups.write(found)
    return len(found)


def setgroups(thread: PosixThread, count: int, groups: ArrayHandle[int]) -> None:
    """Set the supplementary groups. Raises OSError: EPERM, EINVAL for a bad count or a group that is none."""
    if not thread.process.capable("CAP_SETGID"):
        raise OSError(errno.EPERM, "setgroups")
    if not 0 <= count <= _MOST_GROUPS:
        raise OSError(errno.EINVAL, "number of groups")
    wanted = groups.read() if count else []
    if NO_CHANGE in wanted:
        raise OSError(errno.EINVAL, "group -1")
    join_groups(thread, wanted)


# --- process groups and sessions: the host's own, so that the terminal's job control works ---


def getpgrp(thread: PosixThread) -> int:
    return thread.host.getpgid(0)


def getpgid(thread: PosixThread, pid: int) -> int:
    """The process group of *pid*. Raises OSError(ESRCH) for a process that the guest can't see."""
    return thread.host.getpgid(check_visible(thread.process, pid))


def setpgid(thread: PosixThread, pid: int, group: int) -> None:
    """Put *pid*, itself or a child, into *group*.

    Raises:
        OSError: EINVAL for a negative group, ESRCH for another process, EACCES for a child that has executed a
            program, EPERM for a group that is none of the guest's; else what the host says.
    """
    if group < 0:
        raise OSError(errno.EINVAL, "a negative group")
    process = thread.process
    if pid not in (0, process.pid, *process.children):
        raise OSError(errno.ESRCH, "neither the process nor its child")
    if pid in process.children and process.census is not None:
        entry = process.census.entry(pid)
        if entry is not None and entry.executed:
            raise OSError(errno.EACCES, "it has executed a program")
    if group not in (0, pid) and not _is_group(process, group):
        raise OSError(errno.EPERM, "no group of the guest's")
    thread.host.setpgid(pid, group)


def _is_group(process: PosixProcess, group: int) -> bool:
    """Whether a process that the guest can see leads *group*, or is in it."""
    return is_visible(process, group) or any(each.group == group for each in visible(process).values())


def getsid(thread: PosixThread, pid: int) -> int:
    """The session of *pid*. Raises OSError(ESRCH) for a process that the guest can't see."""
    return thread.host.getsid(check_visible(thread.process, pid))


def setsid(thread: PosixThread) -> int:
    """Lead a new session. Raises OSError(EPERM) for the leader of a process group."""
    thread.host.setsid()
    return thread.process.pid
