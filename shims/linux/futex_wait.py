"""Waiting at futex words: one or many, private or shared."""

from __future__ import annotations

import errno
import select
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, NoReturn

from compat.errors import Restart
from shims.linux.futex_sleepers import Sleepers
from shims.linux.futex_words import Word, enter, leave
from shims.linux.state import LinuxThread, Sleep, Waiter

__all__ = ["Place", "give_up", "is_late", "wait_at"]


class Place(NamedTuple):
    """Where to wait: while *word* holds *value*, for a wake-up with a bit of *mask*."""

    word: Word
    value: int
    mask: int


def wait_at(
    thread: LinuxThread, places: Sequence[Place], until: Callable[[], float | None], *, absolute: bool = False
) -> int:
    """Wait until a thread is woken at one of *places*; returns its index. *until* as in Wait.

    Raises:
        OSError: EAGAIN if a word has another value already, ETIMEDOUT.
        MemoryFault: a word can't be read.
    """
    sleep = thread.resume
    if not isinstance(sleep, Sleep):
        _stay(thread, _begin(thread, places, until()), absolute=absolute)
    woken = _woken(thread, sleep)
    if woken < 0 and not is_late(thread, sleep):
        _stay(thread, sleep, absolute=absolute)
    give_up(thread, sleep)
    if woken < 0:
        raise OSError(errno.ETIMEDOUT, "futex")
    return woken


def _stay(thread: LinuxThread, sleep: Sleep, *, absolute: bool) -> NoReturn:
    if thread.interrupted:
        give_up(thread, sleep)
    restart: Restart = "sa_restart" if sleep.until is None or absolute else "no_handler"
    descriptors = {sleeper.signal: select.POLLIN for sleeper in sleep.sleepers.values()}
    thread.wait(descriptors=descriptors, until=sleep.until, key=sleep, resume=sleep, restart=restart)


def is_late(thread: LinuxThread, sleep: Sleep) -> bool:
    """Whether the deadline, and no signal, ended the wait."""
    return sleep.until is not None and time.monotonic() >= sleep.until and not thread.interrupted


def give_up(thread: LinuxThread, sleep: Sleep) -> None:
    """Wait nowhere any longer."""
    leave(thread.process, sleep)
    for sleeper in sleep.sleepers.values():
        sleeper.end()
    sleep.sleepers = {}


def _woken(thread: LinuxThread, sleep: Sleep) -> int:
    """The index of the place that was woken, -1 if none was."""
    if sleep.woken >= 0:
        return sleep.woken
    for index, sleeper in sleep.sleepers.items():
        error = sleeper.result()
        if error:
            give_up(thread, sleep)
            raise OSError(error, "the word has another value")
        if error is not None:
            return index
    return -1


def _begin(thread: LinuxThread, places: Sequence[Place], until: float | None) -> Sleep:
    sleep = Sleep(thread.id, until)
    for word, value, _ in places:
        if word.read() != value:
            raise OSError(errno.EAGAIN, "the word has another value")
    for index, (word, _, mask) in enumerate(places):
        if word.shared:
            _send_sleeper(thread, sleep, index, places[index])
        else:
            waiter = Waiter(sleep, word.address, mask, index)
            sleep.waiters.append(waiter)
            enter(thread.process, waiter)
    return sleep


def _send_sleeper(thread: LinuxThread, sleep: Sleep, index: int, place: Place) -> None:
    pool = thread.process.sleepers = thread.process.sleepers or Sleepers()
    try:
        sleeper = pool.take()
    except OSError:
        give_up(thread, sleep)
        raise
    sleep.sleepers[index] = sleeper
    sleeper.begin(place.word.place, place.word.host_value(place.value), place.mask)
