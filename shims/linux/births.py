"""Births: what clone makes. A child that shares no memory is a host child; one that shares it is a thread, or borrows
the memory (shims/linux/vfork.py)."""

from __future__ import annotations

import errno

from compat.abi.flags import FlagSet
from compat.abi.handles import ScalarCodec
from shims.linux.departures import expect_departure
from shims.linux.machine import set_thread_pointer
from shims.linux.state import LinuxThread
from shims.linux.threads import new_tid
from shims.linux.vfork import fork_and_wait
from shims.posix.openfiles import OpenFile
from shims.posix.processes import fork_process

__all__ = ["Birth", "bear"]

_SHARED = {"CLONE_VM", "CLONE_SIGHAND", "CLONE_FS", "CLONE_FILES", "CLONE_PARENT", "CLONE_SYSVSEM"}
_NAMESPACES = {f"CLONE_NEW{kind}" for kind in ("NS", "CGROUP", "UTS", "IPC", "USER", "PID", "NET", "TIME")}
_MOST_THREADS = 4096


class Birth:
    """What clone and clone3 ask for; addresses are 0 where nothing is wanted."""

    def __init__(
        self, flags: FlagSet, stack: int, parent_tid: int, child_tid: int, tls: int, signal: int, pidfd: int
    ) -> None:
        self.flags = flags
        self.stack = stack
        self.parent_tid = parent_tid
        self.child_tid = child_tid
        self.tls = tls
        self.signal = signal
        self.pidfd = pidfd


def bear(thread: LinuxThread, birth: Birth) -> int:
    """Make a thread (CLONE_VM with CLONE_THREAD), a child process that borrows the memory (with CLONE_VFORK) or one
    that has a copy.

    Raises:
        OSError: EINVAL for flags that exclude each other or a process that shares memory and goes on beside its
            parent, EPERM for namespaces, EAGAIN at a limit.
    """
    flags = birth.flags
    _check(flags)
    if "CLONE_THREAD" in flags:
        return _start_thread(thread, birth)
    if flags & _SHARED - ({"CLONE_VM"} if "CLONE_VFORK" in flags else set()):
        raise OSError(errno.EINVAL, "a process that goes on beside its parent and shares something with it")
    if "CLONE_VFORK" in flags:
        return fork_and_wait(thread, lambda: _fork(thread, birth))
    return _fork(thread, birth)


def _check(flags: FlagSet) -> None:
    """What copy_process refuses (kernel/fork.c)."""
    if {"CLONE_NEWNS", "CLONE_FS"} <= flags or {"CLONE_NEWUSER", "CLONE_FS"} <= flags:
        raise OSError(errno.EINVAL, "a new namespace and a shared folder")
    if "CLONE_THREAD" in flags and "CLONE_SIGHAND" not in flags:
        raise OSError(errno.EINVAL, "CLONE_THREAD without CLONE_SIGHAND")
    if "CLONE_SIGHAND" in flags and ("CLONE_VM" not in flags or "CLONE_CLEAR_SIGHAND" in flags):
        raise OSError(errno.EINVAL, "CLONE_SIGHAND without CLONE_VM")
    if "CLONE_PIDFD" in flags and flags & {"CLONE_DETACHED", "CLONE_THREAD"}:
        raise OSError(errno.EINVAL, "CLONE_PIDFD for a thread")
    if flags & _NAMESPACES:
        raise OSError(errno.EPERM, "new namespaces are for privileged processes")


def _start_thread(thread: LinuxThread, birth: Birth) -> int:
    process, flags = thread.process, birth.flags
    if len(process.threads) >= _MOST_THREADS:
        raise OSError(errno.EAGAIN, "limit of threads")
    engine = process.engine
    assert engine is not None
    registers = engine.copy_registers()
    engine.set_result(registers, 0)
    child = LinuxThread(process, new_tid(process), registers)
    if birth.stack:
        registers.write(thread.abi.cpu.sp, birth.stack)
    if "CLONE_SETTLS" in flags:
        set_thread_pointer(child, birth.tls)
    child.mask, child.name, child.timer_slack = thread.mask, thread.name, thread.timer_slack
    child.filters, child.strict = thread.filters, thread.strict
    _tell_ids(child, birth, child.id, parent=True)
    engine.spawn(child)
    return child.id


def _fork(thread: LinuxThread, birth: Birth) -> int:
    pid = fork_process(thread, borrows="CLONE_VM" in birth.flags, signal=birth.signal)
    if pid == 0:
        if birth.stack:
            thread.registers.write(thread.abi.cpu.sp, birth.stack)
        if "CLONE_SETTLS" in birth.flags:
            set_thread_pointer(thread, birth.tls)
        if "CLONE_CLEAR_SIGHAND" in birth.flags:
            thread.process.actions = {n: a for n, a in thread.process.actions.items() if a.handler == 1}
    _tell_ids(thread, birth, pid or thread.id, parent=pid != 0)
    if pid:
        expect_departure(thread.process, birth.signal)
    if pid and "CLONE_PIDFD" in birth.flags:
        _give_pidfd(thread, birth, pid)
    return pid


def _tell_ids(thread: LinuxThread, birth: Birth, tid: int, *, parent: bool) -> None:
    """Write a new thread's id where the flags say; *parent* for what only the parent's side does."""
    codec = ScalarCodec(4, thread.abi.cpu.endian, signed=True)
    if "CLONE_PARENT_SETTID" in birth.flags:
        thread.memory.write(birth.parent_tid, codec.pack(tid))
    shares = "CLONE_THREAD" in birth.flags
    if parent and not shares:
        return
    if "CLONE_CHILD_SETTID" in birth.flags:
        thread.memory.write(birth.child_tid, codec.pack(tid))
    if "CLONE_CHILD_CLEARTID" in birth.flags:
        thread.clear_tid = birth.child_tid


def _give_pidfd(thread: LinuxThread, birth: Birth, pid: int) -> None:
    process = thread.process
    fd = process.files.add(OpenFile(process.host, process.host.pidfd_open(pid)), close_on_exec=True)
    thread.memory.write(birth.pidfd, ScalarCodec(4, thread.abi.cpu.endian, signed=True).pack(fd))
