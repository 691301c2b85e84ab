"""Signals to single threads, and signals with a value."""

from __future__ import annotations

import errno

from compat.abi.flags import Constant, FlagSet
from compat.abi.handles import Pointer
from compat.abi.structs import Record
from compat.sandbox.synthetic import Directory
from shims.linux.arriving import HOST_CODES, TO_THREAD, swap_value
from shims.linux.state import LinuxProcess, LinuxThread
from shims.posix.family import is_visible
from shims.posix.host_signals import check, to_host
from shims.posix.names import open_file
from shims.posix.openfiles import OpenFile
from shims.posix.sending import kill, queue_for_process, queue_for_thread, sender
from shims.posix.state import Pending

_SI_TKILL = -6  # on every CPU


def tkill(thread: LinuxThread, tid: int, signal: Constant) -> None:
    """Send *signal* to a thread. Raises OSError: EINVAL, ESRCH."""
    if tid <= 0:
        raise OSError(errno.EINVAL, "thread id")
    _to_thread(thread, None, tid, signal)


def tgkill(thread: LinuxThread, pid: int, tid: int, signal: Constant) -> None:
    """Send *signal* to thread *tid* of process *pid*. Raises OSError: EINVAL, ESRCH."""
    if tid <= 0 or pid <= 0:
        raise OSError(errno.EINVAL, "process or thread id")
    _to_thread(thread, pid, tid, signal)


def _to_thread(thread: LinuxThread, pid: int | None, tid: int, signal: Constant) -> None:
    number, process = check(thread.abi, signal), thread.process
    if pid in (None, process.pid) and isinstance(target := process.threads.get(tid), LinuxThread):
        if number:
            queue_for_thread(target, Pending(number, "SI_TKILL", "SiginfoKill", sender(thread)))
        return
    other = tid if pid is None else pid
    if other == process.pid or not is_visible(process, other):
        raise OSError(errno.ESRCH, f"no thread {tid}")
    _send_queued(thread, other, number, TO_THREAD, 0, tid)


def _send_queued(thread: LinuxThread, pid: int, number: int, code: int, value: int, tid: int) -> None:
    """Send through the host, to the thread *tid* or, for 0, to the process; at least the signal arrives."""
    host, number = thread.host, to_host(thread.abi, number)
    try:
        uid = thread.process.credentials.users.real
        host.sigqueue(pid, number, code, uid, swap_value(thread.process, value), tid)
    except OSError as error:
        if error.errno != errno.ENOSYS:
            raise
        host.kill(pid, number)


def rt_sigqueueinfo(thread: LinuxThread, pid: int, signal: Constant, info: Pointer[Record]) -> None:
    """Send *signal* with the sender's own siginfo.

    Raises:
        OSError: EINVAL, ESRCH, EAGAIN at the limit of pending signals; EPERM for a siginfo to another process that
            looks as if kill or the kernel had sent it.
    """
    number, process = check(thread.abi, signal), thread.process
    told = _told(thread, info)
    if pid == process.pid:
        if number:
            queue_for_process(process, _queued(thread, number, told))
        return
    _check_other(process, pid, told)
    _send_queued(thread, pid, number, _host_code(thread, told), told.int("value"), 0)


def rt_tgsigqueueinfo(thread: LinuxThread, pid: int, tid: int, signal: Constant, info: Pointer[Record]) -> None:
    """rt_sigqueueinfo to a thread. Raises OSError: as it does."""
    number, process = check(thread.abi, signal), thread.process
    if pid <= 0 or tid <= 0:
        raise OSError(errno.EINVAL, "process or thread id")
    told = _told(thread, info)
    if pid != process.pid:
        _check_other(process, pid, told)
        _send_queued(thread, pid, number, _host_code(thread, told), told.int("value"), tid)
        return
    target = process.threads.get(tid)
    if not isinstance(target, LinuxThread):
        raise OSError(errno.ESRCH, f"no thread {tid}")
    if number:
        queue_for_thread(target, _queued(thread, number, told))


def pidfd_send_signal(
    thread: LinuxThread, pid_fd: int, signal: Constant, info: Pointer[Record] | None, flags: FlagSet
) -> None:
    """kill, or with *info* rt_sigqueueinfo, of whom a descriptor stands for: a pidfd, or an open /proc/<pid>.

    Raises:
        OSError: EBADF, EINVAL for flags or another signal in *info*, ESRCH if it has ended; as they do.
    """
    if flags.value:
        raise OSError(errno.EINVAL, "pidfd_send_signal flags")
    pid = _pid_of(open_file(thread, pid_fd))
    if pid <= 0:
        raise OSError(errno.ESRCH, "the process has ended")
    if info is None:
        kill(thread, pid, signal)
    elif _told(thread, info).int("head.signo") != signal.value:
        raise OSError(errno.EINVAL, "another signal in the siginfo")
    else:
        rt_sigqueueinfo(thread, pid, signal, info)


def _pid_of(file: OpenFile) -> int:
    """Whom an open file stands for (kernel/signal.c: pidfd_to_pid, tgid_pidfd_to_pid); -1 if it has ended."""
    match file.opened.names:
        case [b"proc", name] if isinstance(file.opened.node, Directory) and name.isdigit():
            return int(name)
    return file.host.pidfd_pid(file.fd)


def _told(thread: LinuxThread, info: Pointer[Record]) -> Record:
    """The guest's siginfo: sender and value of SiginfoQueue, whatever its code."""
    layout = thread.abi.layout("SiginfoQueue")
    return layout.unpack(thread.memory.read(info.address, layout.size))


def _code(thread: LinuxThread, told: Record) -> str | int:
    names = {code: name for name, code in thread.abi.constants("CodeGeneric").values.items()}
    return names.get(told.int("head.code"), told.int("head.code"))


def _queued(thread: LinuxThread, number: int, told: Record) -> Pending:
    fields = {name: told[name] for name in ("head.errno", "pid", "uid", "value")}
    return Pending(number, _code(thread, told), "SiginfoQueue", fields)


def _host_code(thread: LinuxThread, told: Record) -> int:
    """The host's number of the si_code (MIPS counts some otherwise)."""
    code = _code(thread, told)
    return code if isinstance(code, int) else HOST_CODES.get(code, told.int("head.code"))


def _check_other(process: LinuxProcess, pid: int, told: Record) -> None:
    if not is_visible(process, pid):
        raise OSError(errno.ESRCH, f"no process {pid}")
    if told.int("head.code") >= 0 or told.int("head.code") == _SI_TKILL:
        raise OSError(errno.EPERM, "only the kernel says so")
