"""Waiting for descriptors: Linux's calls with a signal mask, and the older forms of select."""

from __future__ import annotations

import errno
from collections.abc import Callable

from compat.abi.handles import ArrayHandle, Pointer
from compat.abi.structs import Layout, Record
from compat.errors import MemoryFault
from shims.linux.state import LinuxThread
from shims.posix.polling import Deadline, after, poll_until, select, select_until, with_rest

__all__ = ["ppoll", "pselect6", "select_block"]

_NANO = 1_000_000_000


def ppoll(
    thread: LinuxThread,
    fds: ArrayHandle[Record],
    count: int,
    timeout: Pointer[Record] | None,
    set: Pointer[Record] | None,
    size: int,
) -> int:
    """ppoll(2) and ppoll_time64."""
    until, store = _timeout(thread, timeout)

    def call() -> int:
        return with_rest(until, store, lambda: poll_until(thread, fds, until, "no_handler"))

    return masked(thread, set, size, call)


def pselect6(
    thread: LinuxThread,
    count: int,
    readable: int,
    writable: int,
    exceptional: int,
    timeout: Pointer[Record] | None,
    set: Pointer[Record] | None,
) -> int:
    """pselect6(2) and pselect6_time64; *set* points to the address and the size of the mask."""
    mask, size = None, 0
    if set is not None:
        argument = set.read()
        size = argument.int("size")
        if argument.int("set"):
            mask = Pointer[Record](thread.memory, argument.int("set"), thread.abi.layout("Sigset"))
    until, store = _timeout(thread, timeout)

    def call() -> int:
        sets = (readable, writable, exceptional)
        return with_rest(until, store, lambda: select_until(thread, count, sets, until))

    return masked(thread, mask, size, call)


def select_block(thread: LinuxThread, args: Pointer[Record]) -> int:
    """select with its arguments in memory: x86's number 82."""
    block = args.read()
    timeout = None
    if block.int("timeout"):
        timeout = Pointer[Record](thread.memory, block.int("timeout"), thread.abi.layout("Timeval"))
    count = block.int("count") & 0xFFFF_FFFF
    count = count - (1 << 32) if count >> 31 else count
    return select(thread, count, block.int("readable"), block.int("writable"), block.int("exceptional"), timeout)


def _timeout(
    thread: LinuxThread, timeout: Pointer[Record] | None
) -> tuple[float | None, Callable[[float], None] | None]:
    """The deadline, and what stores the rest of it; raises OSError(EINVAL) for impossible numbers."""
    if timeout is None:
        return None, None
    record = timeout.read()
    seconds, nanoseconds = record.int("sec"), record.int("nsec")
    layout = timeout.codec
    if thread.abi.cpu.bits == 32 and isinstance(layout, Layout) and layout.size == 16:
        nanoseconds &= 0xFFFF_FFFF  # the upper half is padding: get_timespec64() of kernel/time/time.c
    if seconds < 0 or not 0 <= nanoseconds < _NANO:
        raise OSError(errno.EINVAL, "timeout")
    until = after(thread, seconds + nanoseconds / _NANO)

    def store(left: float) -> None:
        timeout.write({"sec": int(left), "nsec": int(left % 1 * _NANO)})

    return until, store if seconds or nanoseconds else None


def masked(thread: LinuxThread, set: Pointer[Record] | None, size: int, call: Callable[[], int]) -> int:
    """*call* under the signal mask at *set*; the old one comes back, after a handler where a signal ended the call.

    Raises OSError(EINVAL) for another *size* than the mask's.
    """
    if set is None:
        return call()
    entered_again = isinstance(thread.resume, Deadline) and thread.saved_mask is not None
    if not entered_again:
        if size != set.size:
            raise OSError(errno.EINVAL, "size")
        swap_mask(thread, set.read())
    try:
        result = call()
    except (OSError, MemoryFault):
        restore_mask(thread)
        raise
    restore_mask(thread)
    return result


def swap_mask(thread: LinuxThread, record: Record) -> None:
    """Put the mask in *record* in place until the call ends; delivery puts the old one back after a handler."""
    words = record["bits"]
    assert isinstance(words, tuple)
    mask = 0
    for index, word in enumerate(words):
        mask |= word << (index * thread.abi.cpu.bits)
    thread.saved_mask = thread.mask
    thread.mask = mask & ~thread.process.unblockable
    if thread.process.engine is not None and thread.process.deliverable(thread):
        thread.process.engine.attend()


def restore_mask(thread: LinuxThread) -> None:
    if thread.saved_mask is not None:
        thread.mask, thread.saved_mask = thread.saved_mask, None
