"""Processes: birth, change of image, death, and news of a child's. A guest's children are children of the host."""

from __future__ import annotations

import errno
import os
import resource
import select
import time
from collections.abc import Iterable
from typing import Any

from compat.abi.flags import Constant, FlagSet
from compat.abi.handles import CString, Pointer, StringList
from compat.abi.structs import Record
from compat.errors import ThreadExit
from shims.posix.family import check_visible, visible
from shims.posix.host_signals import from_host
from shims.posix.siginfo import SIGINFO_SIZE, siginfo
from shims.posix.state import Child, Pending, PosixProcess, PosixThread

__all__ = ["execute", "exit_process", "fork_process", "wait_for_child"]

# --- birth ---


def fork(thread: PosixThread) -> int:
    """A child process that goes on behind this call with 0. Raises OSError: EAGAIN at the limit of processes."""
    return fork_process(thread)


def fork_process(thread: PosixThread, *, borrows: bool = False) -> int:
    """Fork the host process: the pid of the child, or 0 in the child. *borrows*: see `PosixProcess.become_child`."""
    process = thread.process
    most = process.options.processes
    if most is not None and len(visible(process)) >= most:
        raise OSError(errno.EAGAIN, "limit of processes")
    pid = process.host.fork()
    if pid == 0:
        process.become_child(thread, borrows=borrows)
        return 0
    process.children[pid] = Child(_watch(process, pid))
    return pid


def _watch(process: PosixProcess, pid: int) -> int:
    try:
        return process.host.pidfd_open(pid)
    except OSError:
        return -1


def getpid(thread: PosixThread) -> int:
    return thread.process.pid


def getppid(thread: PosixThread) -> int:
    """The parent's pid; that of the first guest process is the host process that started compat."""
    return thread.host.getppid()


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

_OPTIONS = {name: getattr(os, name) for name in ("WUNTRACED", "WCONTINUED", "WEXITED", "WNOWAIT") if hasattr(os, name)}
_CODES = {
    getattr(os, name): name
    for name in ("CLD_EXITED", "CLD_KILLED", "CLD_DUMPED", "CLD_TRAPPED", "CLD_STOPPED", "CLD_CONTINUED")
    if hasattr(os, name)
}
_WAIT4 = {"WNOHANG", "WUNTRACED", "WCONTINUED", "__WNOTHREAD", "__WCLONE", "__WALL"}
_WAITID = _WAIT4 | {"WEXITED", "WNOWAIT"}
_LOOK_AGAIN = 0.02  # seconds between two looks for news that no host descriptor tells


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


def wait_for_child(thread: PosixThread, pid: int, options: FlagSet) -> tuple[int, int, resource.struct_rusage]:
    """wait4 in terms of the host: (pid or 0, host status word, resource usage); waits where nothing is new."""
    process = thread.process
    if "__WCLONE" in options and "__WALL" not in options:
        raise OSError(errno.ECHILD, "every child tells of its end with SIGCHLD")
    found = process.host.wait4(pid, os.WNOHANG | options.host(_OPTIONS))
    if found[0]:
        if not (os.WIFSTOPPED(found[1]) or os.WIFCONTINUED(found[1])):
            bury(process, found[0])
    elif "WNOHANG" not in options:
        _await_news(thread, options)
    return found


def _await_news(thread: PosixThread, options: FlagSet) -> None:
    process = thread.process
    watches = {child.watch: select.POLLIN for child in process.children.values()}
    silent = -1 in watches or not watches or process.subreaper or options & {"WUNTRACED", "WCONTINUED"}
    watches.pop(-1, None)
    thread.wait(descriptors=watches, until=time.monotonic() + _LOOK_AGAIN if silent else None, resume=True)


def bury(process: PosixProcess, pid: int) -> None:
    """A child has been waited for."""
    child = process.children.pop(pid, None)
    if child is not None:
        child.forget(process.host)


def guest_status(thread: PosixThread, word: int) -> int:
    """A host's wait status with the guest's signal numbers (wait(2): the low 7 bits, or the second byte if stopped)."""
    if os.WIFSTOPPED(word):
        return from_host(thread.abi, os.WSTOPSIG(word)) << 8 | 0x7F
    if os.WIFSIGNALED(word):
        return from_host(thread.abi, os.WTERMSIG(word)) | word & 0x80
    return 0xFFFF if os.WIFCONTINUED(word) else os.WEXITSTATUS(word) << 8


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
    kind, which = _whom(thread, type, id)
    found = thread.host.waitid(kind, which, os.WNOHANG | os.WNOWAIT | options.host(_OPTIONS))
    if found is None and "WNOHANG" not in options:
        _await_news(thread, options)
    if info is not None:
        pending = _child_pending(thread, found)
        thread.memory.write(info.address, bytes(SIGINFO_SIZE) if pending is None else siginfo(thread.abi, pending))
    if found is not None:
        _take(thread, found, options, usage)


def _whom(thread: PosixThread, type: Constant, id: int) -> tuple[int, int]:
    if type == "P_PIDFD":
        return int(os.P_PIDFD), thread.process.files.get(id).fd
    kinds = {"P_ALL": os.P_ALL, "P_PID": os.P_PID, "P_PGID": os.P_PGID}
    if type not in kinds or (id <= 0 and type == "P_PID") or id < 0:
        raise OSError(errno.EINVAL, f"waitid {type} {id}")
    return kinds[type], id or (thread.host.getpgid(0) if type == "P_PGID" else 0)


def _child_pending(thread: PosixThread, found: Any) -> Pending | None:
    """What waitid found, as the SIGCHLD that tells the same."""
    if found is None:
        return None
    code = _CODES[found.si_code]
    status = found.si_status if code == "CLD_EXITED" else from_host(thread.abi, found.si_status)
    fields: dict[str, object] = {"pid": found.si_pid, "uid": found.si_uid, "status": status}
    return Pending(thread.abi.signals.encode("SIGCHLD"), code, "SiginfoChild", fields)


def _take(thread: PosixThread, found: Any, options: FlagSet, usage: Pointer[Record] | None) -> None:
    """Take the news that waitid looked at, unless it shall stay."""
    used = None
    if "WNOWAIT" not in options:
        _, _, used = thread.host.wait4(found.si_pid, os.WNOHANG | options.host(_OPTIONS) & ~os.WEXITED)
        if found.si_code in (os.CLD_EXITED, os.CLD_KILLED, os.CLD_DUMPED):
            bury(thread.process, found.si_pid)
    if usage is not None:
        usage.write(usage_fields(used) if used is not None else {})


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
        meant = list(visible(process)) if who in (0, process.credentials.users.real) else []
    else:
        raise OSError(errno.EINVAL, f"no priority of {which}")
    if not meant:
        raise OSError(errno.ESRCH, f"{which} {who}")
    return meant
