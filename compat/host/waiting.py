"""Calls that wait for descriptors."""

from __future__ import annotations

import select as _select
from collections.abc import Iterable, Sequence
from typing import Any


class Waiting:
    """poll and select."""

    def poll(self, wanted: Iterable[tuple[int, int]], timeout: float | None) -> list[tuple[int, int]]:
        """Pairs of descriptor and event mask; *timeout* in milliseconds, None waits for ever.

        Returns the pairs with events; a descriptor that is not open answers POLLNVAL. Masks of a descriptor
        that is given twice are joined, since the host's Python keeps one per descriptor.
        """
        masks: dict[int, int] = {}
        for fd, mask in wanted:
            masks[fd] = masks.get(fd, 0) | mask
        poller = _select.poll()
        for fd, mask in masks.items():
            poller.register(fd, mask)
        return poller.poll(timeout)

    def select(
        self, read: Sequence[int], write: Sequence[int], special: Sequence[int], timeout: float | None
    ) -> tuple[list[Any], list[Any], list[Any]]:
        """*timeout* in seconds, None waits for ever."""
        return _select.select(read, write, special, timeout)
