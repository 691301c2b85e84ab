"""Processes: birth, change of image, death, and news of a child's. A guest's children are children of the host."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterable

from compat.abi.flags import Constant, FlagSet
from compat.abi.handles import CString, Pointer, StringList
from compat.abi.structs import Record
from compat.errors import ThreadExit
from shims.posix.children import (
    child_pending,
    forget_vanished,
    guest_status,
    look_for_child,
    take_child,
    wait_for_child,
)
from shims.posix.family import check_visible, parent, visible
from shims.posix.siginfo import SIGINFO_SIZE, siginfo
from shims.posix.state import Child, PosixThread

__all__ = ["execute", "exit_process", "fork_process", "usage_fields"]

_MANY = 64  # children, at which it is time to look whether they are still there

# --- birth ---


def fork(thread: PosixThread) -> int:
    """A child process that goes on behind this call with 0. Raises OSError: EAGAIN at the limit of processes."""
    return fork_process(thread)


def fork_process(thread: PosixThread, *, borrows: bool = False, signal: int | None = None) -> int:
    """Fork the host process: the pid of the child, or 0 in the child. *borrows*: see `PosixProcess.become_child`;
    *signal*: what shall tell of its end, SIGCHLD if None.

    Raises OSError(EAGAIN) at the limit of processes.
    """
    process = thread.process
    most = process.options.processes
    if most is not None and len(visible(process)) >= most:
        raise OSError(errno.EAGAIN, "limit of processes")
    if process.children and not len(process.children) % _MANY:
        forget_vanished(process)
    pid = process.host.fork()
    if pid == 0:
        process.become_child(thread, borrows=borrows)
        return 0
    process.children[pid] = Child(thread.abi.signals.values["SIGCHLD"] if signal is None else signal, thread.id)
    return pid


def getpid(thread: PosixThread) -> int:
    return thread.process.pid


def getppid(thread: PosixThread) -> int:
    """The parent's pid, 0 for the first guest process."""
    return parent(thread.process)


# --- change of image ---


def execve(thread: PosixThread, path: CString, args: StringList | None, env: StringList | None) -> None:
    """Replace the program. Raises OSError: see `execute`."""
    execute(thread, None, path, args, env, frozenset())


def execute(
    thread: PosixThread,
    directory: int | None,
    path: CString,
    args: StringList | None,
    env: StringList | None,
    flags: frozenset[str],
) -> None:
    """Prepare the new image, which takes over when the CPU has left guest code.

    Raises:
        OSError: ENAMETOOLONG for the path, E2BIG for the strings, what `process.execute` says of the file, ENOSYS where
            there is no such function.
    """
    process = thread.process
    try:
        name = path.read()
    except ValueError:
        raise OSError(errno.ENAMETOOLONG, "path") from None
    try:
        arguments, environment = (strings.read() if strings is not None else [] for strings in (args, env))
    except ValueError as error:
        raise OSError(errno.E2BIG, str(error)) from None
    if process.execute is None:
        raise OSError(errno.ENOSYS, "execve")
    thread.jump = process.execute(thread, directory, name, arguments, environment, flags)


# --- death ---


def exit_process(thread: PosixThread, status: int) -> None:
    """End the whole process with the low byte of *status*. Raises ThreadExit."""
    process = thread.process
    process.status = (status & 0xFF) << 8
    raise ThreadExit


def exit(thread: PosixThread, status: int) -> None:
    """End the process."""
    exit_process(thread, status)


# --- news of a child ---

_WAIT4 = {"WNOHANG", "WUNTRACED", "WCONTINUED", "__WNOTHREAD", "__WCLONE", "__WALL"}
_WAITID = _WAIT4 | {"WEXITED", "WNOWAIT"}


def wait4(
    thread: PosixThread, pid: int, status: Pointer[int] | None, options: FlagSet, usage: Pointer[Record] | None
) -> int:
    """Wait for a child to end, or to stop or go on with the options for it; returns its pid.

    Raises:
        OSError: ECHILD if there is none, EINVAL for unknown options.
    """
    if options.unknown or options - _WAIT4:
        raise OSError(errno.EINVAL, "wait4 options")
    found, word, used = wait_for_child(thread, pid, options)
    if found:
        if status is not None:
            status.write(guest_status(thread, word))
        if usage is not None:
            usage.write(usage_fields(used))
    return found


def waitid(
    thread: PosixThread,
    type: Constant,
    id: int,
    info: Pointer[Record] | None,
    options: FlagSet,
    usage: Pointer[Record] | None,
) -> None:
    """Wait for news of a child as told in *options*; *info* is all zero where WNOHANG found none.

    Raises:
        OSError: ECHILD if there is none, EINVAL for unknown options or none that asks for news.
    """
    if options.unknown or options - _WAITID or not options & {"WEXITED", "WUNTRACED", "WCONTINUED"}:
        raise OSError(errno.EINVAL, "waitid options")
    found = look_for_child(thread, type, id, options)
    if info is not None:
        pending = child_pending(thread.process, found)
        thread.memory.write(info.address, bytes(SIGINFO_SIZE) if pending is None else siginfo(thread.abi, pending))
    used = None if found is None else take_child(thread, found, options)
    if found is not None and usage is not None:
        usage.write({} if used is None else usage_fields(used))


# --- priority and use ---


def getrusage(thread: PosixThread, who: Constant, usage: Pointer[Record]) -> None:
    """What the process, its children or the thread used of the host. Raises OSError(EINVAL) for none of them."""
    known = {name: getattr(resource, name, None) for name in ("RUSAGE_SELF", "RUSAGE_CHILDREN", "RUSAGE_THREAD")}
    which = known.get(who)
    if which is None:
        raise OSError(errno.EINVAL, f"no usage of {who}")
    usage.write(usage_fields(thread.host.getrusage(which)))


def usage_fields(used: resource.struct_rusage) -> dict[str, object]:
    """A host's rusage as the fields of a guest's."""
    fields: dict[str, object] = {}
    for name, seconds in (("utime", used.ru_utime), ("stime", used.ru_stime)):
        whole, fraction = divmod(round(seconds * 1_000_000), 1_000_000)
        fields |= {f"{name}.sec": whole, f"{name}.usec": fraction}
    return fields | {name: getattr(used, f"ru_{name}") for name in _COUNTS}


_COUNTS = (
    "maxrss", "ixrss", "idrss", "isrss", "minflt", "majflt", "nswap",
    "inblock", "oublock", "msgsnd", "msgrcv", "nsignals", "nvcsw", "nivcsw",
)  # fmt: skip


def getpriority(thread: PosixThread, which: Constant, who: int) -> int:
    """The best priority among the processes meant, as 20 - nice, which is never negative (getpriority(2), NOTES).

    Raises:
        OSError: EINVAL for no kind, ESRCH if nobody is meant.
    """
    found = [thread.host.getpriority(os.PRIO_PROCESS, pid) for pid in _meant(thread, which, who)]
    return 20 - min(found)


def setpriority(thread: PosixThread, which: Constant, who: int, nice: int) -> None:
    """Set the nice value, cut to -20 … 19, of the processes meant that the guest can see.

    Raises:
        OSError: as `getpriority`; EACCES from the host for a better one than now.
    """
    for pid in _meant(thread, which, who):
        thread.host.setpriority(os.PRIO_PROCESS, pid, max(-20, min(nice, 19)))


def _meant(thread: PosixThread, which: Constant, who: int) -> Iterable[int]:
    process = thread.process
    if which == "PRIO_PROCESS":
        return [process.pid] if who in process.threads else [check_visible(process, who)]
    if which == "PRIO_PGRP":
        group = who or thread.host.getpgid(0)
        meant = [pid for pid, each in visible(process).items() if each.group == group]
    elif which == "PRIO_USER":
        user = who or process.credentials.users.real
        meant = [pid for pid in visible(process) if thread.host.rights(pid)["Uid"] == user]
    else:
        raise OSError(errno.EINVAL, f"no priority of {which}")
    if not meant:
        raise OSError(errno.ESRCH, f"{which} {who}")
    return meant
