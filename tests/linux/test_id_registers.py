"""AArch64's ID registers as Linux shows them to programs."""

from __future__ import annotations

import pytest

from compat.abi.abi import Abi
from compat.process import CpuFault
from shims.linux.emulation import emulate
from shims.linux.hwcap import hardware
from tests.linux.guest import Guest


def read_register(guest: Guest, word: int) -> int | None:
    """What `mrs` (*word*, whose target is x3) gives; None where it is illegal."""
    registers = guest.thread.registers
    code = guest.put(word.to_bytes(4, "little"))
    registers.write("pc", code)
    if emulate(guest.thread, CpuFault("illegal", 1)) is not None:
        assert registers.read("pc") == code
        return None
    assert registers.read("pc") == code + 4
    return registers.read("x3")


@pytest.mark.parametrize(
    ("word", "value"),
    [
        (0xD5380003, 0x410F0511),  # midr_el1
        (0xD53800A3, 0x80000000),  # mpidr_el1
        (0xD53800C3, 0),  # revidr_el1
        (0xD5380403, 0x110011),  # id_aa64pfr0_el1
        (0xD5380423, 0),  # id_aa64pfr1_el1
        (0xD5380603, 0x1021111110212120),  # id_aa64isar0_el1
        (0xD5380623, 0x0000001100211002),  # id_aa64isar1_el1
        (0xD5380703, 0xFF000000),  # id_aa64mmfr0_el1
        (0xD5380023, None),  # op2 1 of CRm 0: ctr_el0 is elsewhere
        (0xD5381003, None),  # sctlr_el1
        (0xD5180003, None),  # msr
    ],
)
def test_values(make_guest: type[Guest], word: int, value: int | None) -> None:
    assert read_register(make_guest("aarch64"), word) == value


def test_the_zero_register_takes_nothing(make_guest: type[Guest]) -> None:
    guest = make_guest("aarch64")
    guest.thread.registers.write("x3", 7)
    assert read_register(guest, 0xD538001F) == 7


def test_the_table_names_features_that_exist() -> None:
    abi = Abi("linux", "aarch64")
    named = {feature for (_, feature), _, _ in abi.tables.grids["idregs"].rows} - {"always"}
    without_a_field = {"fp", "asimd", "cpuid"}
    assert named | without_a_field == set(hardware(abi).features)
