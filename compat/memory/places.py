"""Where a new mapping goes: the highest free range below a limit, found without looking at every area each time."""

from __future__ import annotations

from compat.memory.areas import AreaMap

__all__ = ["Places"]

_MOST_HINTS = 32


class Places:
    """Searches the gaps of *areas* between *bottom* and *highest*.

    A search for a size leaves a hint: no gap of that size lies above the range it found. The hint holds until
    something above it is unmapped.
    """

    def __init__(self, areas: AreaMap, highest: int, bottom: int) -> None:
        self.highest = highest
        self._areas = areas
        self._bottom = bottom
        self._hints: dict[int, int] = {}

    def find(self, size: int) -> int | None:
        """The highest address of *size* free bytes, or None."""
        top = min((hint for known, hint in self._hints.items() if known <= size), default=self.highest)
        found = self._areas.gap_below(size, top, self._bottom)
        if found is not None:
            if len(self._hints) >= _MOST_HINTS:
                self._hints.clear()
            self._hints[size] = found + size
        return found

    def freed(self, start: int, end: int) -> None:
        """[start, end) has become free."""
        below, above = self._areas.around(start)
        gap_start = below.end if below is not None else self._bottom
        gap_end = min(above.start if above is not None else self.highest, self.highest)
        for size, hint in self._hints.items():
            if size <= gap_end - gap_start and hint < gap_end:
                self._hints[size] = gap_end
