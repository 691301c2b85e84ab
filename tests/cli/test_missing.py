"""The line at the end that names calls which are not written."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from compat.abi.abi import Abi
from compat.cli.coverage import entries
from compat.cli.missing import sentence
from tests.abi.tables import TABLES
from tests.cli.command import compat
from tests.cli.test_run import numbers


@pytest.fixture(scope="module")
def abi() -> Abi:
    return Abi("linux", "x86-64")


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
    assert done.returncode == 38 + 0  # ENOSYS, as the caller's exit status
    assert done.stderr.startswith(f"compat: not implemented: {name} (once; abi_tables/")
    assert done.stderr.count("\n") == 1
    assert compat("run", "--quiet", "./caller", cwd=tmp_path).stderr == ""


def make_caller(path: Path, number: int) -> None:
    """An x86-64 ELF file that makes one call and exits with the error that it got."""
    code = b"\xb8" + number.to_bytes(4, "little") + b"\x0f\x05"  # mov $number, %eax; syscall
    code += b"\x89\xc7\xf7\xdf\xb8\x3c\0\0\0\x0f\x05"  # mov %eax, %edi; neg %edi; mov $60, %eax; syscall
    base, size = 0x400000, 64 + 56 + len(code)
    header = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    header += numbers("HHIQQQIHHHHHH", 2, 62, 1, base + 120, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    path.write_bytes(header + numbers("IIQQQQQQ", 1, 5, 0, base, base, size, size, 4096) + code)
    path.chmod(0o755)
