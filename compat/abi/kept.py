"""Parsed tables on disk, as JSON: plain numbers, and rows as the text of one line that is parsed when it is asked for.

A guest that was given the user's home could write here, so nothing that is loaded is code, and every shape is checked:
an entry that is not as expected counts as missing. Its name tells the version and every table file's time and size.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from compat.abi.grids import Grid
from compat.abi.rows import Row, StructRow, parse_row
from compat.errors import BadTable
from compat.version import VERSION

__all__ = ["Entry", "Kept", "Mark", "entry"]

_FORMAT = 1
_STAMP = 24  # hexadecimal digits
_R = TypeVar("_R", Row, StructRow)
_LARGEST = 4 << 20


class Kept(NamedTuple):
    """The parts of compat.abi.tables.Tables that a file can hold, in their order there."""

    columns: Mapping[str, Mapping[str, int]]
    values: Mapping[str, Mapping[str, Mapping[str, int]]]
    grids: Mapping[str, Grid]
    rows: Mapping[str, Row]
    cases: Mapping[str, Mapping[str, Row]]
    structs: Mapping[str, StructRow]


class Texts(Mapping[str, _R]):
    """Rows by key, each parsed when it is first asked for. A text that is no such row raises BadTable."""

    def __init__(self, kind: type[_R], texts: object) -> None:
        self._kind: type[_R] = kind
        self._texts = _mapping(texts, _is_text)
        self._made: dict[str, _R] = {}

    def __getitem__(self, key: str) -> _R:
        made = self._made.get(key)
        if made is None:
            source, line, text = self._texts[key]
            row = parse_row(line, text, source)
            if not isinstance(row, self._kind) or key not in (row.key, getattr(row, "case", "")):
                raise BadTable(f"{source}:{line}: the kept copy has another row for {key}; remove {_folder()}")
            made = self._made[key] = row
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def __contains__(self, key: object) -> bool:
        return key in self._texts


class Mark:
    """Remembers that something was done for a set of files in their present state."""

    def __init__(self, name: str, files: Sequence[Path]) -> None:
        folder = _folder()
        self._path = folder / f"{name}-{_stamp(files)}" if folder else None
        self._prefix = f"{name}-"

    def stands(self) -> bool:
        return self._path is not None and self._path.exists()

    def set(self) -> None:
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _forget(self._path.parent, self._prefix, self._path)
            self._path.touch()
        except OSError:
            pass


def _forget(folder: Path, prefix: str, but: Path) -> None:
    """Remove the entries of other stamps."""
    for other in folder.glob(prefix + "?" * _STAMP + "*"):
        if other != but:
            other.unlink(missing_ok=True)


def entry(name: str, files: Sequence[Path]) -> Entry:
    """Where the tables *name*, made of *files*, are kept; raises BadTable for a file that can't be read."""
    return Entry(_folder(), f"tables-{name}-", _stamp(files))


class Entry:
    """One file of the user's cache folder. A cache that can't be read or written only costs time."""

    def __init__(self, folder: Path | None, prefix: str, stamp: str) -> None:
        self._folder = folder
        self._prefix = prefix
        self._path = folder / f"{prefix}{stamp}.json" if folder else None

    def load(self) -> Kept | None:
        """What was stored, or None for nothing or for anything else."""
        try:
            if self._path is None:
                return None
            with self._path.open("rb") as file:
                return _from_json(json.loads(file.read(_LARGEST)))
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None

    def store(self, content: Kept) -> None:
        """Write the entry at once or not at all; entries of other stamps go."""
        if self._folder is None or self._path is None:
            return
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            import tempfile  # only here: a warm start does not come by

            handle, draft = tempfile.mkstemp(dir=self._folder, prefix="draft-")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(_to_json(content), file, separators=(",", ":"))
            os.replace(draft, self._path)
            _forget(self._folder, self._prefix, self._path)
        except OSError:
            pass


def _folder() -> Path | None:
    """The user's cache folder (XDG Base Directory Specification), or None where there is no home."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        base = os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "compat" if os.path.isabs(base) else None


def _stamp(files: Sequence[Path]) -> str:
    digest = hashlib.sha256(f"{_FORMAT} {VERSION}".encode())
    for path in files:
        try:
            state = os.stat(path)
        except OSError as error:
            raise BadTable(f"{path}: {error.strerror}") from None
        digest.update(f"{path}\0{state.st_mtime_ns} {state.st_size}\0".encode())
    return digest.hexdigest()[:_STAMP]


# --- shapes ---


def _to_json(content: Kept) -> dict[str, object]:
    return {
        "columns": content.columns,
        "values": content.values,
        "grids": {stem: [g.source, g.keys, g.columns, g.rows] for stem, g in content.grids.items()},
        "rows": _texts(content.rows),
        "cases": {name: _texts(cases) for name, cases in content.cases.items()},
        "structs": _texts(content.structs),
    }


def _texts(rows: Mapping[str, Row] | Mapping[str, StructRow]) -> dict[str, tuple[str, int, str]]:
    return {key: (row.source, row.line, row.text()) for key, row in rows.items()}


def _from_json(data: dict[str, object]) -> Kept:
    """Raises TypeError, KeyError or ValueError for any other shape."""
    columns = _mapping(data["columns"], _is_numbers)
    if not {"numbers", "errors", "signals"} <= columns.keys():
        raise ValueError("a column is missing")
    values = _mapping(data["values"], lambda types: bool(_mapping(types, _is_numbers)))
    cases = {name: Texts(Row, texts) for name, texts in _mapping(data["cases"], _is_mapping).items()}
    grids = {stem: _grid(*parts) for stem, parts in _mapping(data["grids"], _is_list).items()}
    if not {"flags", "constants"} <= values.keys() or not {"cpus", "conventions"} <= grids.keys():
        raise ValueError("a grid is missing")
    return Kept(columns, values, grids, Texts(Row, data["rows"]), cases, Texts(StructRow, data["structs"]))


def _grid(source: str, keys: int, columns: list[str], rows: list[tuple[list[str], list[str], int]]) -> Grid:
    if type(source) is not str or keys not in (1, 2) or not _are_texts(columns):
        raise TypeError("grid")
    made = []
    for names, cells, line in rows:
        if not _are_texts(names) or len(names) != keys or not _are_texts(cells) or len(cells) != len(columns):
            raise TypeError("grid")
        made.append((tuple(names), tuple(cells), int(line)))
    return Grid(source, keys, tuple(columns), tuple(made))


def _mapping(value: object, fits: Callable[[object], bool]) -> dict[str, Any]:
    """*value*, a JSON object all of whose members fit; raises TypeError for anything else."""
    if not isinstance(value, dict) or not all(map(fits, value.values())):
        raise TypeError("not the expected object")
    return value


def _is_mapping(value: object) -> bool:
    return type(value) is dict


def _is_list(value: object) -> bool:
    return type(value) is list


def _are_texts(value: object) -> bool:
    return type(value) is list and all(type(item) is str for item in value)


def _is_numbers(value: object) -> bool:
    return type(value) is dict and set(map(type, value.values())) <= {int}


def _is_text(value: object) -> bool:
    return type(value) is list and list(map(type, value)) == [str, int, str]
