"""Futexes that are locks with an owner, of which the kernel knows (futex(2), "Priority-inheritance futexes").

The word holds the owner's thread id, and FUTEX_WAITERS if the kernel must be asked to unlock it. Guest threads have no
priorities among each other, so that who came first gets the lock. Locks in shared memory are not handed over: whoever
waits there is woken and tries again.
"""

from __future__ import annotations

import errno
from collections import deque
from collections.abc import Callable
from typing import Final

from shims.linux.futex_wait import Place, give_up, is_late, wait_at
from shims.linux.futex_words import ALL, Word, enter, find_word, leave, wake
from shims.linux.state import LinuxProcess, LinuxThread, Sleep, Waiter

__all__ = ["OWNER_DIED", "TID", "WAITERS", "lock", "requeue", "try_lock", "unlock", "unlock_all", "wait_for_lock"]

WAITERS: Final = 0x80000000  # include/uapi/linux/futex.h
OWNER_DIED: Final = 0x40000000
TID: Final = 0x3FFFFFFF

Until = Callable[[], float | None]


def try_lock(thread: LinuxThread, word: Word) -> None:
    """Own the lock. Raises OSError: EAGAIN if another thread does, EDEADLK, ESRCH."""
    if not _take(thread.process, word, thread.id):
        raise OSError(errno.EAGAIN, "locked")


def lock(thread: LinuxThread, word: Word, until: Until) -> None:
    """Own the lock, waiting for it. Raises OSError: EDEADLK, ESRCH if its owner does not exist, ETIMEDOUT."""
    if word.shared:
        _lock_shared(thread, word, until)
        return
    sleep = thread.resume
    if not isinstance(sleep, Sleep):
        if _take(thread.process, word, thread.id):
            return
        sleep = Sleep(thread.id, until(), word.address)
        _stand(thread.process, word, sleep)
    elif sleep.woken >= 0:
        return
    elif is_late(thread, sleep):
        _withdraw(thread.process, sleep)
        raise OSError(errno.ETIMEDOUT, "lock")
    if thread.interrupted:
        _withdraw(thread.process, sleep)
    thread.wait(until=sleep.until, key=sleep, resume=sleep)


def _lock_shared(thread: LinuxThread, word: Word, until: Until) -> None:
    waited = isinstance(thread.resume, Sleep)
    while not _take(thread.process, word, thread.id):
        value = word.read() | WAITERS
        word.write(value)
        try:
            wait_at(thread, [Place(word, value, ALL)], until)
        except BlockingIOError:
            pass  # changed meanwhile
        thread.resume = None
    if waited:
        word.write(word.read() | WAITERS)  # others may still wait
    if isinstance(thread.resume, Sleep):
        give_up(thread, thread.resume)


def _take(process: LinuxProcess, word: Word, tid: int) -> bool:
    """Make *tid* the owner of a lock that nobody owns. Raises OSError: EDEADLK, ESRCH."""
    value = word.read()
    owner = value & TID
    if owner == tid:
        raise OSError(errno.EDEADLK, "this thread owns the lock")
    if owner == 0 and not process.locks.get(word.address):
        word.write(value & (OWNER_DIED | WAITERS if word.shared else OWNER_DIED) | tid)
        return True
    if owner and not word.shared and owner not in process.threads:
        raise OSError(errno.ESRCH, f"no thread {owner}")
    return False


def _stand(process: LinuxProcess, word: Word, sleep: Sleep) -> None:
    process.locks.setdefault(word.address, deque()).append(sleep)
    word.write(word.read() | WAITERS)


def _withdraw(process: LinuxProcess, sleep: Sleep) -> None:
    queue = process.locks.get(sleep.lock)
    if queue and sleep in queue:
        queue.remove(sleep)
        if not queue:
            del process.locks[sleep.lock]


def unlock(thread: LinuxThread, word: Word) -> None:
    """Give the lock to who waits longest, or to nobody. Raises OSError(EPERM) unless this thread owns it."""
    if word.read() & TID != thread.id:
        raise OSError(errno.EPERM, "another thread owns the lock")
    if word.shared:
        word.write(0)
        wake(word, 1)
    elif not _hand_over(thread.process, word, 0):
        word.write(0)


def _hand_over(process: LinuxProcess, word: Word, mark: int) -> bool:
    """Make the first that waits the owner, with *mark* in the word; False if nobody waits."""
    queue = process.locks.get(word.address)
    while queue:
        sleep = queue[0]
        _withdraw(process, sleep)
        if _own(process, word, sleep, mark | WAITERS):
            return True
    return False


def _own(process: LinuxProcess, word: Word, sleep: Sleep, marks: int) -> bool:
    """Wake who waits as owner; False if its wait has just ended for another reason."""
    assert process.engine is not None
    if not process.engine.wake(sleep, 1):
        return False
    sleep.woken = 0
    word.write(marks | sleep.tid)
    return True


def unlock_all(thread: LinuxThread) -> None:
    """The thread ends: hand over each lock of its that others wait for (exit_pi_state_list of kernel/futex)."""
    for address in list(thread.process.locks):
        word = find_word(thread, address, private=True)
        if word.read() & TID == thread.id:
            _hand_over(thread.process, word, OWNER_DIED)


# --- conditions: wait at a plain word, be moved to the lock ---


def wait_for_lock(thread: LinuxThread, place: Place, target: Word, until: Until) -> None:
    """Wait at a plain word until `requeue` lets the thread wait for the lock at *target*, and it owns that.

    Raises:
        OSError: EINVAL for one word twice or words in shared memory, EAGAIN, ETIMEDOUT.
    """
    if place.word.address == target.address:
        raise OSError(errno.EINVAL, "a word can't be its own lock")
    if place.word.shared or target.shared:
        raise OSError(errno.EINVAL, "not offered in shared memory")
    sleep, process = thread.resume, thread.process
    if not isinstance(sleep, Sleep):
        if place.word.read() != place.value:
            raise OSError(errno.EAGAIN, "the word has another value")
        sleep = Sleep(thread.id, until(), target.address)
        sleep.waiters.append(Waiter(sleep, place.word.address, place.mask))
        enter(process, sleep.waiters[0])
    elif sleep.woken >= 0:
        return
    late = is_late(thread, sleep)
    if late or thread.interrupted:
        leave(process, sleep)
        _withdraw(process, sleep)
    if late:
        raise OSError(errno.ETIMEDOUT, "wait for a lock")
    thread.wait(until=sleep.until, key=sleep, resume=sleep, restart="no_handler")


def requeue(word: Word, target: Word, moves: int) -> int:
    """Give the lock at *target*, if it is free, to the first that waits at *word*, and let up to *moves* others wait
    for it; returns how many these are together. Raises OSError(EINVAL) if one of them waits for another or none."""
    process = word.process
    chosen = list(process.futexes.get(word.address, ()))[: moves + 1]
    if any(waiter.sleep.lock != target.address for waiter in chosen):
        raise OSError(errno.EINVAL, "a thread that waits for another lock")
    done = 0
    for waiter in chosen:
        value = target.read()
        leave(process, waiter.sleep)
        if value & TID or process.locks.get(target.address):
            _stand(process, target, waiter.sleep)
            done += 1
        else:
            done += _own(process, target, waiter.sleep, value & OWNER_DIED)
    return done
