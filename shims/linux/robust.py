"""Robust lists: locks that a thread names beforehand, so that its end leaves none of them locked for ever.

Source: kernel/futex/core.c, exit_robust_list and handle_futex_death.
"""

from __future__ import annotations

from compat.errors import MemoryFault
from shims.linux.futex_pi import OWNER_DIED, TID, WAITERS
from shims.linux.futex_words import find_word, wake
from shims.linux.state import LinuxThread

__all__ = ["release_robust_locks"]

_MOST = 2048  # ROBUST_LIST_LIMIT (include/linux/futex.h)
_PI = 1  # bit 0 of an entry: a lock of which the kernel knows the owner


def release_robust_locks(thread: LinuxThread) -> None:
    """Mark the locks in the thread's list as left behind, and wake one waiter each.

    A list that can't be read or does not end stops being followed there.
    """
    if not thread.robust_list:
        return
    word = thread.abi.word_codec()
    head, thread.robust_list = thread.robust_list, 0
    try:
        entry, offset, pending = (word.unpack(thread.memory.read(head + k * word.size, word.size)) for k in range(3))
        offset -= offset >> (thread.abi.cpu.bits - 1) << thread.abi.cpu.bits
        for _ in range(_MOST):
            if entry & ~_PI == head:
                break
            following = word.unpack(thread.memory.read(entry & ~_PI, word.size))
            if entry & ~_PI != pending & ~_PI:
                _abandon(thread, (entry & ~_PI) + offset, pi=bool(entry & _PI))
            entry = following
        if pending:
            _abandon(thread, (pending & ~_PI) + offset, pi=bool(pending & _PI), pending=True)
    except (MemoryFault, OSError):
        pass


def _abandon(thread: LinuxThread, address: int, *, pi: bool, pending: bool = False) -> None:
    """Raises MemoryFault; OSError(EINVAL) for an address that isn't aligned."""
    lock = find_word(thread, address & thread.abi.cpu.mask, private=False)
    value = lock.read()
    if pending and not pi and value == 0:
        wake(lock, 1)  # it was unlocked, but nobody woken yet
    if value & TID != thread.id:
        return
    lock.write(value & WAITERS | OWNER_DIED)
    if value & WAITERS and not pi:
        wake(lock, 1)
