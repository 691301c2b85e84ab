"""Processes: what Linux adds. A child that shares no memory is a host child; one that shares it is a thread."""

from __future__ import annotations

import errno
import os
import select

from compat.abi.flags import FlagSet
from compat.abi.handles import Buffer, CString, Pointer, ScalarCodec, StringList
from shims.linux.machine import set_thread_pointer
from shims.linux.state import LinuxThread
from shims.linux.threads import end_thread, exit_thread, new_tid
from shims.posix.family import check_visible
from shims.posix.openfiles import OpenFile
from shims.posix.processes import execute, exit_process, fork_process, guest_status, wait_for_child

_SHARED = {"CLONE_VM", "CLONE_SIGHAND", "CLONE_FS", "CLONE_FILES"}
_NAMESPACES = {f"CLONE_NEW{kind}" for kind in ("NS", "CGROUP", "UTS", "IPC", "USER", "PID", "NET", "TIME")}
_OLDEST, _NEWEST = 64, 88  # bytes of struct clone_args, first and latest version (include/uapi/linux/sched.h)
_MOST_THREADS = 4096


class _Birth:
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


# --- birth ---


def vfork(thread: LinuxThread) -> int:
    """A child as fork makes it; the parent waits until the child has another program or ends."""
    return _fork_and_wait(thread, None)


def clone(thread: LinuxThread, flags: FlagSet, stack: int, parent_tid: int, tls: int, child_tid: int) -> int:
    """A child process or thread; see `_bear`."""
    return _bear(thread, _Birth(flags, stack, parent_tid, child_tid, tls, flags.value & 0xFF, parent_tid))


def clone_tls_last(thread: LinuxThread, flags: FlagSet, stack: int, parent_tid: int, child_tid: int, tls: int) -> int:
    """clone in x86-64's order of arguments."""
    return clone(thread, flags, stack, parent_tid, tls, child_tid)


def clone_stack_first(
    thread: LinuxThread, stack: int, flags: FlagSet, parent_tid: int, child_tid: int, tls: int
) -> int:
    """clone in s390's order of arguments."""
    return clone(thread, flags, stack, parent_tid, tls, child_tid)


def clone3(thread: LinuxThread, args: Buffer, size: int) -> int:
    """clone with its arguments in memory.

    Raises:
        OSError: as `_bear`; EINVAL for a size too small or a part that is not supported, E2BIG for more than is known.
    """
    if size < _OLDEST:
        raise OSError(errno.EINVAL, "size of clone_args")
    if size > 4096 or any(args.read()[_NEWEST:]):
        raise OSError(errno.E2BIG, "size of clone_args")
    codec = ScalarCodec(8, thread.abi.cpu.endian, signed=False)
    raw = args.read().ljust(_NEWEST, b"\0")
    words = [codec.unpack(raw[at : at + 8]) for at in range(0, _NEWEST, 8)]
    flags, pidfd, child_tid, parent_tid, signal, stack, stack_size, tls, set_tid, set_tid_size, _ = words
    decoded = thread.abi.flags("CloneFlags").decode(flags)
    if decoded.unknown or flags & 0xFF or signal > 64 or "CLONE_DETACHED" in decoded or bool(stack) != bool(stack_size):
        raise OSError(errno.EINVAL, "clone_args")
    if set_tid or set_tid_size or "CLONE_INTO_CGROUP" in decoded:
        raise OSError(errno.EPERM, "chosen pids and control groups are for privileged processes")
    return _bear(thread, _Birth(decoded, (stack + stack_size), parent_tid, child_tid, tls, signal, pidfd))


def _bear(thread: LinuxThread, birth: _Birth) -> int:
    """Make a thread (CLONE_VM with CLONE_THREAD), or a child process with a copy of the memory.

    CLONE_VM with CLONE_VFORK is served as fork: the child's stores are not seen by the parent.

    Raises:
        OSError: EINVAL for flags that exclude each other or a process that shares memory and goes on beside its
            parent, EPERM for namespaces, EAGAIN at a limit.
    """
    flags = birth.flags
    _check(flags)
    if "CLONE_THREAD" in flags:
        return _start_thread(thread, birth)
    if "CLONE_VFORK" in flags:
        return _fork_and_wait(thread, birth)
    if flags & _SHARED:
        raise OSError(errno.EINVAL, "a process that shares memory or files with its parent")
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


def _start_thread(thread: LinuxThread, birth: _Birth) -> int:
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


def _fork(thread: LinuxThread, birth: _Birth | None) -> int:
    pid = fork_process(thread)
    if birth is None:
        return pid
    if pid == 0:
        if birth.stack:
            thread.registers.write(thread.abi.cpu.sp, birth.stack)
        if "CLONE_SETTLS" in birth.flags:
            set_thread_pointer(thread, birth.tls)
        if "CLONE_CLEAR_SIGHAND" in birth.flags:
            thread.process.actions = {n: a for n, a in thread.process.actions.items() if a.handler == 1}
    _tell_ids(thread, birth, pid or thread.id, parent=pid != 0)
    if pid and "CLONE_PIDFD" in birth.flags:
        _give_pidfd(thread, birth, pid)
    return pid


def _tell_ids(thread: LinuxThread, birth: _Birth, tid: int, *, parent: bool) -> None:
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


def _give_pidfd(thread: LinuxThread, birth: _Birth, pid: int) -> None:
    process = thread.process
    fd = process.files.add(OpenFile(process.host, process.host.pidfd_open(pid)), close_on_exec=True)
    thread.memory.write(birth.pidfd, ScalarCodec(4, thread.abi.cpu.endian, signed=True).pack(fd))


def _fork_and_wait(thread: LinuxThread, birth: _Birth | None) -> int:
    """Fork, and wait until the child closes its end of a pipe by execve or its end."""
    if not isinstance(thread.resume, tuple):
        watch, gate = thread.host.pipe2()
        try:
            pid = _fork(thread, birth)
        except OSError:
            thread.host.close(gate)
            thread.host.close(watch)
            raise
        if pid == 0:
            thread.host.close(watch)
            thread.process.parent_gate = gate
            return 0
        thread.host.close(gate)
        thread.resume = (pid, watch)
    pid, watch = thread.resume
    if not thread.interrupted and not thread.host.poll([(watch, select.POLLIN)], 0):
        thread.wait(descriptors={watch: select.POLLIN}, resume=(pid, watch))
    thread.host.close(watch)
    return int(pid)


# --- change of image, death, news ---


def execveat(
    thread: LinuxThread, dir: int, path: CString, args: StringList | None, env: StringList | None, flags: FlagSet
) -> None:
    """execve by directory and name. Raises OSError: see `execute`; EINVAL for unknown flags."""
    if flags.unknown:
        raise OSError(errno.EINVAL, "execveat flags")
    execute(thread, dir, path, args, env, flags)


def exit(thread: LinuxThread, status: int) -> None:
    """End the calling thread."""
    exit_thread(thread, status)


def exit_group(thread: LinuxThread, status: int) -> None:
    """End all threads of the process."""
    for each in thread.process.threads.values():
        if isinstance(each, LinuxThread):
            end_thread(each)
    exit_process(thread, status)


def waitpid(thread: LinuxThread, pid: int, status: Pointer[int] | None, options: FlagSet) -> int:
    """wait4 without the child's use of resources. Raises OSError: ECHILD, EINVAL."""
    if options.unknown or options - {"WNOHANG", "WUNTRACED", "WCONTINUED", "__WNOTHREAD", "__WCLONE", "__WALL"}:
        raise OSError(errno.EINVAL, "waitpid options")
    found, word, _ = wait_for_child(thread, pid, options)
    if found and status is not None:
        status.write(guest_status(thread, word))
    return found


def pidfd_open(thread: LinuxThread, pid: int, flags: FlagSet) -> int:
    """A descriptor for a process that the guest can see. Raises OSError: ESRCH, EINVAL for flags or a thread's id."""
    if flags.unknown or "PIDFD_THREAD" in flags or pid <= 0:
        raise OSError(errno.EINVAL, "pidfd_open")
    process = thread.process
    host_flags = os.O_NONBLOCK if "PIDFD_NONBLOCK" in flags else 0
    fd = process.host.pidfd_open(check_visible(process, pid), host_flags)
    return process.files.add(OpenFile(process.host, fd), close_on_exec=True)


# --- attributes ---


def personality(thread: LinuxThread, persona: FlagSet) -> int:
    """Set the personality unless *persona* is 0xffffffff; returns the old one."""
    process = thread.process
    old = process.personality
    if persona.value != 0xFFFFFFFF:
        process.personality = persona.value
    return old


def nice(thread: LinuxThread, step: int) -> None:
    """Add to the nice value. Raises OSError(EPERM) for a better priority than the user may have."""
    host = thread.host
    now = host.getpriority(os.PRIO_PROCESS, 0)
    try:
        host.setpriority(os.PRIO_PROCESS, 0, max(-20, min(now + max(-40, min(step, 40)), 19)))
    except PermissionError:
        raise OSError(errno.EPERM, "nice") from None


def restart_syscall(thread: LinuxThread) -> int:
    """Nothing to restart: interrupted calls are entered again by themselves. Raises OSError(EINTR)."""
    raise OSError(errno.EINTR, "restart_syscall")
