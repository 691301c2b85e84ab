"""The TLB is flushed again and again, so that it grows: Unicorn counts its used entries truly only for a while."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, cast

from compat.cpu.paging import READ, WRITE, Paging
from compat.cpu.registers import Register


class FlushingEngine:
    """Knows only how many fills there were between two flushes."""

    def __init__(self) -> None:
        self.fills: list[int] = [0]
        self.fill: Callable[[int, int], object] = lambda page, access: None

    def map_ram(self, ram: object, base: int) -> None: ...

    def on_fill(self, fill: Callable[[int, int], object]) -> None:
        self.fill = fill

    def flush_tlb(self) -> None:
        self.fills.append(0)


class NarrowFamily:
    own_address = 0
    pc = "pc"
    registers = MappingProxyType({"pc": Register(0, 4)})

    def filled(self) -> None: ...


class AllPages:
    ram = bytearray(4096)

    def fill(self, page: int, access: int) -> tuple[int, int]:
        return 4096, READ | WRITE


def test_few_fills_lead_to_a_flush_also_after_many() -> None:
    engine = FlushingEngine()
    paging = Paging(cast(Any, engine), cast(Any, NarrowFamily()), cast(Any, AllPages()))
    paging.own = False
    for number in range(200_000):
        engine.fill(number % 768 << 12, READ)
        engine.fills[-1] += 1
    longest = engine.fills.index(max(engine.fills))
    assert engine.fills[:3] == sorted(engine.fills[:3])
    assert min(engine.fills[longest + 1 : -1]) <= 1024
