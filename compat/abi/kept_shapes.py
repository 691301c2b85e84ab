"""Parsed tables as JSON and back: plain numbers and texts, and rows that are made when they are asked for.

What comes back is checked as a table file's text is, since anyone may have written it: names are identifiers, numbers
are numbers. Reading a row so costs a tenth of parsing its text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from compat.abi.grids import Grid
from compat.abi.rows import STATES, Param, Row, StructRow, TypeExpr
from compat.data import dataclass
from compat.errors import BadTable

__all__ = ["Kept", "from_json", "to_json"]

_R = TypeVar("_R", Row, StructRow)


@dataclass(frozen=True)
class Kept:
    """The parts of compat.abi.tables.Tables that a file can hold."""

    columns: Mapping[str, Mapping[str, int]]
    values: Mapping[str, Mapping[str, Mapping[str, int]]]
    grids: Mapping[str, Grid]
    rows: Mapping[str, Row]
    cases: Mapping[str, Mapping[str, Row]]
    structs: Mapping[str, StructRow]


class Rows(Mapping[str, _R]):
    """Rows by key, each made when it is first asked for; what is no such row raises BadTable."""

    def __init__(self, make: Callable[[list[Any]], _R], lists: object) -> None:
        self._make: Callable[[list[Any]], _R] = make
        self._lists = _mapping(lists, _is_list)
        self._made: dict[str, _R] = {}

    def __getitem__(self, key: str) -> _R:
        made = self._made.get(key)
        if made is None:
            parts = self._lists[key]
            try:
                made = self._make(parts)
            except (TypeError, ValueError, RecursionError):
                raise BadTable(f"the kept copy of {key} is damaged: {parts!r:.200}; remove ~/.cache/compat") from None
            if key not in (made.key, getattr(made, "case", "")):
                raise BadTable(f"the kept copy has {made.key} for {key}; remove ~/.cache/compat")
            self._made[key] = made
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(self._lists)

    def __len__(self) -> int:
        return len(self._lists)

    def __contains__(self, key: object) -> bool:
        return key in self._lists


# --- to JSON ---


def to_json(content: Kept) -> dict[str, object]:
    """The tables as what json.dump takes."""
    return {
        "columns": content.columns,
        "values": content.values,
        "grids": {stem: [g.source, g.keys, g.columns, g.rows] for stem, g in content.grids.items()},
        "rows": _row_lists(content.rows),
        "cases": {name: _row_lists(cases) for name, cases in content.cases.items()},
        "structs": {
            key: [r.name, r.cpus, _param_lists(r.fields), r.source, r.line] for key, r in content.structs.items()
        },
    }


def _row_lists(rows: Mapping[str, Row]) -> dict[str, object]:
    return {key: _row_list(row) for key, row in rows.items()}


def _row_list(row: Row) -> list[object]:
    signature = [row.name, row.case, row.cpus, _param_lists(row.params), _type_list(row.result)]
    return [*signature, row.state, row.target, row.note, row.source, row.line]


def _param_lists(params: tuple[Param, ...]) -> list[object]:
    return [[param.name, _type_list(param.type)] for param in params]


def _type_list(expr: TypeExpr | int) -> object:
    """A number, the name of a plain type, or [name, arguments, optional]."""
    if isinstance(expr, int):
        return expr
    if not expr.arguments and not expr.optional:
        return expr.name
    return [expr.name, [_type_list(each) for each in expr.arguments], expr.optional]


# --- from JSON ---


def from_json(data: Any) -> Kept:
    """Raises TypeError, KeyError or ValueError for any other shape."""
    columns = _mapping(data["columns"], _is_numbers)
    if not {"numbers", "errors", "signals"} <= columns.keys():
        raise ValueError("a column is missing")
    values = _mapping(data["values"], lambda types: bool(_mapping(types, _is_numbers)))
    cases = {name: Rows(_row, lists) for name, lists in _mapping(data["cases"], _is_mapping).items()}
    grids = {stem: _grid(*parts) for stem, parts in _mapping(data["grids"], _is_list).items()}
    if not {"flags", "constants"} <= values.keys() or not {"cpus", "conventions"} <= grids.keys():
        raise ValueError("a grid is missing")
    return Kept(columns, values, grids, Rows(_row, data["rows"]), cases, Rows(_struct, data["structs"]))


def _row(parts: list[Any]) -> Row:
    name, case, cpus, params, result, state, target, note, source, line = parts
    fits = _is_name(name) and type(case) is str and _are_texts(cpus) and state in STATES
    if not fits or not all(map(_is_text, (target, note, source))) or type(line) is not int:
        raise TypeError("row")
    if not all(map(_is_name, target.replace("!", ".").split("."))) and state != "known":
        raise ValueError("target")
    return Row(name, case, tuple(cpus), _params(params), _type(result), state, target, note, source, line)


def _struct(parts: list[Any]) -> StructRow:
    name, cpus, fields, source, line = parts
    if not _is_name(name) or not _are_texts(cpus) or not _is_text(source) or type(line) is not int:
        raise TypeError("struct")
    return StructRow(name, tuple(cpus), _params(fields), source, line)


def _params(lists: list[Any]) -> tuple[Param, ...]:
    made = tuple([Param(name, _type(kind)) for name, kind in lists])
    if not all(_is_name(param.name.removeprefix("*")) for param in made):
        raise TypeError("argument")
    return made


def _type(value: Any) -> TypeExpr:
    name, arguments, optional = (value, (), False) if type(value) is str else value
    if not _is_name(name) or type(optional) is not bool:
        raise TypeError("type")
    inner = tuple([each if type(each) is int else _type(each) for each in arguments])
    return TypeExpr(name, inner, optional)


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


def _is_text(value: object) -> bool:
    return type(value) is str


def _is_name(value: object) -> bool:
    return type(value) is str and value.isidentifier()


def _are_texts(value: object) -> bool:
    return type(value) is list and all(type(item) is str for item in value)


def _is_numbers(value: object) -> bool:
    return type(value) is dict and set(map(type, value.values())) <= {int}
