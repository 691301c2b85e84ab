"""The condition codes of signed additions and subtractions, at the edges."""

from __future__ import annotations

import itertools
import platform

import pytest

from tests.cpu.guest import CODE, Guest, program

_INSTRUCTIONS = {"b9080045": (64, 1), "b9090045": (64, -1), "1a45": (32, 1), "1b45": (32, -1)}  # agr, sgr, ar, sr


@pytest.mark.skipif(platform.machine() != "x86_64", reason="set right on x86-64 hosts only")
@pytest.mark.parametrize("code", list(_INSTRUCTIONS))
def test_conditions(code: str) -> None:
    bits, sign = _INSTRUCTIONS[code]
    least = -1 << bits - 1
    guest = Guest("s390x")
    guest.pages.write(CODE, bytes.fromhex(code) + program("s390x", "end"))
    for first, second in itertools.product((least, least + 1, -1, 0, 1, -least - 1, 12345), repeat=2):
        guest.machine.restore({"r4": first & (1 << bits) - 1, "r5": second & (1 << bits) - 1})
        assert guest.machine.run(CODE).name == "breakpoint"
        result = first + sign * second
        expected = 3 if not least <= result < -least else (result < 0) + 2 * (result > 0)
        assert guest.machine.read("pswm") >> 44 & 3 == expected, (first, second)
        assert guest.machine.read("r4") & (1 << bits) - 1 == result & (1 << bits) - 1


@pytest.mark.skipif(platform.machine() != "x86_64", reason="set right on x86-64 hosts only")
def test_a_branch_on_overflow() -> None:
    guest = Guest("s390x")
    # agr %r4, %r5; jo .+6; nopr; brk; lghi %r4, 77
    guest.pages.write(CODE, bytes.fromhex("b9080045 a7140004 0001 0001 a749004d") + program("s390x", "end"))
    guest.machine.restore({"r4": 1 << 63, "r5": 1 << 63})
    guest.machine.run(CODE)
    assert guest.machine.read("r4") == 77
