"""When atomic instructions are atomic for other processes too: from the first shared memory on.

Unicorn has no way to do some of them so: on operands that aren't aligned, or two that aren't side by side. It would try
for ever. A program that has one is translated as for a single CPU again.
"""

from __future__ import annotations

from collections.abc import Collection

from compat.cpu.engine import Engine

__all__ = ["SharedAtomics"]

_MUST_BE_ALONE = 0x10005  # EXCP_ATOMIC (qemu/include/exec/cpu-all.h)


class SharedAtomics:
    """One machine's; *endings* is `Family.endings`."""

    def __init__(self, engine: Engine, endings: Collection[int] | None) -> None:
        self._engine = engine
        self._endings = endings
        self._met = False
        self.begun = False

    def begin(self) -> None:
        """Share atomics from now on, once. The machine must not run."""
        if self.begun:
            return
        self.begun = True
        if self._endings is not None and not self._engine.before_exception(self._decide):
            return
        self._engine.translate_in_parallel(True)

    def _decide(self, number: int) -> bool:
        self._met |= number == _MUST_BE_ALONE
        return number == _MUST_BE_ALONE or number in (self._endings or ())

    def give_up(self) -> bool:
        """Whether the run ended at such an instruction; then atomics are no longer shared."""
        met, self._met = self._met, False
        if met:
            self._engine.translate_in_parallel(False)
        return met
