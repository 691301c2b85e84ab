"""CPUs and conventions: the lines of their grids, and file:line for malformed ones."""

from __future__ import annotations

import pytest

from compat.abi.conventions import find_convention, find_cpu
from compat.abi.grids import parse_grid, read_grid
from compat.errors import BadTable, Unsupported
from tests.abi.tables import TABLES

CPUS = read_grid(TABLES / "cpus.tbl")
CONVENTIONS = read_grid(TABLES / "conventions.tbl")
CPU_HEADER = "# name kind family bits endian align64 pairs machine top pc sp link result args\n"
HEADER = "# guest cpu trap number arguments result error\n"


@pytest.mark.parametrize("name", [keys[0] for keys, _, _ in CPUS.rows])
def test_every_cpu_has_a_linux_convention(name: str) -> None:
    cpu = find_cpu(CPUS, name)
    convention = find_convention(CONVENTIONS, "linux", cpu)
    assert len(convention.registers) + len(convention.stack) >= 6
    assert cpu.word * 8 == cpu.bits
    assert cpu.mask == (1 << cpu.bits) - 1


def test_mips() -> None:
    convention = find_convention(CONVENTIONS, "linux", find_cpu(CPUS, "mipsel"))
    assert convention.registers == ("r4", "r5", "r6", "r7")
    assert convention.stack == (16, 20, 24, 28)
    assert (convention.result, convention.second, convention.error, convention.flag) == ("r2", "r3", "flag", "r7")
    assert find_convention(CONVENTIONS, "linux", find_cpu(CPUS, "arm")).second == ""


def test_what_is_not_there() -> None:
    with pytest.raises(Unsupported, match="compat has no CPU named vax; it has x86, x86-64"):
        find_cpu(CPUS, "vax")
    with pytest.raises(Unsupported, match="compat has no windows convention for arm"):
        find_convention(CONVENTIONS, "windows", find_cpu(CPUS, "arm"))


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("arm arm arm 33 little 8 even m 0x10 pc sp lr r0 r0", "none of the known words"),
        ("arm arm arm 32 middle 8 even m 0x10 pc sp lr r0 r0", "none of the known words"),
        ("arm arm arm 32 little 8 odd m 0x10 pc sp lr r0 r0", "none of the known words"),
        ("arm arm arm 32 little 8 even m high pc sp lr r0 r0", "expected 13 cells, with numbers for"),
        ("arm arm arm 32 little x even m 0x10 pc sp lr r0 r0", "expected 13 cells, with numbers for"),
    ],
)
def test_malformed_cpus(line: str, sentence: str) -> None:
    with pytest.raises(BadTable) as refused:
        find_cpu(parse_grid(CPU_HEADER + line, "cpus.tbl"), "arm")
    assert str(refused.value).startswith("cpus.tbl:2: ")
    assert sentence in str(refused.value)


def test_a_cpu_with_too_few_columns() -> None:
    with pytest.raises(BadTable, match=r"cpus\.tbl:2: arm: expected 13 cells"):
        find_cpu(parse_grid("# name kind\narm arm", "cpus.tbl"), "arm")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("linux arm svc r7 r0,r1 r0 loud", "error style 'loud' is none of"),
        ("linux arm svc r7 r0,sp+8,r1 r0 negative", "'r1' is not a register, or a register after a stack slot"),
        ("linux arm svc r7 r0,sp-8 r0 negative", "'sp-8' is not a register"),
        ("linux arm svc r7 , r0 negative", "'' is not a register"),
    ],
)
def test_malformed_conventions(line: str, sentence: str) -> None:
    with pytest.raises(BadTable) as refused:
        find_convention(parse_grid(HEADER + line, "conventions.tbl"), "linux", find_cpu(CPUS, "arm"))
    assert str(refused.value).startswith("conventions.tbl:2: ")
    assert sentence in str(refused.value)
