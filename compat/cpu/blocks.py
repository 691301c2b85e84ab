"""Blocks of code that must not run as Unicorn has translated them.

Each block is looked at when it has been made, before it runs for the first time. One with an instruction that
Unicorn gets wrong is held back: the family either refuses the instruction or names equivalent code that Unicorn
gets right. Such code is in the guest's memory only while the block is translated anew, which no guest sees.
"""

from __future__ import annotations

from collections.abc import Callable

from compat.cpu.engine import Engine
from compat.cpu.family import Family, Wrong
from compat.cpu.paging import Paging
from compat.data import dataclass

__all__ = ["BlockWatch", "Held"]


@dataclass(frozen=True)
class Held:
    """A block that was made and not begun: *code* at *pc*."""

    pc: int
    code: bytes
    wrong: Wrong


class BlockWatch:
    """Watches one engine's blocks."""

    def __init__(self, engine: Engine, family: Family, paging: Paging) -> None:
        self._engine = engine
        self._family = family
        self._paging = paging
        self._undo: list[tuple[int, bytes]] = []
        self._replaced = 0  # bytes of the block that has better code; one that ended in wrong code may become longer
        self.held: Held | None = None
        if family.suspicious is not None:
            engine.on_block_made(self._hook(family.suspicious.search))

    def _hook(self, search: Callable[..., object]) -> Callable[[int, int], None]:
        """Return the hook for new blocks, about 3 us: it looks for suspicious code, which is rare."""
        ram, frames = self._paging.ram, self._paging.fetched

        def made(pc: int, size: int) -> None:
            if self._undo:
                self.restore()
                if size <= self._replaced:
                    return
            offset = pc & 0xFFF
            start = frames.get(pc - offset, 0) + offset
            if start >= 0x1000 and offset + size <= 0x1000 and search(ram, start, start + size) is None:
                return
            if not self._paging.own and self.held is None:
                self._judge(pc, self._paging.code(pc, size))

        return made

    def _judge(self, pc: int, code: bytes) -> None:
        if wrong := self._family.made(code):
            self.held = Held(pc, code, wrong)
            self._engine.stop()

    def replace(self, held: Held) -> None:
        """Let the engine translate *held* from its better code; the next block made, or `restore`, ends that."""
        better, address = held.wrong.better, held.pc
        assert better is not None
        self._replaced = len(better)
        self._engine.remove_code(address, address + len(better))
        while better and (frame := self._paging.code_frame(address & ~0xFFF)) is not None:
            size = min(len(better), 0x1000 - (address & 0xFFF))
            start = frame + (address & 0xFFF)
            self._undo.append((start, bytes(self._paging.ram[start : start + size])))
            self._paging.ram[start : start + size] = better[:size]
            address, better = address + size, better[size:]

    def restore(self) -> None:
        """Put back the guest's own code."""
        for start, code in self._undo:
            self._paging.ram[start : start + len(code)] = code
        self._undo.clear()
