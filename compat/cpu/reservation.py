"""What a load-linked instruction reserves, taken away where another thread goes on: its store-conditional then fails.

Unicorn compares the address, and the value instead of whether somebody wrote. A word that others changed and changed
back would look untouched, which programs on these CPUs rely on never to happen. The reserved address is a private
part of the CPU's state; it is found by what a load-linked instruction of our own leaves there.
"""

from __future__ import annotations

from typing import Any

from compat.cpu.engine import Engine
from compat.cpu.family import OWN_PAGE, Family

__all__ = ["Reservation"]

_PROBES = (OWN_PAGE + 0x100, OWN_PAGE + 0x240)
_NONE = 0xFFFFFFFF
"""No address to reserve: it isn't aligned."""


class Reservation:
    """Clears reservations in saved states of one engine, if its CPU has such instructions."""

    def __init__(self, engine: Engine, family: Family) -> None:
        self._engine = engine
        self._family = family
        self._places: list[int] | None = None

    def clear(self, context: Any) -> None:
        """Forget what the thread of this saved state has reserved. The machine must not run."""
        if self._places is None:
            self._places = self._find()
        if self._places:
            words = self._engine.context_words(context)
            for place in self._places:
                words[place] = _NONE

    def _find(self) -> list[int]:
        """Indices of the words of a saved state that hold the low half of the reserved address."""
        linked = self._family.linked_load()
        if linked is None:
            return []
        register, code = linked
        before = self._engine.save_context()
        found: set[int] | None = None
        for probe in _PROBES:
            self._engine.write(self._family.registers[register], probe)
            self._family.supervisor.run_own(code)
            words = self._engine.context_words(self._engine.save_context())
            here = {index for index, word in enumerate(words) if word == probe}
            found = here if found is None else found & here
        self._engine.restore_context(before)
        return sorted(found or ())
