"""Does every row have its shim, with the same parameters? Checked before a guest starts, once for each change."""

from __future__ import annotations

import os
from collections.abc import Iterator

from compat.abi.abi import Abi
from compat.abi.kept import Mark, state_of
from compat.abi.rows import Row
from compat.abi.tables import PARENTS
from compat.bind import Binder
from compat.errors import BadTable

__all__ = ["check_all", "check_once"]

SHIMS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "shims")


def check_once(abi: Abi) -> None:
    """`check_all`, unless the same tables and shims passed before: a warm start only looks at their times."""
    families = [os.path.join(SHIMS, name) for name in PARENTS[abi.guest]]
    shims = [
        os.path.join(folder, name)
        for folder in (*families, *map(str, abi.folders))
        for name in sorted(os.listdir(folder))
        if name.endswith(".py")
    ]
    mark = Mark(f"checked-{abi.guest}-{abi.cpu.name}", abi.folders, f"{abi.tables.state}\n{state_of(shims)}")
    if not mark.stands():
        check_all(abi)
        mark.set()


def check_all(abi: Abi) -> None:
    """Bind every row and case that the CPU has and that is done or partly done; lay out every struct.

    Raises BadTable with the file:line of the first that does not fit: an unknown type, a missing shim, a shim with
    other parameters, more arguments than the convention has slots.
    """
    binder = Binder(abi)
    for name in abi.tables.structs:
        abi.layout(name)
    for row in _rows(abi):
        abi.result_of(row)
        if row.state in ("done", "partly") and not row.in_runtime:
            binder.call(row)
        else:
            binder.types(row)
        if row.state == "refused" and row.target not in abi.errors:
            raise BadTable(f"{row.place}: {row.target} is no error of errors.tbl")


def _rows(abi: Abi) -> Iterator[Row]:
    """The rows that a number of this CPU leads to, with their cases, and those of libraries."""
    for name in abi.numbers:
        row = abi.tables.rows.get(name)
        if row is not None:
            yield row
            yield from abi.tables.cases.get(name, {}).values()
    yield from (abi.tables.rows[key] for key in abi.tables.rows if "!" in key)
