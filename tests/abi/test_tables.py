"""Loading tables: which row serves a CPU, duplicates, and the copy that is kept on disk."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compat.abi import kept
from compat.abi.abi import Abi
from compat.abi.tables import Tables, load_tables
from compat.errors import BadTable, Unsupported
from tests.abi.tables import make_abi
from tests.linux.headers import CPUS


def test_the_row_that_names_the_cpu_wins(tmp_path: Path) -> None:
    text = "made(a: Int) -> Int\nmade @ mips(a: Long) -> Int\nmade @ arm(a: Size) -> Int"
    found = {
        cpu: make_abi(tmp_path / "tables", text, cpu).tables.rows["made"] for cpu in ("x86", "mips", "mipsel", "arm")
    }
    assert {cpu: row.params[0].type.name for cpu, row in found.items()} == {
        "x86": "Int", "mips": "Long", "mipsel": "Long", "arm": "Size"
    }  # fmt: skip


def test_a_row_for_other_cpus_is_not_there(tmp_path: Path) -> None:
    assert "made" not in make_abi(tmp_path / "tables", "made @ mips() -> Int", "x86").tables.rows


def test_a_users_row_hides_the_packages(tmp_path: Path) -> None:
    abi = make_abi(tmp_path / "tables", 'getpid() -> Pid ! EPERM "not for you"')
    assert abi.tables.rows["getpid"].state == "refused"
    assert abi.tables.rows["getppid"].state == "done"


def test_a_users_row_hides_one_that_names_the_cpu(tmp_path: Path) -> None:
    """Even from a folder that is called like the package's own."""
    abi = make_abi(tmp_path / "linux", "struct Stat(only: Int)\npipe(made: Int) -> Int", "mips")
    assert abi.layout("Stat").size == 4
    assert abi.tables.rows["pipe"].params[0].name == "made"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("made() -> Int\nmade() -> Int", "tables/extra.abi:2: made stands already at tables/extra.abi:1"),
        ("made/A() -> Int\nmade/A() -> Int", "tables/extra.abi:2: made/A stands already at tables/extra.abi:1"),
        ("made @ arm() -> Int\nmade @ arm() -> Int", "made stands already at"),
        ("struct M(a: Int)\nstruct M(b: Int)", "tables/extra.abi:2: M stands already at tables/extra.abi:1"),
        ("made @ vax() -> Int", "tables/extra.abi:1: vax is no CPU of cpus.tbl"),
    ],
)
def test_refusals(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(BadTable) as refused:
        make_abi(tmp_path / "tables", text, "arm")
    assert sentence in str(refused.value)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Unsupported):
        Abi("linux", "vax")
    with pytest.raises(BadTable, match="no folder of tables"):
        Abi("linux", "arm", [tmp_path / "missing"])


def everything(tables: Tables) -> list[object]:
    """All that tables say, as values that compare."""
    rows = {**tables.rows}, {name: {**cases} for name, cases in tables.cases.items()}, {**tables.structs}
    return [tables.cpu, tables.columns, tables.values, {**tables.grids}, *rows]


@pytest.mark.parametrize("cpu", CPUS)
def test_what_is_kept_is_what_was_parsed(cpu: str, own_cache: Path) -> None:
    first = load_tables("linux", cpu)
    assert [path.name.startswith(f"tables-linux-{cpu}-") for path in own_cache.iterdir()] == [True]
    second = load_tables("linux", cpu)
    assert type(second.rows) is not type(first.rows), "the second comes from the file"
    assert everything(second) == everything(first)


def test_a_changed_table_is_read_again(tmp_path: Path, own_cache: Path) -> None:
    make_abi(tmp_path / "tables", "made() -> Int")
    (path,) = own_cache.iterdir()
    before = path.read_bytes()
    abi = make_abi(tmp_path / "tables", "made() -> Int\nmore() -> Long")
    assert "more" in abi.tables.rows
    assert list(own_cache.iterdir()) == [path], "the entry of the old state is gone"
    assert path.read_bytes() != before


def test_folders_of_rows_have_entries_of_their_own(tmp_path: Path, own_cache: Path) -> None:
    for name in ("one", "two"):
        make_abi(tmp_path / name, "made() -> Int")
    load_tables("linux", "x86-64")
    assert len(list(own_cache.iterdir())) == 3


def test_the_oldest_entries_make_room(tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_MOST", 3)
    for number in range(6):
        make_abi(tmp_path / f"{number}", "made() -> Int")
    assert len(list(own_cache.iterdir())) <= 4


def test_a_row_of_any_arguments_is_kept(tmp_path: Path) -> None:
    rows = [make_abi(tmp_path / "tables", "made(format: Str, *rest) -> Int").tables.rows["made"] for _ in range(2)]
    assert rows[0] == rows[1]
    assert rows[1].params[1].name == "*rest"


def damage(content: Any, path: tuple[str, ...], value: object) -> Any:
    *way, last = path
    inner = content
    for name in way:
        inner = inner[name]
    inner[last] = value
    return content


DAMAGES: dict[str, Callable[[Any], Any]] = {
    "nothing": lambda content: None,
    "a list": lambda content: [content],
    "no rows": lambda content: {k: v for k, v in content.items() if k != "rows"},
    "a number that is a text": lambda content: damage(content, ("columns", "errors", "EPERM"), "1"),
    "a number that is a bool": lambda content: damage(content, ("columns", "errors", "EPERM"), True),
    "no numbers": lambda content: damage(content, ("columns",), {"errors": {}, "signals": {}}),
    "a flag that is a list": lambda content: damage(content, ("values", "flags", "OpenFlags"), [1]),
    "no constants": lambda content: damage(content, ("values",), {"flags": {}}),
    "a row that is a number": lambda content: damage(content, ("rows", "read"), 3),
    "a row that is an object": lambda content: damage(content, ("rows", "read"), {"name": "read"}),
    "cases that are a list": lambda content: damage(content, ("cases", "fcntl"), []),
    "a grid of three": lambda content: damage(content, ("grids", "cpus"), ["f", 1, []]),
    "a grid without columns": lambda content: damage(content, ("grids", "cpus"), ["f", 1, 3, []]),
    "a grid with short rows": lambda content: damage(content, ("grids", "cpus"), ["f", 1, ["a"], [[["x"], [], 1]]]),
    "no cpus": lambda content: damage(content, ("grids",), {}),
}


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_copy_is_made_again(how: str, own_cache: Path) -> None:
    wanted = everything(load_tables("linux", "arm"))
    (path,) = own_cache.iterdir()
    sound = path.read_bytes()
    state, content = json.loads(sound)
    path.write_text(json.dumps([state, DAMAGES[how](content)]), "utf-8")
    assert everything(load_tables("linux", "arm")) == wanted
    assert path.read_bytes() == sound


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff", b"[" * 100_000, b"null", b"[1, 2, 3]", b"cos\nsystem\n(S'true'\ntR."]
)
def test_a_copy_of_another_form_is_made_again(data: bytes, own_cache: Path) -> None:
    wanted = everything(load_tables("linux", "arm"))
    (path,) = own_cache.iterdir()
    path.write_bytes(data)
    assert everything(load_tables("linux", "arm")) == wanted


ROW = ["read", "", [], [["fd", "Fd"]], "SSize", "done", "files.read", "", "f.abi", 1]


@pytest.mark.parametrize(
    ("part", "value"),
    [
        (0, "write"),
        (0, "re ad"),
        (0, 1),
        (2, "arm"),
        (3, [["fd", "Fd"], ["buf"]]),
        (3, [["fd)", "Fd"]]),
        (3, [["fd", "Fd(0)"]]),
        (3, [["fd", ["In", [["Bytes", [], False], 3], 1]]]),
        (4, ["x", [["y; z", [], True]], True]),
        (4, None),
        (5, "perfect"),
        (6, "../files.read"),
        (6, 3),
        (9, "1"),
    ],
)
def test_a_row_that_became_something_else_is_refused(part: int, value: object, own_cache: Path) -> None:
    load_tables("linux", "arm")
    (path,) = own_cache.iterdir()
    state, content = json.loads(path.read_bytes())
    content["rows"]["read"] = [*ROW[:part], value, *ROW[part + 1 :]]
    path.write_text(json.dumps([state, content]), "utf-8")
    with pytest.raises(BadTable, match="kept copy"):
        load_tables("linux", "arm").rows["read"]


def test_a_folder_that_cannot_be_written_costs_only_time(own_cache: Path, tmp_path: Path) -> None:
    own_cache.parent.mkdir()
    own_cache.write_text("a file where the folder should be")
    assert load_tables("linux", "arm").rows["read"].name == "read"


def test_the_folder_is_the_users_alone(own_cache: Path) -> None:
    load_tables("linux", "arm")
    assert os.stat(own_cache).st_mode & 0o077 == 0
