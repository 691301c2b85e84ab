"""Threads: their ids, how one begins and ends, and what Linux keeps for each."""

from __future__ import annotations

import errno

from compat.abi.flags import Constant, FlagSet
from compat.abi.handles import Pointer
from compat.errors import MemoryFault, ThreadExit
from shims.linux.futex_pi import unlock_all
from shims.linux.futex_words import wake_at
from shims.linux.robust import release_robust_locks
from shims.linux.state import LinuxProcess, LinuxThread

__all__ = ["end_thread", "exit_thread", "new_tid"]

_FIRST_TID = 1 << 22  # PID_MAX_LIMIT (include/linux/threads.h): no host process has such a number
_TIDS = 255  # threads per process before numbers of the next pid are used; 2**22 + 2**22 * 255 ends at 2**30,
# which is as much as a futex word holds (FUTEX_TID_MASK)


def new_tid(process: LinuxProcess) -> int:
    """A number for a thread beyond the first, whose number is the pid.

    It lies above every host pid and differs between processes of the guest's tree (unless one has more than 255
    threads), since locks in shared memory name their owner by it.
    """
    while True:
        tid = _FIRST_TID + (process.pid * _TIDS + process.next_tid) % ((1 << 30) - _FIRST_TID)
        process.next_tid = process.next_tid + 1 if process.next_tid < _TIDS - 1 or _crowded(process) else 0
        if tid not in process.threads:
            return tid


def _crowded(process: LinuxProcess) -> bool:
    return len(process.threads) >= _TIDS


def exit_thread(thread: LinuxThread, status: int) -> None:
    """End the calling thread; the process ends with its last one, with the status of the first (kernel/exit.c).

    Raises ThreadExit.
    """
    process = thread.process
    word = (status & 0xFF) << 8
    if thread.id == process.pid:
        process.leader_status = word
    if len(process.threads) == 1:
        process.status = process.leader_status
    end_thread(thread)
    raise ThreadExit


def end_thread(thread: LinuxThread) -> None:
    """Release what the kernel releases for a thread that ends: locks, then the word of CLONE_CHILD_CLEARTID."""
    _release_locks(thread)
    if thread.clear_tid:
        try:
            thread.memory.write(thread.clear_tid, bytes(4))
            wake_at(thread, thread.clear_tid, 1)
        except (MemoryFault, OSError):
            pass  # the kernel ignores a bad address here too
        thread.clear_tid = 0


def _release_locks(thread: LinuxThread) -> None:
    try:
        unlock_all(thread)
    except MemoryFault:
        pass  # a lock that others waited for was unmapped
    release_robust_locks(thread)


def gettid(thread: LinuxThread) -> int:
    return thread.id


def set_tid_address(thread: LinuxThread, where: int) -> int:
    """The address to clear, and to wake waiters at, when this thread ends; returns the thread's id."""
    thread.clear_tid = where
    return thread.id


def set_robust_list(thread: LinuxThread, head: int, size: int) -> None:
    """The list of locks to release when this thread ends. Raises OSError(EINVAL) for another size of its head."""
    if size != 3 * thread.abi.cpu.word:
        raise OSError(errno.EINVAL, "size of robust_list_head")
    thread.robust_list = head


def get_robust_list(thread: LinuxThread, pid: int, head: Pointer[int], size: Pointer[int]) -> None:
    """The list of a thread of this process. Raises OSError(ESRCH) for another one."""
    asked = thread if pid == 0 else thread.process.threads.get(pid)
    if not isinstance(asked, LinuxThread):
        raise OSError(errno.ESRCH, f"no thread {pid}")
    size.write(3 * thread.abi.cpu.word)
    head.write(asked.robust_list)


def getcpu(thread: LinuxThread, cpu: Pointer[int] | None, node: Pointer[int] | None, cache: int) -> None:
    """The host CPU that the guest runs on."""
    if cpu is not None:
        cpu.write(thread.host.getcpu())
    if node is not None:
        node.write(0)


# --- barriers: guest threads share one CPU, so that their accesses are in order at every switch ---

_BARRIERS = {
    "MEMBARRIER_CMD_PRIVATE_EXPEDITED": "MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED",
    "MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE": "MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE",
}


def membarrier(thread: LinuxThread, cmd: Constant, flags: FlagSet, cpu: int) -> int:
    """Barriers among the threads of the process; those with other processes are not offered.

    Raises:
        OSError: EINVAL for flags or a command that MEMBARRIER_CMD_QUERY does not tell of, EPERM before registration.
    """
    values = thread.abi.constants("MembarrierCmd").values
    process = thread.process
    if flags.value:
        raise OSError(errno.EINVAL, "membarrier flags")
    if cmd == "MEMBARRIER_CMD_QUERY":
        return sum(values[name] for pair in _BARRIERS.items() for name in pair)
    if cmd == "MEMBARRIER_CMD_GET_REGISTRATIONS":
        return sum(values[name] for name in process.barriers)
    if cmd in _BARRIERS.values():
        process.barriers.add(cmd)
    elif cmd not in _BARRIERS:
        raise OSError(errno.EINVAL, f"membarrier {cmd}")
    elif _BARRIERS[cmd] not in process.barriers:
        raise OSError(errno.EPERM, f"{cmd} before its registration")
    return 0
