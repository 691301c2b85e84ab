"""The table files of one guest and its parents, parsed; kept on disk so that a warm start parses nothing.

A guest's parents come first in its search order: `linux` reads linux/*.abi and posix/*.abi, and a row of the guest
hides its parent's.
"""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from compat.abi.conventions import Cpu, find_cpu
from compat.abi.grids import Grid, read_grid
from compat.abi.rows import Row, StructRow, read_rows
from compat.errors import BadTable

__all__ = ["PARENTS", "TABLES", "Tables", "cache_folder", "load_tables"]

TABLES = Path(__file__).resolve().parents[2] / "abi_tables"

PARENTS = {"linux": ("linux", "posix"), "posix": ("posix",)}
"""Guest → where its names are looked up, nearest first."""

_GRIDS = ("cpus", "conventions", "errors", "signals", "flags", "constants")
_R = TypeVar("_R", Row, StructRow)
_FORMAT = 4  # of the cache file; a change of any class that it holds must raise it


@dataclass(frozen=True)
class Tables:
    """What one guest on one CPU needs: grids by stem, rows by name (the CPU's own variant already chosen)."""

    cpu: Cpu
    grids: dict[str, Grid]
    rows: dict[str, Row]
    cases: dict[str, dict[str, Row]]
    structs: dict[str, StructRow]


def load_tables(guest: str, cpu: str, extra: Sequence[Path] = ()) -> Tables:
    """The tables of *guest* on *cpu*; *extra* folders (`--tables`) come before the package's own.

    Raises BadTable with file:line for the first malformed row, Unsupported for an unknown CPU.
    """
    folders = [*extra, *(TABLES / name for name in PARENTS[guest])]
    files = [TABLES / f"{stem}.tbl" for stem in _GRIDS]
    files += [entry for folder in folders for entry in sorted(folder.glob("*.*"))]
    key = _stamp(files, guest, cpu)
    cached = _read_cache(key)
    if cached is None:
        cached = _parse(files, folders, cpu)
        _write_cache(key, cached)
    return cached


def _stamp(files: Sequence[Path], guest: str, cpu: str) -> str:
    digest = hashlib.sha256(f"{_FORMAT} {guest} {cpu}".encode())
    for path in files:
        try:
            state = path.stat()
        except OSError as error:
            raise BadTable(f"{path}: {error.strerror}") from None
        digest.update(f"{path} {state.st_mtime_ns} {state.st_size}".encode())
    return digest.hexdigest()[:32]


def _parse(files: Sequence[Path], folders: Sequence[Path], cpu_name: str) -> Tables:
    grids = dict[str, Grid]()
    parsed = list[Row | StructRow]()
    for path in files:
        if path.suffix == ".tbl":
            grids[path.stem] = read_grid(path)
        elif path.suffix == ".abi":
            parsed += read_rows(path)
    cpu = find_cpu(grids["cpus"], cpu_name)
    for row in parsed:
        _check_cpus(row, grids["cpus"])
    plain = [r for r in parsed if isinstance(r, Row) and not r.case]
    cases = [r for r in parsed if isinstance(r, Row) and r.case]
    structs = [r for r in parsed if isinstance(r, StructRow)]
    grouped: dict[str, dict[str, Row]] = {}
    for key, row in _choose(cases, cpu, lambda r: r.key).items():
        grouped.setdefault(row.name, {})[key.partition("/")[2]] = row
    return Tables(cpu, grids, _choose(plain, cpu, lambda r: r.name), grouped, _choose(structs, cpu, lambda r: r.name))


def _check_cpus(row: Row | StructRow, grid: Grid) -> None:
    known = {keys[0] for keys, _, _ in grid.rows}
    for name in row.cpus:
        if name not in known:
            raise BadTable(f"{row.place}: {name} is no CPU of cpus.tbl")


def _choose(rows: Sequence[_R], cpu: Cpu, key: Callable[[_R], str]) -> dict[str, _R]:
    """The row of each name that serves *cpu*: one that names the CPU before one that names none.

    Raises BadTable where two rows of one folder claim the same name and CPU.
    """
    chosen: dict[str, _R] = {}
    for row in rows:
        if row.cpus and cpu.name not in row.cpus and cpu.kind not in row.cpus:
            continue
        other = chosen.get(key(row))
        if other is None or (row.cpus and not other.cpus):
            chosen[key(row)] = row
        elif bool(other.cpus) == bool(row.cpus) and _folder(other) == _folder(row):
            raise BadTable(f"{row.place}: {key(row)} stands already at {other.place}")
    return chosen


def _folder(row: Row | StructRow) -> str:
    return row.source.partition("/")[0]


def cache_folder() -> Path | None:
    """Where parsed tables and images are kept, or None where there is no home."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "compat" if os.path.isabs(base) else None


def _read_cache(key: str) -> Tables | None:
    folder = cache_folder()
    try:
        loaded = pickle.loads((folder / f"tables-{key}").read_bytes()) if folder else None
    except (
        OSError,
        pickle.PickleError,
        EOFError,
        AttributeError,
        ImportError,
        IndexError,
        TypeError,
        ValueError,
    ):
        return None
    return loaded if isinstance(loaded, Tables) else None


def _write_cache(key: str, tables: Tables) -> None:
    folder = cache_folder()
    if folder is None:
        return
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = folder / f"tables-{key}.{os.getpid()}"
        draft.write_bytes(pickle.dumps(tables, pickle.HIGHEST_PROTOCOL))
        draft.replace(folder / f"tables-{key}")
    except OSError:
        pass  # a cache that can't be written only costs time
