"""Every call of every CPU has one row that the engine understands, and no row speaks of a call that nobody has."""

from __future__ import annotations

from collections import Counter

import pytest

from compat.abi.abi import Abi
from compat.abi.grids import read_grid
from compat.abi.row_parser import read_rows
from compat.abi.rows import Row, StructRow
from compat.bind import Binder
from tests.abi.tables import TABLES
from tests.linux.headers import CPUS

FILES = sorted([*TABLES.glob("linux/*.abi"), *TABLES.glob("posix/*.abi")])
NUMBERS = read_grid(TABLES / "linux" / "numbers.tbl")
CALLS = {keys[0] for keys, _, _ in NUMBERS.rows}

every_cpu = pytest.mark.parametrize("cpu", CPUS)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return [row for path in FILES for row in read_rows(path) if isinstance(row, Row)]


def test_every_number_has_a_row_and_every_row_a_number(rows: list[Row]) -> None:
    assert {row.name for row in rows} == CALLS


def test_a_row_stands_once(rows: list[Row]) -> None:
    """Per folder; a row of linux may hide one of posix, but only to deviate on some CPUs."""
    claims = Counter((row.source.partition("/")[0], row.key, cpu) for row in rows for cpu in row.cpus or ("*",))
    assert [claim for claim, count in claims.items() if count > 1] == []
    plain = Counter(row.key for row in rows if not row.cpus)
    assert [key for key, count in plain.items() if count > 1] == []


def test_a_refusal_gives_its_reason(rows: list[Row]) -> None:
    assert [row.place for row in rows if row.state == "refused" and not row.note] == []


def test_rows_are_limited_to_cpus_that_have_the_call(rows: list[Row]) -> None:
    """`name @ cpu` for a CPU without that call would be dead text."""
    dead = []
    for row in rows:
        for cpu in row.cpus:
            if row.name not in NUMBERS.column(CPUS[cpu]):
                dead.append(f"{row.place} {row.key} @ {cpu}")
    assert dead == []


@every_cpu
def test_every_type_is_known(cpu: str) -> None:
    """Every parameter and result of every call that this CPU has, cases included."""
    abi = Abi("linux", cpu)
    for name in abi.numbers:
        for row in [abi.tables.rows[name], *abi.tables.cases.get(name, {}).values()]:
            abi.result_of(row)
            for param in row.params:
                abi.type_of(param, row)


@every_cpu
def test_every_row_can_be_decoded(cpu: str) -> None:
    """Its arguments fit the registers and stack slots of the CPU's convention, and a constant tells its cases apart."""
    abi = Abi("linux", cpu)
    binder = Binder(abi)
    for name in abi.numbers:
        cases = abi.tables.cases.get(name, {})
        for row in [abi.tables.rows[name], *cases.values()]:
            assert callable(binder.decode(row))
        assert not cases or binder.case_slot(abi.tables.rows[name]), name


@every_cpu
def test_every_length_names_a_parameter(cpu: str) -> None:
    abi = Abi("linux", cpu)
    for row in abi.tables.rows.values():
        names = {param.name for param in row.params}
        for param in row.params:
            for argument in param.type.arguments[1:]:
                assert not isinstance(argument, int), row.place
                assert argument.name in names, f"{row.place}: {param.name} is counted by {argument.name}"


@every_cpu
def test_cases_are_values_of_the_first_constant(cpu: str) -> None:
    """A case nobody can choose is a mistake, unless the CPU's grid lacks that very value."""
    abi = Abi("linux", cpu)
    for name, cases in abi.tables.cases.items():
        if name not in abi.numbers:
            continue
        kind = next(p.type.name for p in abi.tables.rows[name].params if p.type.name in CHOOSERS)
        known = {keys[1] for keys, _, _ in read_grid(TABLES / "constants.tbl").rows if keys[0] == kind}
        assert cases.keys() <= known


CHOOSERS = {"FcntlCmd", "IoctlCmd", "PrctlCmd", "SocketLevel", "SeccompOp", "IpcCall"}


@every_cpu
def test_every_struct_can_be_laid_out(cpu: str) -> None:
    abi = Abi("linux", cpu)
    for name in abi.tables.structs:
        assert abi.layout(name).size > 0


def test_struct_fields_stand_once() -> None:
    for path in FILES:
        for row in read_rows(path):
            if isinstance(row, StructRow):
                names = [field.name for field in row.fields]
                assert len(set(names)) == len(names), row.place
