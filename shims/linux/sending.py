"""Signals to single threads, and signals with a value."""

from __future__ import annotations

import errno

from compat.abi.flags import Constant
from compat.abi.handles import Pointer
from compat.abi.structs import Record
from shims.linux.state import LinuxThread
from shims.posix.family import is_visible
from shims.posix.host_signals import check, to_host
from shims.posix.sending import queue_for_process, queue_for_thread, sender
from shims.posix.state import Pending


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
    elif pid in (None, tid) and tid != process.pid and is_visible(process, tid):
        process.host.kill(tid, to_host(thread.abi, number))
    else:
        raise OSError(errno.ESRCH, f"no thread {tid}")


def rt_sigqueueinfo(thread: LinuxThread, pid: int, signal: Constant, info: Pointer[Record]) -> None:
    """Send *signal* with the sender's own siginfo, within the process.

    Raises:
        OSError: EINVAL, ESRCH; EPERM to another process, whose siginfo the host would not carry.
    """
    number, process = check(thread.abi, signal), thread.process
    if pid != process.pid:
        raise OSError(errno.EPERM if is_visible(process, pid) else errno.ESRCH, f"process {pid}")
    if number:
        queue_for_process(process, _with_value(thread, number, info))


def rt_tgsigqueueinfo(thread: LinuxThread, pid: int, tid: int, signal: Constant, info: Pointer[Record]) -> None:
    """rt_sigqueueinfo to a thread of the process. Raises OSError: EINVAL, ESRCH, EPERM."""
    number, process = check(thread.abi, signal), thread.process
    if pid <= 0 or tid <= 0:
        raise OSError(errno.EINVAL, "process or thread id")
    if pid != process.pid:
        raise OSError(errno.EPERM if is_visible(process, pid) else errno.ESRCH, f"process {pid}")
    target = process.threads.get(tid)
    if not isinstance(target, LinuxThread):
        raise OSError(errno.ESRCH, f"no thread {tid}")
    if number:
        queue_for_thread(target, _with_value(thread, number, info))


def _with_value(thread: LinuxThread, number: int, info: Pointer[Record]) -> Pending:
    """The guest's siginfo as a pending signal: sender and value of SiginfoQueue, whatever its code."""
    layout = thread.abi.layout("SiginfoQueue")
    found = layout.unpack(thread.memory.read(info.address, layout.size))
    codes = {value: name for name, value in thread.abi.constants("CodeGeneric").values.items()}
    code = codes.get(found.int("head.code"))
    if code is None:
        raise OSError(errno.EINVAL, "si_code")
    return Pending(number, code, "SiginfoQueue", {name: found[name] for name in ("pid", "uid", "value")})
