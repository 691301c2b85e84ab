"""Futex words: which bytes one is, and who waits there: threads of this process in its own queues, or, where the word
is in shared memory and the call not private, any process's in the host's queue.

A queue is known by the word's address. Linux tells private and other words of private memory apart; here they are one.
"""

from __future__ import annotations

import errno
import sys
from collections import deque

from compat.abi.handles import ScalarCodec
from compat.data import dataclass
from shims.linux.state import LinuxProcess, LinuxThread, Sleep, Waiter

__all__ = ["ALL", "Word", "enter", "find_word", "leave", "move", "wake", "wake_at"]

ALL = 0xFFFFFFFF  # FUTEX_BITSET_MATCH_ANY


@dataclass(frozen=True)
class Word:
    """A word of 32 bits at *address*; *shared* if other processes may wait there too."""

    process: LinuxProcess
    address: int
    shared: bool

    @property
    def _codec(self) -> ScalarCodec:
        return ScalarCodec(4, self.process.abi.cpu.endian, signed=False)

    def read(self) -> int:
        """Its value, unsigned; raises MemoryFault."""
        return self._codec.unpack(self.process.memory.read(self.address, 4))

    def write(self, value: int) -> None:
        """Change it; raises MemoryFault."""
        self.process.memory.write(self.address, self._codec.pack(value))

    @property
    def place(self) -> int:
        """Its address for the host; raises MemoryFault."""
        return self.process.memory.host_address(self.address)

    def host_value(self, value: int) -> int:
        """What the host sees where the guest sees *value*."""
        return int.from_bytes(self._codec.pack(value), sys.byteorder)


def find_word(thread: LinuxThread, address: int, *, private: bool) -> Word:
    """The word at *address*. Raises OSError(EINVAL) if it isn't aligned."""
    if address % 4:
        raise OSError(errno.EINVAL, "futex word not aligned")
    area = None if private else thread.memory.areas.find(address)
    return Word(thread.process, address, area is not None and area.shared)


# --- queues ---


def wake_at(thread: LinuxThread, address: int, most: int) -> int:
    """Wake up to *most* threads that wait at an aligned *address*."""
    return wake(find_word(thread, address, private=False), most)


def wake(word: Word, most: int, mask: int = ALL) -> int:
    """Wake up to *most* threads that wait at *word* for a bit of *mask*, the first come first; returns how many.

    Raises OSError(EINVAL) if one of them wants to be moved to a lock.
    """
    process = word.process
    if word.shared:
        return process.host.futex_wake(word.place, most, mask)
    woken = 0
    for waiter in [each for each in process.futexes.get(word.address, ()) if each.mask & mask]:
        if woken >= most:
            break
        if waiter.sleep.lock:
            raise OSError(errno.EINVAL, "a thread that waits for a lock")
        woken += rouse(process, waiter)
    return woken


def rouse(process: LinuxProcess, waiter: Waiter) -> int:
    """Wake one waiter; 0 if its wait has just ended for another reason."""
    leave(process, waiter.sleep)
    assert process.engine is not None
    if not process.engine.wake(waiter.sleep, 1):
        return 0
    waiter.sleep.woken = waiter.index
    return 1


def enter(process: LinuxProcess, waiter: Waiter) -> None:
    """Stand at the end of the queue at the waiter's address."""
    process.futexes.setdefault(waiter.address, deque()).append(waiter)


def leave(process: LinuxProcess, sleep: Sleep) -> None:
    """Take all that *sleep* has out of the queues."""
    for waiter in sleep.waiters:
        _leave(process, waiter)
    sleep.waiters = []


def _leave(process: LinuxProcess, waiter: Waiter) -> None:
    queue = process.futexes[waiter.address]
    queue.remove(waiter)
    if not queue:
        del process.futexes[waiter.address]


def move(source: Word, target: Word, wakes: int, moves: int) -> tuple[int, int]:
    """Wake up to *wakes* threads that wait at *source* and let up to *moves* others wait at *target*; returns how many
    of each. Between shared and private memory nobody can be moved: all are woken, as a wait may end for no reason."""
    if source.shared and target.shared:
        woken = source.process.host.futex_requeue(source.place, target.place, wakes, moves)
        return min(woken, wakes), max(0, woken - wakes)
    if source.shared or target.shared:
        return wake(source, wakes + moves), 0
    woken, process = wake(source, wakes), source.process
    moved = list(process.futexes.get(source.address, ()))[:moves]
    for waiter in moved:
        _leave(process, waiter)
        waiter.address = target.address
        enter(process, waiter)
    return woken, len(moved)
