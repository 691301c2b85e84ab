"""Structs lie in memory as a compiler for each CPU lays them out."""

from __future__ import annotations

from pathlib import Path

import pytest

from compat.abi.abi import Abi
from tests.linux.headers import CPUS, needs_headers
from tests.linux.layouts import C_STRUCTS, GOLDEN, WITHOUT_HEADER, golden_text, read_golden

every_cpu = pytest.mark.parametrize("cpu", CPUS)


@every_cpu
def test_layouts_are_the_golden_ones(cpu: str) -> None:
    abi = Abi("linux", cpu)
    for name, values in read_golden()[cpu].items():
        layout = abi.layout(name)
        ours = {what: layout.size if what == "sizeof" else layout.offset(what) for what in values}
        assert ours == values, f"struct {name} on {cpu}"


@every_cpu
def test_every_struct_is_golden_or_without_header(cpu: str) -> None:
    structs = Abi("linux", cpu).tables.structs
    rows = {name for name, row in structs.items() if row.source.endswith("/structs.abi")}
    assert rows - WITHOUT_HEADER == read_golden()[cpu].keys()
    assert WITHOUT_HEADER.isdisjoint(C_STRUCTS)


@needs_headers
def test_the_golden_file_is_what_the_compiler_says(tmp_path: Path) -> None:
    assert golden_text(tmp_path) == GOLDEN.read_text()
