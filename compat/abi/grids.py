"""`.tbl` grids: canonical name × column, joined to rows by name, never by order.

The header is the last comment line before the data that begins with "# name" or "# type name". Cells are separated by
blanks; "-" means that the thing does not exist in that column, "." that it is the same as in the column's parent
(`linux/mips` → `linux`). No conditionals, includes or arithmetic.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from compat.data import dataclass
from compat.errors import BadTable

__all__ = ["Grid", "StrPath", "parse_grid", "read_grid", "read_table", "source_of"]

StrPath = str | os.PathLike[str]
"""A path of the host. pathlib is not used before a guest runs: importing it costs as much as a third of Python."""


@dataclass(frozen=True)
class Grid:
    """A table of cells. *rows* holds (keys, cells, line): one key, or two where the header begins "# type name"."""

    source: str
    keys: int
    columns: tuple[str, ...]
    rows: tuple[tuple[tuple[str, ...], tuple[str, ...], int], ...]

    def column_for(self, *names: str) -> int:
        """The index of the first of *names* that is a column; raises BadTable if none is."""
        for name in names:
            if name in self.columns:
                return self.columns.index(name)
        raise BadTable(f"{self.source}: no column named {' or '.join(names)}")

    def texts(self, *names: str) -> Iterator[tuple[tuple[str, ...], str, int]]:
        """(keys, cell, line) of one column, "." already followed to the parent column, "-" left out."""
        index = self.column_for(*names)
        for keys, cells, line in self.rows:
            cell = self._follow(cells, index, line)
            if cell != "-":
                yield keys, cell, line

    def numbers(self, *names: str) -> Iterator[tuple[tuple[str, ...], int, int]]:
        """Like `texts`, the cells read as integers (decimal, 0x, 0o, with or without a sign)."""
        for keys, cell, line in self.texts(*names):
            try:
                yield keys, int(cell, 0), line
            except ValueError:
                raise BadTable(f"{self.source}:{line}: {keys[-1]}: {cell!r} is not a number") from None

    def column(self, *names: str) -> dict[str, int]:
        """name → number of one column of a grid with a single key."""
        return {keys[0]: number for keys, number, _ in self.numbers(*names)}

    def _follow(self, cells: tuple[str, ...], index: int, line: int) -> str:
        cell = cells[index]
        while cell == ".":
            parent = self.columns[index].rpartition("/")[0]
            if parent not in self.columns:
                raise BadTable(f"{self.source}:{line}: column {self.columns[index]} has no parent for '.'")
            index = self.columns.index(parent)
            cell = cells[index]
        return cell


def read_grid(path: StrPath) -> Grid:
    """Read one grid file; raises BadTable with file:line for a malformed line or a duplicate name."""
    return parse_grid(read_table(path), source_of(path))


def source_of(path: StrPath) -> str:
    """What errors call a table file: its name and its folder's."""
    return "/".join(os.fspath(path).split(os.sep)[-2:])


def read_table(path: StrPath) -> str:
    """The text of a table file; raises BadTable if it can't be read or is not UTF-8."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise BadTable(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise BadTable(f"{path}: byte {error.start} is not UTF-8") from None


def parse_grid(text: str, source: str) -> Grid:
    """The grid in *text*; *source* is the file's name as errors print it."""
    header: tuple[str, ...] = ()
    rows: list[tuple[tuple[str, ...], tuple[str, ...], int]] = []
    seen: dict[tuple[str, ...], int] = {}
    for line, content in enumerate(text.splitlines(), 1):
        words = content.split("#", 1)[0].split()
        if not words:
            if not rows and content.startswith(("# name ", "# type name ", "# guest cpu ")):
                header = _header(content, f"{source}:{line}")
            continue
        if not header:
            raise BadTable(f'{source}:{line}: data before the header line "# name …"')
        if len(words) != len(header):
            raise BadTable(f"{source}:{line}: {len(words)} cells where the header names {len(header)}")
        keys = 1 if header[0] == "name" else 2
        key = tuple(words[:keys])
        if key in seen:
            raise BadTable(f"{source}:{line}: {' '.join(key)} stands already in line {seen[key]}")
        seen[key] = line
        rows.append((key, tuple(words[keys:]), line))
    keys = 1 if header[:1] == ("name",) else 2
    return Grid(source, keys, header[keys:], tuple(rows))


def _header(content: str, place: str) -> tuple[str, ...]:
    names = tuple(content[1:].split())
    for name in names:
        if names.count(name) > 1:
            raise BadTable(f"{place}: two columns are named {name}")
    return names
