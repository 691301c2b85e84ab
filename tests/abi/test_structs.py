"""Layouts: C's natural alignment, packing and unpacking, and file:line for a field that is no type."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat.abi.abi import Abi
from compat.abi.structs import Layout, Record
from compat.errors import BadTable
from tests.abi.tables import make_abi
from tests.linux.headers import CPUS

ABIS = {cpu: Abi("linux", cpu) for cpu in CPUS}
LAYOUTS = [(cpu, name) for cpu in ("x86", "arm", "s390x", "mips") for name in sorted(ABIS[cpu].tables.structs)]


def layout(tmp_path: Path, fields: str, cpu: str = "x86-64") -> Layout:
    return make_abi(tmp_path / "tables", f"struct Made({fields})", cpu).layout("Made")


@pytest.mark.parametrize(("cpu", "size", "offset"), [("x86-64", 16, 8), ("x86", 12, 4), ("arm", 16, 8), ("ppc", 16, 8)])
def test_alignment_of_64_bits(cpu: str, size: int, offset: int, tmp_path: Path) -> None:
    made = layout(tmp_path, "a: U8, b: U64", cpu)
    assert (made.size, made.offset("b")) == (size, offset)


def test_nesting_arrays_and_bytes(tmp_path: Path) -> None:
    made = layout(tmp_path, "a: U8, pair: Array[Timespec, 2], text: Bytes[3], words: Array[U16, 3]")
    assert [leaf.name for leaf in made.fields] == [
        *("a", "pair.0.sec", "pair.0.nsec", "pair.1.sec", "pair.1.nsec", "text", "words")
    ]
    assert (made.offset("pair.1.nsec"), made.offset("text"), made.offset("words"), made.size) == (32, 40, 44, 56)
    values = {"a": 1, "pair.1.sec": -5, "text": b"ab", "words": (1, 2)}
    record = made.unpack(made.pack(values))
    assert record == {
        "a": 1, "pair.0.sec": 0, "pair.0.nsec": 0, "pair.1.sec": -5, "pair.1.nsec": 0, "text": b"ab\0",
        "words": (1, 2, 0),
    }  # fmt: skip
    assert record.int("pair.1.sec") == -5
    with pytest.raises(KeyError):
        made.offset("pair")


def test_order(tmp_path: Path) -> None:
    assert layout(tmp_path, "a: U32", "mips").pack({"a": 1}) == b"\0\0\0\1"
    assert layout(tmp_path, "a: U32", "mipsel").pack({"a": 1}) == b"\1\0\0\0"


def test_numbers_with_names(tmp_path: Path) -> None:
    made = layout(tmp_path, "flags: OpenFlags, events: U16[PollEvents]")
    assert [(leaf.kind, leaf.size) for leaf in made.fields] == [("OpenFlags", 4), ("PollEvents", 2)]
    assert made.fields[1].values is not None


def test_a_number_that_does_not_fit(tmp_path: Path) -> None:
    made = layout(tmp_path, "a: U8, b: I8")
    for values in ({"a": 256}, {"a": -1}, {"b": 128}):
        with pytest.raises(OSError) as refused:
            made.pack(values)
        assert refused.value.errno == errno.EOVERFLOW


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ("a: Nothing", "struct Made, field a: unknown type Nothing"),
        ("a: Made", "struct Made, field a: unknown type Made"),
        ("a: Path", "struct Made, field a: unknown type Path"),
        ("a: Bytes", "struct Made, field a: unknown type Bytes"),
        ("a: U16[Nothing]", "struct Made, field a: unknown type U16[Nothing]"),
        ("a: U16[3]", "struct Made, field a: unknown type U16[3]"),
        ("a: Array[U8, n]", "struct Made, field a: expected Array[Type, number]"),
        ("a: Array[U8, 0]", "struct Made, field a: expected Array[Type, number]"),
        ("a: Array[Timespec, 9999999999]", "struct Made, field a: expected Array[Type, number]"),
        ("a: Bytes[9999999999]", "struct Made has 9999999999 bytes"),
    ],
)
def test_fields_that_are_no_type(fields: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(BadTable) as refused:
        layout(tmp_path, fields)
    assert str(refused.value) == f"tables/extra.abi:1: {sentence}"


def test_an_unknown_struct() -> None:
    with pytest.raises(BadTable, match="no struct Nothing for linux on arm"):
        ABIS["arm"].layout("Nothing")


_RANGES = {"b": (-(2**7), 2**7), "B": (0, 2**8), "h": (-(2**15), 2**15), "H": (0, 2**16), "i": (-(2**31), 2**31),
           "I": (0, 2**32), "q": (-(2**63), 2**63), "Q": (0, 2**64)}  # fmt: skip


def values_of(made: Layout) -> st.SearchStrategy[Record]:
    """Any values that the fields can hold."""
    fields: dict[str, st.SearchStrategy[object]] = {}
    for leaf in made.fields:
        if leaf.format.endswith("s"):
            fields[leaf.name] = st.binary(min_size=leaf.size, max_size=leaf.size)
            continue
        low, high = _RANGES[leaf.format]
        number = st.integers(low, high - 1)
        fields[leaf.name] = st.tuples(*[number] * leaf.count) if leaf.count else number
    return st.fixed_dictionaries(fields).map(Record)


@given(st.data())
def test_what_is_packed_is_unpacked(data: st.DataObject) -> None:
    cpu, name = data.draw(st.sampled_from(LAYOUTS))
    made = ABIS[cpu].layout(name)
    if sum(leaf.size for leaf in made.fields) > 600:
        return  # signal frames: thousands of bytes of the same shapes
    record = data.draw(values_of(made))
    packed = made.pack(record)
    assert len(packed) == made.size
    assert made.unpack(packed) == record


@pytest.mark.parametrize("cpu", CPUS)
def test_every_struct_is_laid_out(cpu: str) -> None:
    for name in ABIS[cpu].tables.structs:
        made = ABIS[cpu].layout(name)
        end = 0
        for leaf in made.fields:
            assert leaf.offset >= end, f"{name}.{leaf.name}"
            end = leaf.offset + leaf.size
        assert end <= made.size
