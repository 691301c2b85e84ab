"""The manual page of one call: everything that its row, its types and its shim say."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from textwrap import fill, indent

from compat.abi.abi import Abi
from compat.abi.grids import read_grid
from compat.abi.rows import Row, TypeExpr, show_type
from compat.abi.structs import Layout
from compat.abi.tables import TABLES
from compat.bind import find_shim
from compat.cli.coverage import Entry
from compat.errors import BadTable

__all__ = ["describe", "description"]

_WIDTH = 100


def description(entry: Entry) -> dict[str, object]:
    """An entry as tools want it."""
    return {
        "name": entry.key,
        "number": entry.number,
        "state": entry.state,
        "signature": entry.signature,
        "shim": entry.support if entry.state in ("done", "partly") else None,
        "error": entry.support if entry.state == "refused" else None,
        "note": entry.note or None,
        "row": entry.place,
    }


def describe(abi: Abi, entry: Entry) -> str:
    """The page of *entry* on *abi*'s CPU."""
    row = entry.row
    lines = [entry.signature, f"    {_state(abi, entry)}"]
    if row is not None:
        lines += _docstring(abi, row)
        lines += _section("arguments", _arguments(abi, row))
        lines += _section("structs", _structs(abi, row))
        lines += _section("variants", _variants(abi, row))
    lines += _section("number", [_numbers(abi, entry.key.partition("/")[0])])
    return "\n".join(lines) + "\n"


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", f"  {title}", *(f"    {line}" for line in lines)] if any(lines) else []


def _state(abi: Abi, entry: Entry) -> str:
    where = f" ({entry.place})"
    if entry.state == "refused":
        return f"refused with {entry.support}" + (f": {entry.note}" if entry.note else "") + where
    if entry.state == "known":
        return f"known, not written: the guest gets ENOSYS{where}"
    return ("done" if entry.state == "done" else f"partly done: {entry.note}") + where


def _docstring(abi: Abi, row: Row) -> list[str]:
    if row.state not in ("done", "partly"):
        return []
    shim = find_shim(abi.guest, row)
    text = inspect.getdoc(shim) or ""
    place = f"{shim.__module__.replace('.', '/')}.py:{shim.__code__.co_firstlineno}"
    return ["", f"  {place} {shim.__name__}", *([indent(text, "    ")] if text else [])]


def _arguments(abi: Abi, row: Row) -> list[str]:
    lines = []
    width = max((len(param.name) for param in row.params), default=0)
    for param in row.params:
        head = f"{param.name.ljust(width)}  {show_type(param.type)}"
        values = _values(abi, param.type) if param.type.name != "Varargs" else []
        lines.append(head)
        if values:
            text = fill(" ".join(values), _WIDTH - 8, break_long_words=False, break_on_hyphens=False)
            lines += indent(text, "    ").splitlines()
    return lines


def _values(abi: Abi, expr: TypeExpr) -> list[str]:
    """The names of a flag or constant type's values on this CPU."""
    for name in (inner.name for inner in _inner(expr)):
        for find in (abi.flags, abi.constants):
            try:
                return list(find(name).values)
            except BadTable:
                continue  # a type of another kind
    return []


def _inner(expr: TypeExpr) -> Iterator[TypeExpr]:
    yield expr
    for argument in expr.arguments:
        if isinstance(argument, TypeExpr):
            yield from _inner(argument)


def _structs(abi: Abi, row: Row) -> list[str]:
    lines, seen = list[str](), set[str]()
    for param in row.params:
        for expr in _inner(param.type):
            if expr.name in abi.tables.structs and expr.name not in seen:
                seen.add(expr.name)
                lines += _struct(abi.layout(expr.name))
    return lines


def _struct(layout: Layout) -> list[str]:
    lines = [f"{layout.name}, {layout.size} bytes"]
    for leaf in layout.fields:
        count = f" ({leaf.count} items)" if leaf.count else ""
        lines.append(f"    {leaf.offset:>4}  {leaf.name}: {leaf.size} bytes{count}")
    return lines


def _variants(abi: Abi, row: Row) -> list[str]:
    if row.case:
        return []
    cases = abi.tables.cases.get(row.name, {}).values()
    width = max((len(case.state) for case in cases), default=0)
    return [
        f"{case.state.ljust(width)}  {case.signature()}" + (f'  "{case.note}"' if case.note else "") for case in cases
    ]


def _numbers(abi: Abi, name: str) -> str:
    grid = read_grid(os.path.join(TABLES, abi.guest, "numbers.tbl"))
    for keys, cells, _ in grid.rows:
        if keys[0] == name:
            return "  ".join(f"{cpu} {cell}" for cpu, cell in zip(grid.columns, cells, strict=True))
    return ""
