"""What the tables say of every call: its number, and whether it is done, partly done, refused, or only known."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from compat.abi.abi import Abi
from compat.abi.grids import StrPath, read_grid
from compat.abi.rows import STATES, Row
from compat.abi.tables import TABLES

__all__ = ["STATES", "Entry", "cpu_names", "entries", "grid_text", "guest_cpus", "summary"]


class Entry(NamedTuple):
    """A call of one CPU, or one `name/CASE` of a call; a case has no number of its own. *row* is None for a call that
    has a number but no row."""

    key: str
    number: int | None
    row: Row | None

    @property
    def state(self) -> str:
        return self.row.state if self.row else "known"

    @property
    def signature(self) -> str:
        return self.row.signature() if self.row else self.key

    @property
    def place(self) -> str:
        return f"abi_tables/{self.row.place}" if self.row else "-"

    @property
    def support(self) -> str:
        """The shim's file.function, or the error that the call is refused with."""
        return self.row.target if self.row else ""

    @property
    def note(self) -> str:
        return self.row.note if self.row else ""


def cpu_names() -> list[str]:
    """Every CPU of cpus.tbl."""
    return [keys[0] for keys, _, _ in read_grid(os.path.join(TABLES, "cpus.tbl")).rows]


def guest_cpus(guest: str) -> list[str]:
    """The CPUs that *guest* runs on: those that conventions.tbl has a line for."""
    kinds = {cpu for (system, cpu), _, _ in read_grid(os.path.join(TABLES, "conventions.tbl")).rows if system == guest}
    cpus = read_grid(os.path.join(TABLES, "cpus.tbl")).rows
    return [keys[0] for keys, cells, _ in cpus if cells[0] in kinds]


def entries(abi: Abi) -> Iterator[Entry]:
    """The calls that *abi*'s CPU has, by number, each followed by its cases; then the exports of libraries."""
    for name, number in sorted(abi.numbers.items(), key=lambda item: item[1]):
        yield Entry(name, number, abi.tables.rows.get(name))
        for case in abi.tables.cases.get(name, {}).values():
            yield Entry(case.key, None, case)
    for key in sorted(abi.tables.rows):
        if "!" in key:
            yield Entry(key, None, abi.tables.rows[key])


def summary(guest: str, cpus: Sequence[str], tables: Sequence[StrPath]) -> list[dict[str, object]]:
    """One mapping for each CPU: `cpu`, the number of `calls` in each state, the number of `cases` in each state."""
    found: list[dict[str, object]] = []
    for cpu in cpus:
        calls, cases = Counter[str](), Counter[str]()
        for entry in entries(Abi(guest, cpu, tables)):
            (cases if entry.number is None and "!" not in entry.key else calls)[entry.state] += 1
        found.append({"cpu": cpu, "calls": {s: calls[s] for s in STATES}, "cases": {s: cases[s] for s in STATES}})
    return found


def grid_text(guest: str, cpus: Sequence[str], tables: Sequence[StrPath]) -> str:
    """Call × CPU → state, as a grid; "-" where that CPU has no such call."""
    columns = {cpu: {entry.key: entry.state for entry in entries(Abi(guest, cpu, tables))} for cpu in cpus}
    names = sorted({name for column in columns.values() for name in column})
    width = max(map(len, names), default=0) + 1
    lines = [
        f"# What becomes of each call of a {guest} guest, by CPU: done, partly, refused, known (but not written).",
        f"# Made from the .abi files by `compat calls --guest {guest} --grid`.",
        "#",
        _line("# name", cpus, width),
    ]
    lines += [_line(name, [columns[cpu].get(name, "-") for cpu in cpus], width) for name in names]
    return "\n".join(lines) + "\n"


def _line(name: str, cells: Sequence[str], width: int) -> str:
    return (name.ljust(width) + " ".join(cell.ljust(8) for cell in cells)).rstrip()
