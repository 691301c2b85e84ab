"""A guest for the CPU tests: RAM, a page table as a dictionary, and a machine."""

from __future__ import annotations

import json
import mmap
from functools import cache

from compat.cpu.machine import FETCH, Machine, Stop
from tests.cpu.assemble import PROGRAMS
from tests.cpu.sources import BIG, ROLES

__all__ = ["CODE", "DATA", "EXEC", "NOWHERE", "READ_WRITE", "Guest", "Pages", "program"]

CODE, DATA, NOWHERE = 0x10000, 0x20000, 0x40000
READ_WRITE, EXEC = 3, 5
_RAM_BYTES = 1 << 24


@cache
def _programs() -> dict[str, dict[str, str]]:
    loaded: dict[str, dict[str, str]] = json.loads(PROGRAMS.read_text())
    return loaded


def program(cpu: str, name: str) -> bytes:
    """Return the bytes of a program of `sources`."""
    return bytes.fromhex(_programs()[cpu][name])


class Pages:
    """Guest memory: page address -> [physical address, permissions]."""

    def __init__(self) -> None:
        self.ram = mmap.mmap(-1, _RAM_BYTES)
        self.table: dict[int, list[int]] = {}
        self.next = 0x1000
        self.may_change = True

    def map(self, address: int, permissions: int, count: int = 1) -> None:
        for page in range(address, address + count * 0x1000, 0x1000):
            self.table[page] = [self.next, permissions]
            self.next += 0x1000

    def physical(self, address: int) -> int:
        return self.table[address & ~0xFFF][0] + (address & 0xFFF)

    def write(self, address: int, data: bytes) -> None:
        start = self.physical(address)
        self.ram[start : start + len(data)] = data

    def read(self, address: int, size: int) -> bytes:
        start = self.physical(address)
        return self.ram[start : start + size]

    def fill(self, page: int, access: int) -> tuple[int, int] | None:
        entry = self.table.get(page)
        if entry is None:
            return None
        physical, permissions = entry
        if permissions & 6 == 6:
            permissions = 5 if access == FETCH else 3
        return physical, permissions

    def changeable(self, address: int, size: int) -> bool:
        return self.may_change


class Guest:
    """One machine with a page of code and a page of data."""

    def __init__(self, cpu: str) -> None:
        self.cpu = cpu
        self.roles = ROLES[cpu]
        self.order = "big" if cpu in BIG else "little"
        self.pages = Pages()
        self.pages.map(CODE, EXEC, 2)
        self.pages.map(DATA, READ_WRITE)
        self.calls: list[tuple[int, ...]] = []
        self.machine = Machine(cpu, self.pages, self._syscall)
        self.pc_name = self.machine.family.pc
        self._arguments = self.machine.batch([self.roles.number, self.roles.argument])
        self._result = self.machine.batch([self.roles.result])
        self.result = 0x1234
        self.stop_at_call = False

    def _syscall(self) -> None:
        self.calls.append(tuple(self._arguments.read()))
        self._result.write([self.result])
        if self.stop_at_call:
            self.machine.stop()

    def load(self, name: str, at: int = CODE) -> None:
        self.pages.write(at, program(self.cpu, name))

    def run(self, name: str, at: int = CODE, **registers: int) -> Stop:
        """Load a program, set registers by their roles, run it."""
        self.load(name, at)
        self.machine.invalidate_code(self.pages.physical(at), 256)
        for role, value in registers.items():
            self[role] = value
        return self.machine.run(at)

    def __getitem__(self, role: str) -> int:
        return self.machine.read(getattr(self.roles, role))

    def __setitem__(self, role: str, value: int) -> None:
        self.machine.write(getattr(self.roles, role), value)

    @property
    def pc(self) -> int:
        return self.machine.read(self.pc_name)

    def word(self, data: bytes) -> int:
        return int.from_bytes(data, self.order)  # type: ignore[arg-type]

    def bytes(self, word: int, size: int = 4) -> bytes:
        return word.to_bytes(size, self.order)  # type: ignore[arg-type]
