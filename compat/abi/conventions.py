"""CPUs and conventions as frozen data, from cpus.tbl and conventions.tbl."""

from __future__ import annotations

from typing import Literal

from compat.abi.grids import Grid
from compat.data import dataclass
from compat.errors import BadTable, Unsupported

__all__ = ["Convention", "Cpu", "find_convention", "find_cpu"]


@dataclass(frozen=True)
class Cpu:
    """One line of cpus.tbl; *bits* is the width of registers and pointers, *align64* in bytes."""

    name: str
    kind: str
    family: str
    bits: int
    endian: str
    align64: int
    pairs: str
    machine: str
    top: int
    pc: str
    sp: str
    link: str
    result: str
    args: tuple[str, ...]

    @property
    def word(self) -> int:
        """Bytes of a pointer."""
        return self.bits // 8

    @property
    def order(self) -> str:
        """The byte order mark of the struct module."""
        return "<" if self.endian == "little" else ">"

    @property
    def byte_order(self) -> Literal["little", "big"]:
        """What int.from_bytes and to_bytes call the order."""
        return "little" if self.endian == "little" else "big"

    @property
    def mask(self) -> int:
        return (1 << self.bits) - 1


@dataclass(frozen=True)
class Convention:
    """One line of conventions.tbl. *registers* hold the first arguments; later ones lie at *stack* offsets from sp.

    *second* is the register of a second result, "" where there is none; *flag* that of the error style "flag"."""

    guest: str
    trap: str
    number: str
    registers: tuple[str, ...]
    stack: tuple[int, ...]
    result: str
    second: str
    error: str
    flag: str


def find_cpu(grid: Grid, name: str) -> Cpu:
    """The line of cpus.tbl called *name*; raises Unsupported for an unknown CPU."""
    for keys, cells, line in grid.rows:
        if keys[0] == name:
            return _cpu(name, cells, f"{grid.source}:{line}")
    raise Unsupported(f"compat has no CPU named {name}; it has {', '.join(k[0] for k, _, _ in grid.rows)}")


def _cpu(name: str, cells: tuple[str, ...], place: str) -> Cpu:
    try:
        kind, family, bits, endian, align, pairs, machine, top, pc, sp, link, result, args = cells
        numbers = int(bits), int(align), int(top, 0)
    except ValueError:
        raise BadTable(f"{place}: {name}: expected 13 cells, with numbers for bits, align64 and top") from None
    if endian not in ("little", "big") or pairs not in ("packed", "even", "-") or bits not in ("32", "64"):
        raise BadTable(f"{place}: bits, endian or pairs of {name} is none of the known words")
    width, align64, end = numbers
    roles = pc, sp, link, result, tuple(args.split(","))
    return Cpu(name, kind, family, width, endian, align64, pairs, machine, end, *roles)


def find_convention(grid: Grid, guest: str, cpu: Cpu) -> Convention:
    """The line of conventions.tbl for *guest* on *cpu*; raises Unsupported if there is none."""
    for keys, cells, line in grid.rows:
        if keys == (guest, cpu.kind):
            if len(cells) != 5:
                raise BadTable(f"{grid.source}:{line}: expected trap, number, arguments, result and error")
            trap, number, arguments, result, error = cells
            style, _, flag = error.partition(":")
            if style not in ("negative", "flag", "summary", "carry", "last-error"):
                known = "negative, flag:R, summary, carry, last-error"
                raise BadTable(f"{grid.source}:{line}: error style {error!r} is none of {known}")
            registers, stack = _split_arguments(arguments, f"{grid.source}:{line}")
            result, _, second = result.partition(",")
            return Convention(guest, trap, number, registers, stack, result, second, style, flag)
    raise Unsupported(f"compat has no {guest} convention for {cpu.name}")


def _split_arguments(text: str, place: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    registers, stack = list[str](), list[int]()
    for word in text.split(","):
        offset = word.removeprefix("sp+")
        if offset != word and offset.isdecimal():
            stack.append(int(offset))
        elif stack or not (word.isidentifier() and word[0].islower()):
            raise BadTable(f"{place}: {word!r} is not a register, or a register after a stack slot")
        else:
            registers.append(word)
    return tuple(registers), tuple(stack)
