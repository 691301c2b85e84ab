"""The table files of one guest and its parents, parsed for one CPU; kept on disk so that a warm start parses little.

A guest's parents come first in its search order: `linux` reads linux/*.abi and posix/*.abi, and a row of the guest
hides its parent's.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TypeVar

from compat.abi import kept
from compat.abi.conventions import Cpu, find_cpu
from compat.abi.grids import Grid, StrPath, read_grid
from compat.abi.kept_text import Kept
from compat.abi.rows import Row, StructRow
from compat.data import dataclass, field
from compat.errors import BadTable

__all__ = ["PARENTS", "TABLES", "Tables", "load_tables", "table_files"]

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TABLES = os.path.join(_ROOT, "abi_tables")

PARENTS = {"linux": ("linux", "posix"), "posix": ("posix",), "windows": ("windows",)}
"""Guest → where its names are looked up, nearest first."""

_GRIDS = ("cpus", "conventions", "errors", "signals", "flags", "constants")
_R = TypeVar("_R", Row, StructRow)


@dataclass(frozen=True)
class Tables(Kept):
    """What one guest on one CPU needs. *state* is that of the files, as compat.abi.kept tells it."""

    cpu: Cpu
    state: str = field(default="", compare=False)


def load_tables(guest: str, cpu: str, extra: Sequence[StrPath] = ()) -> Tables:
    """The tables of *guest* on *cpu*; *extra* folders (`--tables`) come before the package's own.

    Raises BadTable with file:line for the first malformed row, Unsupported for an unknown CPU.
    """
    files = table_files(guest, extra)
    state = kept.state_of(files)
    entry = kept.Entry(f"{guest}-{cpu}", extra, state)
    content = entry.load()
    if content is None:
        content = _parse(files, guest, cpu)
        entry.store(content)
    return Tables(**vars(content), cpu=find_cpu(content.grids["cpus"], cpu), state=state)


def table_files(guest: str, extra: Sequence[StrPath] = ()) -> list[str]:
    """The files that make up a guest's tables; raises BadTable for a folder of *extra* that is none."""
    folders = [*map(str, extra), *(os.path.join(TABLES, name) for name in PARENTS[guest])]
    files = [os.path.join(TABLES, f"{stem}.tbl") for stem in _GRIDS if not _has_own(guest, stem)]
    for folder in folders:
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            raise BadTable(f"{folder}: no folder of tables") from None
        files += [os.path.join(folder, name) for name in names if name.endswith((".tbl", ".abi"))]
    return files


def _has_own(guest: str, stem: str) -> bool:
    """Whether the guest's folder has this grid itself: what Windows calls errors has no column beside the Unixes'."""
    return os.path.exists(os.path.join(TABLES, guest, f"{stem}.tbl"))


def _parse(files: Iterable[str], guest: str, cpu_name: str) -> Kept:
    from compat.abi.row_parser import read_rows  # only here: a warm start parses nothing

    grids = dict[str, Grid]()
    folders: dict[str, list[Row | StructRow]] = {}
    for path in files:
        folder, name = os.path.split(path)
        stem, kind = os.path.splitext(name)
        if kind == ".tbl":
            grids.setdefault(stem, read_grid(path))
        else:
            folders.setdefault(folder, []).extend(read_rows(path))
    cpu = find_cpu(grids["cpus"], cpu_name)
    for row in (row for rows in folders.values() for row in rows):
        _check_cpus(row, grids["cpus"])
    names = f"{guest}/{cpu.kind}", guest
    columns = {stem: grids.pop(stem).column(*names) for stem in ("errors", "signals")}
    columns["numbers"] = grids.pop("numbers").column(cpu.kind) if "numbers" in grids else {}
    values = {stem: _by_type(grids.pop(stem), names) for stem in ("flags", "constants")}
    rows = _choose([[r for r in found if isinstance(r, Row)] for found in folders.values()], cpu)
    structs = _choose([[r for r in found if isinstance(r, StructRow)] for found in folders.values()], cpu)
    plain = {name: row for name, row in rows.items() if not row.case}
    return Kept(columns, values, grids, plain, _grouped(rows.values()), structs)


def _by_type(grid: Grid, columns: tuple[str, str]) -> dict[str, dict[str, int]]:
    groups: dict[str, dict[str, int]] = {}
    for (kind, name), number, _ in grid.numbers(*columns):
        groups.setdefault(kind, {})[name] = number
    return groups


def _grouped(rows: Iterable[Row]) -> dict[str, dict[str, Row]]:
    """Name → case → row, of the rows that are cases."""
    groups: dict[str, dict[str, Row]] = {}
    for row in rows:
        if row.case:
            groups.setdefault(row.name, {})[row.case] = row
    return groups


def _check_cpus(row: Row | StructRow, grid: Grid) -> None:
    known = {keys[0] for keys, _, _ in grid.rows}
    for name in row.cpus:
        if name not in known:
            raise BadTable(f"{row.place}: {name} is no CPU of cpus.tbl")


def _choose(folders: Iterable[Sequence[_R]], cpu: Cpu) -> dict[str, _R]:
    """The row of each key that serves *cpu*: that of the first folder; in it, one that names the CPU before one that
    names none. Raises BadTable where two rows of one folder claim the same key and CPU.
    """
    chosen: dict[str, _R] = {}
    for rows in folders:
        here: dict[str, _R] = {}
        for row in rows:
            other = here.get(row.key)
            if row.cpus and cpu.name not in row.cpus and cpu.kind not in row.cpus:
                continue
            if other is not None and bool(other.cpus) == bool(row.cpus):
                raise BadTable(f"{row.place}: {row.key} stands already at {other.place}")
            if other is None or row.cpus:
                here[row.key] = row
        chosen = {**here, **chosen}
    return chosen
