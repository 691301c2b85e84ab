"""Threads that wait, found by what they wait for."""

from __future__ import annotations

import select
from collections.abc import Iterator

from compat.process import Thread

__all__ = ["Blocked"]

_EDGES = select.POLLERR | select.POLLHUP | select.POLLNVAL


class Blocked:
    """The blocked threads of a process, those that came first before others. Each has `waiting` while it is here."""

    def __init__(self) -> None:
        self._all: dict[Thread, None] = {}
        self._looking: dict[Thread, None] = {}
        self._by_key: dict[object, dict[Thread, None]] = {}

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Thread]:
        return iter(list(self._all))

    @property
    def must_look(self) -> bool:
        """Whether some wait for a descriptor or a time: somebody must look, as no other thread wakes them."""
        return bool(self._looking)

    def add(self, thread: Thread) -> None:
        """Let *thread* wait for what its `waiting` tells."""
        wait = thread.waiting
        assert wait is not None
        self._all[thread] = None
        if wait.descriptors or wait.until is not None:
            self._looking[thread] = None
        if wait.key is not None:
            self._by_key.setdefault(wait.key, {})[thread] = None

    def remove(self, thread: Thread) -> None:
        """The wait is over."""
        wait, thread.waiting = thread.waiting, None
        assert wait is not None
        del self._all[thread]
        self._looking.pop(thread, None)
        if wait.key is not None:
            others = self._by_key[wait.key]
            del others[thread]
            if not others:
                del self._by_key[wait.key]

    def clear(self) -> None:
        """Nobody waits."""
        for held in (self._all, self._looking, self._by_key):
            held.clear()

    def waiting_for(self, key: object, most: int) -> list[Thread]:
        """Up to *most* threads that wait for *key*."""
        return list(self._by_key.get(key, ()))[:most]

    def conditions(self) -> tuple[dict[int, int], float | None]:
        """All descriptors with their event masks, and the first deadline."""
        descriptors: dict[int, int] = {}
        until: float | None = None
        for thread in self._looking:
            wait = thread.waiting
            assert wait is not None
            for fd, mask in wait.descriptors.items():
                descriptors[fd] = descriptors.get(fd, 0) | mask
            if wait.until is not None:
                until = wait.until if until is None else min(until, wait.until)
        return descriptors, until

    def over(self, ready: dict[int, int], now: float) -> list[Thread]:
        """Those whose descriptor is among the *ready* ones, or whose deadline has passed."""
        return [thread for thread in self._looking if _holds(thread, ready, now)]


def _holds(thread: Thread, ready: dict[int, int], now: float) -> bool:
    wait = thread.waiting
    assert wait is not None
    if wait.until is not None and now >= wait.until:
        return True
    return any(ready.get(fd, 0) & (mask | _EDGES) for fd, mask in wait.descriptors.items())
