"""What tables call a library that a program names: apisets.tbl tells who implements an API set."""

from __future__ import annotations

from compat.abi.grids import Grid

__all__ = ["library_name"]


def library_name(apisets: Grid, name: str) -> str:
    """*name* in small letters, without a folder, with an extension; an API set's is that of its implementation.

    The last number of an API set's name is that of a revision, and does not count."""
    stem = name.replace("/", "\\").rpartition("\\")[2].lower()
    if "." not in stem:
        stem += ".dll"
    if not stem.startswith(("api-", "ext-")):
        return stem
    contract = stem.removesuffix(".dll").rpartition("-")[0]
    return next((cells[0] for keys, cells, _ in apisets.rows if keys[0] == contract), stem)
