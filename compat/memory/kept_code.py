"""Code of files that the last program ran, kept for the next one: what is translated of it need not be again.

A CPU knows translated code by its address and its frame. Programs of one tree mostly run the same libraries at the
same addresses: a shell and its tools, Python and the Pythons that it starts.
"""

from __future__ import annotations

from compat.memory.areas import Area, Protection

__all__ = ["KeptCode", "is_pristine"]

Place = tuple[int, int, int, int]


class KeptCode:
    """Areas that are in no map any more, by where they lay; their frames still hold the file's bytes."""

    def __init__(self) -> None:
        self._areas: dict[Place, Area] = {}

    def keep(self, area: Area) -> bool:
        """Take over *area*, just removed from the map, if it holds code as it is in a file; False if it does not."""
        backing = area.backing
        if backing is None or not (area.pristine and area.executed) or not backing.is_unchanged():
            return False
        self._areas[_place(area)] = area
        return True

    def claim(self, area: Area) -> bool:
        """Give *area*, about to be mapped, the frames kept for the same part of the same file at the same address."""
        if not (area.pristine and area.backing and self._areas):
            return False
        kept = self._areas.get(_place(area))
        if kept is None or kept.backing is None or not kept.backing.same_file(area.backing):
            return False
        if not kept.backing.is_unchanged():
            return False
        del self._areas[_place(area)]
        area.frame, area.executed = kept.frame, True
        return True

    def drain(self) -> list[Area]:
        """What nobody claimed, kept no longer."""
        areas = list(self._areas.values())
        self._areas.clear()
        return areas


def is_pristine(area: Area) -> bool:
    """Whether a fresh *area* holds a file's bytes and its program can't change them."""
    return area.backing is not None and not area.shared and not area.protection & Protection.WRITE


def _place(area: Area) -> Place:
    return area.start, area.end, area.offset, area.protection
