"""The table files of one guest and its parents, parsed for one CPU; kept on disk so that a warm start parses little.

A guest's parents come first in its search order: `linux` reads linux/*.abi and posix/*.abi, and a row of the guest
hides its parent's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from compat.abi import kept
from compat.abi.conventions import Cpu, find_cpu
from compat.abi.grids import Grid, read_grid
from compat.abi.rows import Row, StructRow, read_rows
from compat.data import dataclass
from compat.errors import BadTable

__all__ = ["PARENTS", "TABLES", "Tables", "load_tables", "table_files"]

TABLES = Path(__file__).resolve().parents[2] / "abi_tables"

PARENTS = {"linux": ("linux", "posix"), "posix": ("posix",)}
"""Guest → where its names are looked up, nearest first."""

_GRIDS = ("cpus", "conventions", "errors", "signals", "flags", "constants")
_R = TypeVar("_R", Row, StructRow)


@dataclass(frozen=True)
class Tables:
    """What one guest on one CPU needs, the CPU's own column and variants already chosen.

    *columns* holds numbers, errors and signals as name → number; *values* flags and constants as type → name → number;
    *grids* the others by stem; *rows* are by name, *cases* by name and case, *structs* by name.
    """

    cpu: Cpu
    columns: Mapping[str, Mapping[str, int]]
    values: Mapping[str, Mapping[str, Mapping[str, int]]]
    grids: Mapping[str, Grid]
    rows: Mapping[str, Row]
    cases: Mapping[str, Mapping[str, Row]]
    structs: Mapping[str, StructRow]


def load_tables(guest: str, cpu: str, extra: Sequence[Path] = ()) -> Tables:
    """The tables of *guest* on *cpu*; *extra* folders (`--tables`) come before the package's own.

    Raises BadTable with file:line for the first malformed row, Unsupported for an unknown CPU.
    """
    files = table_files(guest, extra)
    entry = kept.entry(f"{guest}-{cpu}", files)
    found = entry.load()
    if found is not None:
        return Tables(find_cpu(found.grids["cpus"], cpu), *found)
    tables = _parse(files, guest, cpu)
    content = tables.columns, tables.values, tables.grids, tables.rows, tables.cases, tables.structs
    entry.store(kept.Kept(*content))
    return tables


def table_files(guest: str, extra: Sequence[Path] = ()) -> list[Path]:
    """The files that make up a guest's tables; raises BadTable for a folder of *extra* that is none."""
    for folder in extra:
        if not folder.is_dir():
            raise BadTable(f"{folder}: no folder of tables")
    folders = [*extra, *(TABLES / name for name in PARENTS[guest])]
    return [
        *(TABLES / f"{stem}.tbl" for stem in _GRIDS),
        *(entry for folder in folders for entry in sorted(folder.glob("*.*")) if entry.suffix in (".tbl", ".abi")),
    ]


def _parse(files: Iterable[Path], guest: str, cpu_name: str) -> Tables:
    grids = dict[str, Grid]()
    folders: dict[Path, list[Row | StructRow]] = {}
    for path in files:
        if path.suffix == ".tbl":
            grids.setdefault(path.stem, read_grid(path))
        else:
            folders.setdefault(path.parent, []).extend(read_rows(path))
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
    return Tables(cpu, columns, values, grids, plain, _grouped(rows.values()), structs)


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
