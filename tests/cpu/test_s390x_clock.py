"""Instructions that read the clock or the facilities end the run by name, and leave the guest's code as it is."""

from __future__ import annotations

import pytest

from compat.cpu.s390x_clock import without_clock_readers
from tests.cpu.guest import CODE, DATA, Guest, program

_NAMES = ["clock", "clock", "clock", "facilities", "breakpoint"]


@pytest.mark.parametrize("may_change", [True, False])
def test_each_is_told_by_name(may_change: bool) -> None:
    guest = Guest("s390x")
    guest.pages.may_change = may_change
    guest["address"] = DATA
    guest.load("clocks")
    pc: int | None = CODE
    for k, name in enumerate(_NAMES):
        stop = guest.machine.run(pc)
        assert (stop.kind, stop.name, stop.address) == ("exception", name, CODE + 4 + 4 * k)
        assert guest.pc == stop.address + (2 if name == "breakpoint" else 4)
        pc = None
    assert guest["result"] == 1
    assert guest.pages.read(DATA, 16) == bytes(16)
    code = program("s390x", "clocks")
    assert guest.pages.read(CODE, len(code)) == code


def test_half_inserts_beside_them() -> None:
    guest = Guest("s390x")
    guest.pages.write(CODE, bytes.fromhex("ec45001f205d b2053000 ec45001f205d 0001"))
    guest.machine.restore({"r3": DATA, "r4": 1, "r5": 7})
    assert guest.machine.run(CODE).name == "clock"
    assert guest.machine.read("r4") == 7 << 32 | 1
    guest.machine.restore({"r4": 2})
    assert guest.machine.run().name == "breakpoint"
    assert guest.machine.read("r4") == 7 << 32 | 2


@pytest.mark.parametrize(
    ("code", "better"),
    [("b2053000", "b2000000"), ("a7290001 b2b03000 0001", "a7290001 b2000000 0001"), ("c0180000b205", None)],
)
def test_what_is_exchanged(code: str, better: str | None) -> None:
    wrong = without_clock_readers(bytes.fromhex(code))
    assert (None if wrong is None else wrong.better) == (None if better is None else bytes.fromhex(better))
