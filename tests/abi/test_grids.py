"""`.tbl` grids: what they say, and file:line for every malformed line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat.abi.grids import parse_grid, read_grid
from compat.errors import BadTable
from tests.abi.tables import TABLES

ERRORS = """# Facts about errors.
#
# name    linux  linux/mips  linux/ppc
EPERM         1           .          .   # the same everywhere
EDEADLK    0x23        0o55          .
EDOTDOT      73          -1          -
"""


def test_columns_follow_their_parent() -> None:
    grid = parse_grid(ERRORS, "errors.tbl")
    assert grid.column("linux") == {"EPERM": 1, "EDEADLK": 35, "EDOTDOT": 73}
    assert grid.column("linux/mips") == {"EPERM": 1, "EDEADLK": 45, "EDOTDOT": -1}
    assert grid.column("linux/ppc", "linux") == {"EPERM": 1, "EDEADLK": 35}
    assert grid.column("linux/arm", "linux") == grid.column("linux")


def test_two_keys() -> None:
    grid = parse_grid("# type name linux\nA X 1\nB X 2\n", "flags.tbl")
    assert [(keys, number) for keys, number, _ in grid.numbers("linux")] == [(("A", "X"), 1), (("B", "X"), 2)]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("EPERM 1\n", 'f.tbl:1: data before the header line "# name …"'),
        ("# name linux\nEPERM\n", "f.tbl:2: 1 cells where the header names 2"),
        ("# name linux\n\nEPERM 1 2\n", "f.tbl:3: 3 cells where the header names 2"),
        ("# name linux\nEPERM 1\nEIO 5\nEPERM 2\n", "f.tbl:4: EPERM stands already in line 2"),
        ("# type name linux\nA X 1\nA X 1\n", "f.tbl:3: A X stands already in line 2"),
        ("# name linux linux\nEPERM 1 1\n", "f.tbl:1: two columns are named linux"),
    ],
)
def test_malformed_lines(text: str, sentence: str) -> None:
    with pytest.raises(BadTable) as refused:
        parse_grid(text, "f.tbl")
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("# name linux\nEPERM one\n", "f.tbl:2: EPERM: 'one' is not a number"),
        ("# name linux\nEPERM .\n", "f.tbl:2: column linux has no parent for '.'"),
        ("# name other\nEPERM 1\n", "f.tbl: no column named linux"),
    ],
)
def test_malformed_cells(text: str, sentence: str) -> None:
    grid = parse_grid(text, "f.tbl")
    with pytest.raises(BadTable) as refused:
        grid.column("linux")
    assert str(refused.value) == sentence


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BadTable, match=r"missing\.tbl: No such file or directory"):
        read_grid(tmp_path / "missing.tbl")
    (tmp_path / "latin.tbl").write_bytes(b"# name linux\n\xe4 1\n")
    with pytest.raises(BadTable, match=r"latin\.tbl: byte 13 is not UTF-8"):
        read_grid(tmp_path / "latin.tbl")


NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_/]{0,12}", fullmatch=True)


@given(st.dictionaries(NAMES, st.tuples(st.integers(-(2**63), 2**64), st.sampled_from([str, hex, oct])), min_size=1))
def test_what_is_written_is_read(cells: dict[str, tuple[int, object]]) -> None:
    lines = [f"{name}\t {show(number)}" for name, (number, show) in cells.items()]  # type: ignore[operator]
    grid = parse_grid("\n".join(["# name  linux", *lines]), "f.tbl")
    assert grid.column("linux") == {name: number for name, (number, _) in cells.items()}


@given(st.text(st.sampled_from("# name.-1x\n\t/"), max_size=60))
def test_any_text_is_a_grid_or_refused_with_its_line(text: str) -> None:
    try:
        parse_grid(text, "f.tbl")
    except BadTable as refused:
        assert str(refused).startswith("f.tbl:")


@pytest.mark.parametrize("path", sorted(TABLES.rglob("*.tbl")), ids=lambda path: path.name)
def test_the_tables_of_the_package(path: Path) -> None:
    assert read_grid(path).rows
