"""How large the house is: `python -m tests.sizes` prints lines per package, the largest file and the largest function.

Lines are physical lines, comments and blank ones too; generated files are not counted.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("compat", "abi_tables", "loaders", "shims", "samples", "tests")
KINDS = {".py", ".abi", ".tbl", ".c", ".h"}


class Measure(NamedTuple):
    """So many lines, found there."""

    lines: int
    where: str


def files(package: str) -> Iterator[Path]:
    """The files of *package* that somebody wrote by hand."""
    for path in sorted((ROOT / package).rglob("*")):
        if path.suffix in KINDS and not generated(path):
            yield path


def generated(path: Path) -> bool:
    with path.open(encoding="utf-8") as file:
        return file.readline().startswith("# Generated")


def measure(path: Path) -> Measure:
    return Measure(len(path.read_text("utf-8").splitlines()), str(path.relative_to(ROOT)))


def functions(path: Path) -> Iterator[Measure]:
    """Every function in *path*, its decorators counted."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min((node.lineno, *(decorator.lineno for decorator in node.decorator_list)))
            assert node.end_lineno is not None
            yield Measure(node.end_lineno - first + 1, f"{path.relative_to(ROOT)}:{first} {node.name}")


def report(package: str) -> Iterator[str]:
    """The table's lines for *package*."""
    found = list(files(package))
    code = [path for path in found if path.suffix == ".py"]
    tables = [path for path in found if path.suffix in (".abi", ".tbl")]
    total = sum(measure(path).lines for path in found)
    yield f"{package:<12} {len(found):>5} files {total:>7} lines"
    for title, group in (("largest module", code), ("largest table", tables)):
        if group:
            lines, where = max(measure(path) for path in group)
            yield f"    {title:<18} {lines:>5}  {where}"
    if largest := max((item for path in code for item in functions(path)), default=None):
        yield f"    {'largest function':<18} {largest.lines:>5}  {largest.where}"


def main() -> None:
    for package in PACKAGES:
        print(*report(package), sep="\n")


if __name__ == "__main__":
    main()
