"""The tables of Windows, and the runtime that they name."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from compat.abi.abi import Abi
from compat.abi.apisets import library_name
from compat.check import check_all

RUNTIME = Path(__file__).parents[2] / "shims" / "runtime"
CPUS = ["x86-64"]


def exports(cpu: str) -> set[str]:
    """The names in the runtime's own list of functions."""
    with (RUNTIME / f"windows-{cpu}").open("rb") as file:
        data = ELFFile(file).get_section_by_name("ms_exports").data()
    return {name.rstrip(b"\0").decode() for name, _ in struct.iter_unpack("<56sQ", data)}


@pytest.mark.parametrize("cpu", CPUS)
def test_every_row_binds(cpu: str) -> None:
    check_all(Abi("windows", cpu))


@pytest.mark.parametrize("cpu", CPUS)
def test_the_runtime_has_what_rows_name(cpu: str) -> None:
    rows = [row for key, row in Abi("windows", cpu).tables.rows.items() if "!" in key]
    wanted = {row.target.partition(".")[2] or row.name for row in rows if row.in_runtime}
    assert wanted
    assert not wanted - exports(cpu)


@pytest.mark.parametrize("cpu", CPUS)
def test_rows_have_what_the_runtime_has(cpu: str) -> None:
    rows = Abi("windows", cpu).tables.rows.values()
    assert not exports(cpu) - {row.target.partition(".")[2] or row.name for row in rows if row.in_runtime}


@pytest.mark.parametrize(
    ("name", "library"),
    [
        ("KERNEL32", "kernel32.dll"),
        ("C:\\Windows\\System32\\Kernel32.DLL", "kernel32.dll"),
        ("api-ms-win-crt-stdio-l1-1-0.dll", "ucrtbase.dll"),
        ("API-MS-Win-CRT-stdio-l1-1-7", "ucrtbase.dll"),
        ("api-ms-win-unheard-of-l1-1-0.dll", "api-ms-win-unheard-of-l1-1-0.dll"),
        ("winspool.drv", "winspool.drv"),
    ],
)
def test_what_tables_call_a_library(name: str, library: str) -> None:
    assert library_name(Abi("windows", "x86-64").tables.grids["apisets"], name) == library


def test_api_sets_lead_to_libraries_with_a_table() -> None:
    tables = Abi("windows", "x86-64").tables
    known = {key.partition("!")[0] for key in tables.rows if "!" in key}
    assert {cells[0] for _, cells, _ in tables.grids["apisets"].rows} <= known


def test_one_name_in_two_libraries_is_two_rows(tmp_path: Path) -> None:
    for library in ("one.dll", "two.dll"):
        (tmp_path / f"{library}.abi").write_text("Same() -> U32 = runtime.exit\n")
    for _ in range(2):  # parsed, and from the cache
        rows = Abi("windows", "x86-64", [tmp_path]).tables.rows
        assert [rows[f"{library}!Same"].library for library in ("one.dll", "two.dll")] == ["one.dll", "two.dll"]


def test_layouts() -> None:
    """Offsets of public headers: winternl.h, ntddk.h."""
    abi = Abi("windows", "x86-64")
    assert abi.layout("Teb").offset("last_error") == 0x68
    shared = abi.layout("UserSharedData")
    offsets = {"system_time.low": 0x14, "system_root": 0x30, "major_version": 0x26C, "tick_count.low": 0x320}
    assert {name: shared.offset(name) for name in offsets} == offsets
    assert abi.layout("MemoryBasicInformation").size == 48
