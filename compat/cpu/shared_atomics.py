"""When atomic instructions are atomic for other processes too: from the first shared memory on.

Unicorn has no way to do so on x86 for an operand that isn't aligned; it would try for ever. A program that has one is
translated as for a single CPU again.
"""

from __future__ import annotations

from compat.cpu.engine import Engine

__all__ = ["SharedAtomics"]

_MUST_BE_ALONE = 0x10005  # EXCP_ATOMIC (qemu/include/exec/cpu-all.h)


class SharedAtomics:
    """One machine's; *illegal* is the exception of an illegal instruction where an operand need not be aligned."""

    def __init__(self, engine: Engine, cpu: str, illegal: int | None) -> None:
        self._engine = engine
        self._cpu = cpu
        self._illegal = illegal
        self._met = False
        self.begun = False

    def begin(self) -> None:
        """Share atomics from now on, once. The machine must not run."""
        if self.begun:
            return
        self.begun = True
        if self._illegal is not None and not self._engine.before_exception(self._decide):
            return
        self._engine.translate_in_parallel(self._cpu, True)

    def _decide(self, number: int) -> bool:
        self._met |= number == _MUST_BE_ALONE
        return number in (_MUST_BE_ALONE, self._illegal)

    def give_up(self) -> bool:
        """Whether the run ended at an operand that isn't aligned; then atomics are no longer shared."""
        met, self._met = self._met, False
        if met:
            self._engine.translate_in_parallel(self._cpu, False)
        return met
