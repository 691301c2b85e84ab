"""Abis made of a few rows, beside the package's own tables, as `--tables DIR` takes them."""

from __future__ import annotations

from pathlib import Path

from compat.abi import tables
from compat.abi.abi import Abi
from compat.abi.rows import Row

TABLES = Path(tables.TABLES)


def make_abi(folder: Path, text: str, cpu: str = "x86-64") -> Abi:
    """The Linux of *cpu* with the rows of *text* in front."""
    folder.mkdir(exist_ok=True)
    (folder / "extra.abi").write_text(text, "utf-8")
    return Abi("linux", cpu, [folder])


def row_of(abi: Abi, name: str) -> Row:
    return abi.tables.rows[name]
