"""Flags and constants: guest value → names → host value, and how they read."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat.abi.abi import Abi
from compat.abi.flags import ConstantType, FlagType
from compat.errors import BadTable
from tests.linux.headers import CPUS

OPEN = FlagType("OpenFlags", {"O_ACC": 3, "O_ACC/O_RDONLY": 0, "O_ACC/O_RDWR": 2, "O_SYNC": 0x30, "O_DSYNC": 0x10})
ABIS = {cpu: Abi("linux", cpu) for cpu in CPUS}


def test_fields_bits_and_unknown_bits() -> None:
    found = OPEN.decode(0x112)
    assert found == {"O_RDWR", "O_DSYNC"}
    assert (found.value, found.unknown) == (0x112, 0x100)
    assert OPEN.decode(0x30) == {"O_RDONLY", "O_SYNC", "O_DSYNC"}
    assert OPEN.decode(1) == set()
    assert OPEN.decode(1).unknown == 1


def test_to_the_host_and_back() -> None:
    host = {"O_RDWR": os.O_RDWR, "O_SYNC": os.O_SYNC}
    assert OPEN.decode(0x32).host(host) == os.O_RDWR | os.O_SYNC
    assert OPEN.from_host(os.O_RDWR | os.O_SYNC, host) == 0x32
    with pytest.raises(KeyError):
        OPEN.encode({"O_NOTHING"})


@pytest.mark.parametrize(
    ("raw", "text"),
    [(0, "O_RDONLY"), (0x32, "O_RDWR|O_SYNC"), (0x12, "O_RDWR|O_DSYNC"), (0x103, "0x103"), (0x40, "O_RDONLY|0x40")],
)
def test_show(raw: int, text: str) -> None:
    assert OPEN.show(OPEN.decode(raw)) == text


def test_a_guest_that_tries_every_value_fills_no_memory() -> None:
    kind = FlagType("Any", {"A": 1})
    for raw in range(10_000):
        kind.decode(raw)
    assert len(kind._cache) <= 4096


def test_constants() -> None:
    kind = ConstantType("Whence", {"SEEK_SET": 0, "SEEK_NEW": 0, "SEEK_LOW": -1})
    assert kind.decode(0) == "SEEK_SET", "of two names the first"
    assert kind.decode(0xFFFFFFFF) == "SEEK_LOW"
    unknown = kind.decode(7)
    assert (unknown, unknown.known, unknown.value) == ("0x7", False, 7)
    assert kind.encode("SEEK_NEW") == 0


@given(st.sampled_from(sorted(ABIS)), st.data())
def test_every_flag_reads_back(cpu: str, data: st.DataObject) -> None:
    abi = ABIS[cpu]
    kind = abi.flags(data.draw(st.sampled_from(sorted(abi.tables.values["flags"]))))
    raw = data.draw(st.integers(0, 2**32 - 1))
    found = kind.decode(raw)
    assert kind.encode(found) | found.unknown == raw


@pytest.mark.parametrize("cpu", ["x86-64", "mips", "ppc"])
def test_host_errors_take_the_first_name_of_a_number(cpu: str) -> None:
    """EAGAIN and EWOULDBLOCK are one number on most hosts, EDEADLK and EDEADLOCK on some."""
    abi = ABIS[cpu]
    import errno

    for name in ("EAGAIN", "EDEADLK", "EOPNOTSUPP", "EPERM", "ENOSYS"):
        assert abi.host_errors[getattr(errno, name)] == abi.errors[name], name
        assert abi.error_names[abi.errors[name]] == name


def test_a_member_of_a_field_without_its_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    abi = Abi("linux", "x86")
    tables = SimpleNamespace(values={**abi.tables.values, "flags": {"Odd": {"MASK/ONE": 1}}})
    monkeypatch.setattr(abi, "tables", tables)
    with pytest.raises(BadTable, match="Odd has MASK/ONE, but no row for the mask MASK"):
        abi.flags("Odd")


def test_unknown_types() -> None:
    with pytest.raises(BadTable, match=r"flags\.tbl has no type Nothing for linux on x86"):
        ABIS["x86"].flags("Nothing")
    with pytest.raises(BadTable, match=r"constants\.tbl has no type OpenFlags"):
        ABIS["x86"].constants("OpenFlags")
