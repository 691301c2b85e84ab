"""Imported symbols with their versions and libraries."""

from __future__ import annotations

import pytest

from compat.errors import BadFile
from loaders.elf_imports import Import, Imports, imports_of
from loaders.source import Source
from tests.loaders.splice import put, sample


def test_imports_have_versions_and_libraries() -> None:
    found = imports_of(Source.of_bytes(sample("dynamic-arm"), "prog"))
    assert Import("puts", "GLIBC_2.4", "libc.so.6", weak=False) in found.imports
    assert found.exported == 0


def test_a_library_without_versions() -> None:
    found = imports_of(Source.of_bytes(sample("shared-aarch64"), "prog"))
    assert found == Imports((Import("other", None, None, weak=False),), exported=4)


def test_a_static_program_imports_nothing() -> None:
    assert imports_of(Source.of_bytes(sample("static-x86"), "prog")) == Imports((), 0)


def test_damaged_sections_are_one_sentence() -> None:
    data = put(sample("dynamic-arm"), "e_shoff", 0xFFFF_FF00)
    with pytest.raises(BadFile, match=r"^prog: the dynamic symbols can't be read: "):
        imports_of(Source.of_bytes(data, "prog"))


def test_another_format_is_refused() -> None:
    with pytest.raises(BadFile, match=r"^prog is not an ELF file$"):
        imports_of(Source.of_bytes(b"#!/bin/sh", "prog"))
