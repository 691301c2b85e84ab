"""Parsed tables as lines of text and back. What is read back is looked at when it is asked for, line by line.

A section begins with its title, ends with an empty line, and holds a line for each name: the name, then its fields,
with tabs between. Whatever comes back is checked as a table file's text is, since anyone may have written it: names
are identifiers, numbers are numbers. A row is read so in a tenth of the time that parsing its own text takes, and the
whole in less than the import of the json module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from compat.abi.grids import Grid
from compat.abi.rows import STATES, Param, Row, StructRow, TypeExpr
from compat.data import dataclass
from compat.errors import BadTable

__all__ = ["Kept", "from_text", "to_text"]

_V = TypeVar("_V")
Numbers = dict[str, int]


@dataclass(frozen=True)
class Kept:
    """The tables of one guest on one CPU as a file can hold them, the CPU's own column and variants already chosen.

    *columns* holds numbers, errors and signals as name → number; *values* flags and constants as type → name → number;
    *grids* the others by stem; *rows* are by name, *cases* by name and case, *structs* by name.
    """

    columns: Mapping[str, Mapping[str, int]]
    values: Mapping[str, Mapping[str, Mapping[str, int]]]
    grids: Mapping[str, Grid]
    rows: Mapping[str, Row]
    cases: Mapping[str, Mapping[str, Row]]
    structs: Mapping[str, StructRow]


class Lines(Mapping[str, _V]):
    """Values by name, each made of its line when first asked for; a line that is no such thing raises BadTable."""

    def __init__(self, make: Callable[[str, list[str]], _V], lines: dict[str, str]) -> None:
        self._make: Callable[[str, list[str]], _V] = make
        self._lines = lines
        self._made: dict[str, _V] = {}

    def __getitem__(self, name: str) -> _V:
        if name not in self._made:
            line = self._lines[name]
            try:
                self._made[name] = self._make(name, line.split("\t"))
            except (ValueError, RecursionError):
                raise BadTable(f"the kept copy of {name} is damaged: {line:.200}; remove ~/.cache/compat") from None
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    def __contains__(self, name: object) -> bool:
        return name in self._lines


# --- to text ---


def to_text(content: Kept) -> str:
    """Raises ValueError for a field with a tab or the end of a line in it."""
    sections = {f"columns\t{stem}": _number_lines(column) for stem, column in content.columns.items()}
    for stem, types in content.values.items():
        sections[f"values\t{stem}"] = [_line(name, *map(" ".join, _pairs(each))) for name, each in types.items()]
    for stem, grid in content.grids.items():
        title = _line("grids", stem, grid.source, str(grid.keys), *grid.columns)
        sections[title] = [_line(str(line), *keys, *cells) for keys, cells, line in grid.rows]
    sections["rows"] = [_row_line(key, row) for key, row in content.rows.items()]
    for name, cases in content.cases.items():
        sections[f"cases\t{name}"] = [_row_line(key, row) for key, row in cases.items()]
    sections["structs"] = [_struct_line(key, row) for key, row in content.structs.items()]
    return "\n\n".join("\n".join([title, *lines]) for title, lines in sections.items())


def _line(*fields: str) -> str:
    if any("\t" in field or "\n" in field for field in fields):
        raise ValueError("a field that can't be kept")
    return "\t".join(fields)


def _pairs(numbers: Mapping[str, int]) -> Iterable[tuple[str, str]]:
    return ((name, str(number)) for name, number in numbers.items())


def _number_lines(numbers: Mapping[str, int]) -> list[str]:
    return [_line(name, number) for name, number in _pairs(numbers)]


def _row_line(key: str, row: Row) -> str:
    place = row.source, str(row.line)
    support = row.state, row.target, row.note
    return _line(key, *place, row.name, row.case, ",".join(row.cpus), *support, _show(row.result), *_fields(row.params))


def _struct_line(key: str, row: StructRow) -> str:
    return _line(key, row.source, str(row.line), ",".join(row.cpus), *_fields(row.fields))


def _fields(params: Iterable[Param]) -> list[str]:
    return [f"{param.name} {_show(param.type)}" for param in params]


def _show(expr: TypeExpr | int) -> str:
    """Backwards, so that it is read without looking ahead: `Out[Array[Iovec], count] | None` is
    `count Iovec Array/1 Out/2?`."""
    if isinstance(expr, int):
        return str(expr)
    inner = "".join(_show(each) + " " for each in reversed(expr.arguments))
    return inner + expr.name + (f"/{len(expr.arguments)}" if expr.arguments else "") + ("?" if expr.optional else "")


# --- from text ---


def from_text(text: str) -> Kept:
    """Raises ValueError for any other text, and the Mappings BadTable for a line that is not as expected."""
    columns: dict[str, Numbers] = {}
    values: dict[str, Lines[Numbers]] = {}
    grids: dict[str, Grid] = {}
    rows: dict[str, Lines[Row]] = {}
    structs: dict[str, Lines[StructRow]] = {}
    for section in text.split("\n\n"):
        title, *lines = section.split("\n")
        kind, *names = title.split("\t")
        if kind == "grids":
            stem, source, keys, *header = names
            grids[stem] = _grid(source, int(keys), header, lines)
            continue
        found = dict([line.split("\t", 1) for line in lines])
        if kind == "columns":
            columns[names[0]] = {name: int(number) for name, number in found.items()}
        elif kind == "values":
            values[names[0]] = Lines(_numbers, found)
        elif kind in ("rows", "cases"):
            rows["".join(names)] = Lines(_row, found)
        elif kind == "structs":
            structs[""] = Lines(_struct, found)
    return _whole(columns, values, grids, rows, structs)


def _whole(
    columns: dict[str, Numbers],
    values: dict[str, Lines[Numbers]],
    grids: dict[str, Grid],
    rows: dict[str, Lines[Row]],
    structs: dict[str, Lines[StructRow]],
) -> Kept:
    complete = (
        {"numbers", "errors", "signals"} <= columns.keys()
        and {"flags", "constants"} <= values.keys()
        and {"cpus", "conventions"} <= grids.keys()
        and "" in rows
        and "" in structs
    )
    if not complete:
        raise ValueError("a section is missing")
    return Kept(columns, values, grids, rows.pop(""), rows, structs[""])


def _grid(source: str, keys: int, header: list[str], lines: list[str]) -> Grid:
    made = []
    for each in lines:
        line, *cells = each.split("\t")
        if len(cells) != keys + len(header) or keys not in (1, 2):
            raise ValueError("grid")
        made.append((tuple(cells[:keys]), tuple(cells[keys:]), int(line)))
    return Grid(source, keys, tuple(header), tuple(made))


def _numbers(name: str, fields: list[str]) -> Numbers:
    return {each: int(number) for each, number in (field.split(" ") for field in fields if field)}


def _row(key: str, fields: list[str]) -> Row:
    source, line, name, case, cpus, state, target, note, result, *params = fields
    if key.rpartition("!")[2] not in (name, case, f"{name}/{case}") or state not in STATES:
        raise ValueError("row")
    if state != "known" and not all(map(str.isidentifier, target.replace("!", ".").split("."))):
        raise ValueError("target")
    signature = _params(params), _type(result)
    return Row(_name(name), case, _cpus(cpus), *signature, state, target, note, source, int(line))


def _struct(key: str, fields: list[str]) -> StructRow:
    source, line, cpus, *params = fields
    return StructRow(_name(key), _cpus(cpus), _params(params), source, int(line))


def _cpus(text: str) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()


def _params(fields: list[str]) -> tuple[Param, ...]:
    made = []
    for field in fields:
        name, _, kind = field.partition(" ")
        _name(name.removeprefix("*"))
        made.append(Param(name, _type(kind)))
    return tuple(made)


def _type(text: str) -> TypeExpr:
    """What `_show` wrote."""
    found: list[TypeExpr | int] = []
    for word in text.split(" "):
        if word.isdecimal():
            found.append(int(word))
            continue
        name, _, count = word.removesuffix("?").partition("/")
        taken = [found.pop() for _ in range(int(count or 0)) if found]
        found.append(TypeExpr(_name(name), tuple(taken), word.endswith("?")))
    (made,) = found
    if not isinstance(made, TypeExpr):
        raise ValueError("type")
    return made


def _name(text: str) -> str:
    if not text.isidentifier():
        raise ValueError("name")
    return text
