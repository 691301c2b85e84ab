"""Loading tables: which row serves a CPU, duplicates, and the copy that is kept on disk."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from compat.abi import kept, kept_text
from compat.abi.abi import Abi
from compat.abi.row_parser import parse_row
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


DAMAGES = {
    "nothing": lambda text: "",
    "another state": lambda text: text.replace(".tbl", ".tbk"),
    "a part": lambda text: text[: len(text) // 2],
    "no rows": lambda text: text.replace("\n\nrows\n", "\n\nlines\n"),
    "no structs": lambda text: text.replace("\n\nstructs\n", "\n\nlines\n"),
    "no numbers": lambda text: text.replace("\n\ncolumns\tnumbers\n", "\n\ncolumns\tletters\n"),
    "no constants": lambda text: text.replace("\n\nvalues\tconstants\n", "\n\nvalues\tothers\n"),
    "no cpus": lambda text: text.replace("\n\ngrids\tcpus\t", "\n\ngrids\tgpus\t"),
    "a number that is a text": lambda text: text.replace("\nEPERM\t1\n", "\nEPERM\tone\n"),
    "a row without fields": lambda text: text.replace("\nread\t", "\nread\nread\t"),
    "a grid of three keys": lambda text: text.replace("grids\tcpus\tabi_tables/cpus.tbl\t1", "grids\tcpus\tf\t3"),
    "a grid with a column less": lambda text: text.replace("\tendian\t", "\t"),
    "not UTF-8": lambda text: text.replace("EPERM", "EP\udcffERM"),
}


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_copy_is_made_again(how: str, own_cache: Path) -> None:
    wanted = everything(load_tables("linux", "arm"))
    (path,) = own_cache.iterdir()
    sound = path.read_text("utf-8")
    damaged = DAMAGES[how](sound)
    assert damaged != sound
    path.write_text(damaged, "utf-8", errors="surrogateescape")
    assert everything(load_tables("linux", "arm")) == wanted
    assert path.read_text("utf-8") == sound


READ = "f.abi\t1\tread\t\t\tdone\tfiles.read\t\tSSize\tfd Fd\tbuf count Bytes Out/2\tcount Size"


def test_a_row_as_it_is_kept(own_cache: Path) -> None:
    fields = READ.split("\t")
    assert kept_text._row("read", fields) == parse_row(
        1, "read(fd: Fd, buf: Out[Bytes, count], count: Size) -> SSize = files.read", "f.abi"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\tread\t", "\twrite\t"),
        ("\t1\t", "\tone\t"),
        ("done", "perfect"),
        ("files.read", "../files.read"),
        ("files.read", ""),
        ("fd Fd", "fd"),
        ("fd Fd", "f(d Fd"),
        ("fd Fd", "fd Fd(0)"),
        ("fd Fd", "fd 3"),
        ("fd Fd", "fd Fd Fd"),
        ("SSize", "x; y"),
        ("Out/2", "Out/two"),
        ("\tSSize\tfd Fd\tbuf count Bytes Out/2\tcount Size", ""),
    ],
)
def test_a_row_that_became_something_else_is_refused(old: str, new: str, own_cache: Path) -> None:
    load_tables("linux", "arm")
    (path,) = own_cache.iterdir()
    lines = path.read_text("utf-8").split("\n")
    at = next(number for number, line in enumerate(lines) if line.startswith("read\t") and "files.read" in line)
    assert old in READ
    lines[at] = "read\t" + READ.replace(old, new)
    path.write_text("\n".join(lines), "utf-8")
    with pytest.raises(BadTable, match="kept copy"):
        load_tables("linux", "arm").rows["read"]


@pytest.mark.parametrize("numbers", ["O_CREAT", "O_CREAT one", "O_CREAT 1 O_EXCL 2"])
def test_flags_that_became_something_else_are_refused(numbers: str, own_cache: Path) -> None:
    load_tables("linux", "arm")
    (path,) = own_cache.iterdir()
    text = re.sub("(?m)^OpenFlags\t.*", f"OpenFlags\t{numbers}", path.read_text("utf-8"))
    path.write_text(text, "utf-8")
    with pytest.raises(BadTable, match="kept copy of OpenFlags"):
        Abi("linux", "arm").flags("OpenFlags")


def test_what_can_not_be_kept_costs_only_time(tmp_path: Path, own_cache: Path) -> None:
    for _ in range(2):
        abi = make_abi(tmp_path / "tables", 'made() -> Int ! EPERM "a\ttab"')
        assert abi.tables.rows["made"].note == "a\ttab"
    assert not own_cache.exists()


def test_a_folder_that_cannot_be_written_costs_only_time(own_cache: Path, tmp_path: Path) -> None:
    own_cache.parent.mkdir()
    own_cache.write_text("a file where the folder should be")
    assert load_tables("linux", "arm").rows["read"].name == "read"


def test_the_folder_is_the_users_alone(own_cache: Path) -> None:
    load_tables("linux", "arm")
    assert os.stat(own_cache).st_mode & 0o077 == 0
