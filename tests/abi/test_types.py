"""Types of rows: what a slot decodes to, file:line for what is no type, and how values read."""

from __future__ import annotations

from pathlib import Path

import pytest

from compat.abi.abi import Abi
from compat.abi.types import SCALARS, Scalar, Type
from compat.errors import BadTable
from tests.abi.tables import make_abi, row_of
from tests.linux.headers import CPUS


def decoded(kind: Type, raw: int) -> object:
    """What the generated expression makes of *raw*."""
    return eval(kind.source("raw", ""), {"raw": raw, **kind.bindings})


@pytest.mark.parametrize("cpu", CPUS)
def test_scalars_decode_their_examples(cpu: str, tmp_path: Path) -> None:
    """Every example, put into a slot as the guest would, comes out again, whatever the bits above it."""
    names = sorted(SCALARS.keys() - {"Varargs"})
    abi = make_abi(tmp_path / "tables", "\n".join(f"made_{name}(value: {name}) -> Int" for name in names), cpu)
    for name in names:
        row = row_of(abi, f"made_{name}")
        kind = abi.type_of(row.params[0], row)
        assert isinstance(kind, Scalar)
        width, slot = int(kind.word[1:]), abi.cpu.bits * kind.slots
        for value in kind.examples:
            raw = value & (1 << width) - 1
            assert decoded(kind, raw) == value, name
            if width < slot:
                above = (1 << slot) - (1 << width)
                assert decoded(kind, raw | above) == value, f"{name}: bits above the type don't count"


@pytest.mark.parametrize(("cpu", "slots"), [("x86", 2), ("mips", 2), ("x86-64", 1)])
def test_slots(cpu: str, slots: int, tmp_path: Path) -> None:
    abi = make_abi(tmp_path / "tables", "made(a: I64, b: Off, c: Int) -> Int", cpu)
    row = row_of(abi, "made")
    assert [abi.type_of(param, row).slots for param in row.params] == [slots, 1, 1]


WRONG = {
    "a: Nothing": "a: unknown type Nothing",
    "a: In[Nothing]": "a: unknown type In[Nothing]",
    "a: In": "a: unknown type In",
    "a: In[3]": "a: unknown type In[3]",
    "a: In[Timespec, 3]": "a: unknown type In[Timespec, 3]",
    "a: In[Timespec, b], b: Int": "a: unknown type In[Timespec, b]",
    "a: Out[Bytes]": "a: unknown type Out[Bytes]",
    "a: Out[Bytes[4], b], b: Int": "a: unknown type Out[Bytes[4], b]",
    "a: In[Array[Timespec]]": "a: unknown type In[Array[Timespec]]",
    "a: In[Array, b], b: Int": "a: unknown type In[Array, b]",
    "a: In[Array[3], b], b: Int": "a: unknown type In[Array[3], b]",
    "a: In[Timespec | None]": "a: unknown type In[Timespec | None]",
    "a: In[Path]": "a: unknown type In[Path]",
    "a: Int | None": "a: Int | None is no type: Int stands alone",
    "a: Int[3]": "a: Int[3] is no type: Int stands alone",
    "a: OpenFlags[3]": "a: OpenFlags[3] is no type: OpenFlags stands alone",
    "a: Path[3]": "a: Path[3] is no type: Path stands alone",
}


@pytest.mark.parametrize("params", WRONG)
def test_what_is_no_type(params: str, tmp_path: Path) -> None:
    abi = make_abi(tmp_path / "tables", f"made({params}) -> Int")
    row = row_of(abi, "made")
    with pytest.raises(BadTable) as refused:
        abi.type_of(row.params[0], row)
    assert str(refused.value) == f"tables/extra.abi:1: {WRONG[params]}"


@pytest.mark.parametrize(
    ("result", "cpu", "sentence"),
    [
        ("Nothing", "arm", "the result: unknown type Nothing"),
        ("Path", "arm", "the result can't be Path"),
        ("Out[Int]", "arm", "the result can't be Out[Int]"),
        ("FdPair", "arm", "the result FdPair does not fit arm's registers"),
        ("Stat", "mips", "the result Stat does not fit mips's registers"),
    ],
)
def test_what_is_no_result(result: str, cpu: str, sentence: str, tmp_path: Path) -> None:
    abi = make_abi(tmp_path / "tables", f"made() -> {result}", cpu)
    with pytest.raises(BadTable) as refused:
        abi.result_of(row_of(abi, "made"))
    assert str(refused.value) == f"tables/extra.abi:1: {sentence}"


def test_how_scalars_read() -> None:
    abi = Abi("linux", "x86-64")
    row = row_of(abi, "openat")
    directory, _, flags, mode = (abi.type_of(param, row) for param in row.params)
    assert directory.show(-100) == "AT_FDCWD"
    assert directory.show(3) == "3"
    assert mode.show(0o644) == "0644"
    assert mode.show(0) == "0"
    assert flags.show(decoded(flags, 0o1101)) == "O_WRONLY|O_CREAT|O_TRUNC"
    pointer = Scalar("Ptr", word="U64")
    assert (pointer.show(0), pointer.show(4096)) == ("NULL", "0x1000")
    assert Scalar("ULong", word="U64").show(2**63) == "0x8000000000000000"
    assert Scalar("Off", word="I64").show(2**40) == str(2**40)
