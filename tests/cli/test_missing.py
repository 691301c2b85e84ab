"""The line at the end that names calls which are not written."""

from __future__ import annotations

import re
import struct
from collections import Counter
from pathlib import Path

import pytest

from compat.abi.abi import Abi
from compat.cli.coverage import entries
from compat.cli.missing import sentence
from tests.abi.tables import TABLES
from tests.cli.command import compat


@pytest.fixture(scope="module")
def abi() -> Abi:
    return Abi("linux", "mips")


def unwritten(abi: Abi) -> tuple[str, int]:
    """A call that is known only."""
    return next((e.key, e.number) for e in entries(abi) if e.state == "known" and e.number is not None)


def test_the_place_is_that_of_the_row(abi: Abi) -> None:
    name, _ = unwritten(abi)
    text = sentence(abi, Counter({name: 2, "number 9999": 1}))
    found = re.match(rf"not implemented: {name} \(2 times; (abi_tables/.*):(\d+)\), number 9999 \(once; add ", text)
    assert found, text
    line = (TABLES.parent / found[1]).read_text().splitlines()[int(found[2]) - 1]
    assert line.startswith(name)


def test_a_long_list_is_cut(abi: Abi) -> None:
    assert sentence(abi, Counter({f"number {n}": 1 for n in range(9000, 9020)})).endswith("and 8 more")


def test_a_run_names_them_once(abi: Abi, tmp_path: Path) -> None:
    name, number = unwritten(abi)
    make_caller(tmp_path / "caller", number)
    done = compat("run", "./caller", cwd=tmp_path)
    assert done.returncode == 89  # MIPS' ENOSYS, as the caller's exit status
    assert done.stderr.startswith(f"compat: not implemented: {name} (once; abi_tables/")
    assert done.stderr.count("\n") == 1
    assert compat("run", "--quiet", "./caller", cwd=tmp_path).stderr == ""


def make_caller(path: Path, number: int) -> None:
    """A big-endian MIPS ELF file that makes one call and exits with the error that it got."""
    words = (
        0x24020000 | number,
        0xC,
        0x00402025,
        0x24020FA1,
        0xC,
    )  # li, syscall, move, li, syscall
    code = struct.pack(">5I", *words)
    base, size = 0x400000, 52 + 32 + len(code)
    header = b"\x7fELF\x01\x02\x01".ljust(16, b"\0")
    header += struct.pack(">HHIIIIIHHHHHH", 2, 8, 1, base + 84, 52, 0, 0x70001001, 52, 32, 1, 0, 0, 0)
    path.write_bytes(header + struct.pack(">8I", 1, 0, base, base, size, size, 5, 4096) + code)
    path.chmod(0o755)
