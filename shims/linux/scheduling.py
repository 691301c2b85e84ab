"""When processes run: policies, affinity, I/O priority. They are the host's: a guest process is a host process."""

from __future__ import annotations

import errno
import os

from compat.abi.flags import Constant
from compat.abi.handles import Buffer, Pointer
from compat.abi.structs import Record
from shims.linux.state import LinuxThread
from shims.posix.clock import split
from shims.posix.family import check_visible

_POLICIES = {
    name: int(getattr(os, name))
    for name in ("SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_IDLE")
    if hasattr(os, name)
}
_HOST_NAME = {"SCHED_NORMAL": "SCHED_OTHER"}
_REAL_TIME = ("SCHED_FIFO", "SCHED_RR")


def _host_pid(thread: LinuxThread, pid: int) -> int:
    """The host process behind *pid*, which may be a thread's id. Raises OSError: EINVAL, ESRCH."""
    if pid < 0:
        raise OSError(errno.EINVAL, "a negative pid")
    return thread.process.pid if pid in thread.process.threads else check_visible(thread.process, pid)


def _policy(policy: Constant) -> int:
    name = _HOST_NAME.get(policy, policy)
    if name not in _POLICIES:
        raise OSError(errno.EINVAL, f"no policy {policy}")
    return _POLICIES[name]


def sched_yield(thread: LinuxThread) -> None:
    """Let others run: another guest thread if one can, else another host process."""
    engine = thread.process.engine
    assert engine is not None
    if not engine.give_way():
        thread.host.sched_yield()


def sched_getscheduler(thread: LinuxThread, pid: int) -> int:
    """The policy of a process. Raises OSError: EINVAL, ESRCH."""
    found = thread.host.sched_getscheduler(_host_pid(thread, pid))
    flag = found & 0x40000000  # SCHED_RESET_ON_FORK
    name = {number: name for name, number in _POLICIES.items()}.get(found & ~flag, "SCHED_OTHER")
    values = thread.abi.constants("SchedPolicy").values
    return (values[name] if name in values else values["SCHED_NORMAL"]) | flag


def sched_setscheduler(thread: LinuxThread, pid: int, policy: Constant, param: Pointer[Record]) -> None:
    """Set policy and priority. Raises OSError: EINVAL, ESRCH, EPERM as the host says."""
    host_policy = _policy(policy)
    thread.host.sched_setscheduler(_host_pid(thread, pid), host_policy, param.read().int("priority"))


def sched_getparam(thread: LinuxThread, pid: int, param: Pointer[Record]) -> None:
    """The real-time priority of a process. Raises OSError: EINVAL, ESRCH."""
    param.write({"priority": thread.host.sched_getpriority(_host_pid(thread, pid))})


def sched_setparam(thread: LinuxThread, pid: int, param: Pointer[Record]) -> None:
    """Set the real-time priority. Raises OSError: EINVAL, ESRCH, EPERM as the host says."""
    target = _host_pid(thread, pid)
    host = thread.host
    host.sched_setscheduler(target, host.sched_getscheduler(target), param.read().int("priority"))


def sched_getattr(thread: LinuxThread, pid: int, attr: Buffer, size: int, flags: int) -> None:
    """Policy, nice value and priority in a struct of at least 48 bytes, its first version. Raises OSError(EINVAL)."""
    layout = thread.abi.layout("SchedAttr")
    if flags or not 48 <= size <= 4096:
        raise OSError(errno.EINVAL, "sched_getattr")
    target = _host_pid(thread, pid)
    policy = sched_getscheduler(thread, pid) & 0xFFFF
    packed = layout.pack(
        {
            "size": min(size, layout.size),
            "policy": policy,
            "nice": thread.host.getpriority(os.PRIO_PROCESS, target),
            "priority": thread.host.sched_getpriority(target),
        }
    )
    attr.write(packed[:size])


_RESET_ON_FORK, _KEEP_POLICY, _KEEP_PARAMETERS = 1, 8, 0x10  # SCHED_FLAG_*, include/uapi/linux/sched.h


def sched_setattr(thread: LinuxThread, pid: int, attr: Pointer[Record], flags: int) -> None:
    """Set policy, nice value and priority. Raises OSError: EINVAL, E2BIG for a size too small, ESRCH, EPERM."""
    given, host = attr.read(), thread.host
    if flags or given.int("flags") & ~(_RESET_ON_FORK | _KEEP_POLICY | _KEEP_PARAMETERS):
        raise OSError(errno.EINVAL, "sched_setattr flags")
    if 0 < given.int("size") < 48:
        raise OSError(errno.E2BIG, "size of sched_attr")
    target, nice = _host_pid(thread, pid), given.int("nice")
    policy = _policy(thread.abi.constants("SchedPolicy").decode(given.int("policy")))
    if given.int("flags") & _KEEP_POLICY:
        policy = host.sched_getscheduler(target)
    if not given.int("flags") & _KEEP_PARAMETERS:
        real_time = policy in (_POLICIES.get(name) for name in _REAL_TIME)
        host.sched_setscheduler(target, policy, given.int("priority") if real_time else 0)
        if not real_time and nice != host.getpriority(os.PRIO_PROCESS, target):
            host.setpriority(os.PRIO_PROCESS, target, min(max(-20, nice), 19))


def sched_get_priority_max(thread: LinuxThread, policy: Constant) -> int:
    """Raises OSError(EINVAL) for no policy."""
    if policy in ("SCHED_DEADLINE", "SCHED_EXT"):
        return 0
    _policy(policy)
    return 99 if policy in _REAL_TIME else 0


def sched_get_priority_min(thread: LinuxThread, policy: Constant) -> int:
    """Raises OSError(EINVAL) for no policy."""
    return min(1, sched_get_priority_max(thread, policy))


def sched_rr_get_interval(thread: LinuxThread, pid: int, interval: Pointer[Record]) -> None:
    """The time slice of a process. Raises OSError: EINVAL, ESRCH."""
    interval.write(split(thread.host.sched_rr_get_interval(_host_pid(thread, pid))))


# --- affinity: a bit field of the guest's words ---


def _whose_mask(thread: LinuxThread, pid: int) -> int:
    """The host process behind *pid*: for these two calls a negative pid is nobody's. Raises OSError(ESRCH)."""
    if pid < 0:
        raise OSError(errno.ESRCH, "a negative pid")
    return _host_pid(thread, pid)


def sched_getaffinity(thread: LinuxThread, pid: int, size: int, mask: Buffer) -> int:
    """The CPUs that a process may use; returns how many bytes were written. Raises OSError: EINVAL, ESRCH."""
    word = thread.abi.cpu.word
    if size % word:
        raise OSError(errno.EINVAL, "size of the CPU mask")
    cpus = thread.host.sched_getaffinity(_whose_mask(thread, pid))
    needed = -(-(max(max(cpus, default=0) + 1, os.cpu_count() or 1)) // (8 * word)) * word
    if size < needed:
        raise OSError(errno.EINVAL, "size of the CPU mask")
    bits = sum(1 << cpu for cpu in cpus)
    codec = thread.abi.word_codec()
    mask.write(b"".join(codec.pack(bits >> 8 * at) for at in range(0, needed, word)))
    return needed


def sched_setaffinity(thread: LinuxThread, pid: int, size: int, mask: Buffer) -> None:
    """Set the CPUs that a process may use. Raises OSError: EINVAL if none is left, ESRCH, EPERM."""
    codec, word = thread.abi.word_codec(), thread.abi.cpu.word
    raw = mask.read(1024)
    raw = raw.ljust(-(-len(raw) // word) * word, b"\0")
    bits = sum(codec.unpack(raw[at : at + word]) << 8 * at for at in range(0, len(raw), word))
    cpus = {cpu for cpu in range(bits.bit_length()) if bits >> cpu & 1}
    if not cpus:
        raise OSError(errno.EINVAL, "no CPU")
    thread.host.sched_setaffinity(_whose_mask(thread, pid), cpus)


# --- I/O priority ---


def _io_target(thread: LinuxThread, which: Constant, who: int) -> tuple[int, int]:
    """The host's numbers for whom a call is about; raises OSError: EINVAL, ESRCH."""
    if not which.known:
        raise OSError(errno.EINVAL, "which")
    if which == "IOPRIO_WHO_PROCESS":
        who = _host_pid(thread, who)
    elif which == "IOPRIO_WHO_PGRP" and who not in (0, thread.host.getpgid(0)):
        check_visible(thread.process, who)
    return which.value, who


def ioprio_get(thread: LinuxThread, which: Constant, who: int) -> int:
    """ioprio_get(2)."""
    return thread.host.ioprio_get(*_io_target(thread, which, who))


def ioprio_set(thread: LinuxThread, which: Constant, who: int, priority: int) -> None:
    """ioprio_set(2). Raises OSError: EPERM for real-time classes and other users' processes."""
    target = _io_target(thread, which, who)
    if which == "IOPRIO_WHO_USER":
        raise OSError(errno.EPERM, "all processes of a user")
    thread.host.ioprio_set(*target, priority)
