"""Processes: what Linux adds."""

from __future__ import annotations

import errno
import os

from compat.abi.flags import FlagSet
from compat.abi.handles import Buffer, CString, Pointer, ScalarCodec, StringList
from shims.linux.births import Birth, bear
from shims.linux.state import LinuxThread
from shims.linux.threads import end_thread, exit_thread
from shims.linux.vfork import fork_and_wait
from shims.posix.children import guest_status, wait_for_child
from shims.posix.family import check_visible
from shims.posix.openfiles import OpenFile
from shims.posix.processes import execute, exit_process, fork_process

_OLDEST, _NEWEST = 64, 88  # bytes of struct clone_args, first and latest version (include/uapi/linux/sched.h)


# --- birth ---


def vfork(thread: LinuxThread) -> int:
    """A child that borrows the memory; the parent waits until the child has another program or ends."""
    return fork_and_wait(thread, lambda: fork_process(thread, borrows=True))


def clone(thread: LinuxThread, flags: FlagSet, stack: int, parent_tid: int, tls: int, child_tid: int) -> int:
    """A child process or thread; see `bear`."""
    return bear(thread, Birth(flags, stack, parent_tid, child_tid, tls, flags.value & 0xFF, parent_tid))


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
        OSError: as `bear`; EINVAL for a size too small or a part that is not supported, E2BIG for more than is known.
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
    return bear(thread, Birth(decoded, (stack + stack_size), parent_tid, child_tid, tls, signal, pidfd))


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
