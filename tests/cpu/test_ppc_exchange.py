"""PowerPC's exchanged instructions: time base, and scalar comparisons of VSX."""

from __future__ import annotations

import struct

import pytest

from compat.cpu.ppc_exchange import exchanged
from tests.cpu.guest import CODE, Guest

_NAN, _ONE, _TWO = 0x7FF8 << 48, 0x3FF0 << 48, 0x4000 << 48
_LESS, _GREATER, _EQUAL, _UNORDERED = 8, 4, 2, 1
_TRAP, _BRANCH = 0x7FE00008, 0x48000004


@pytest.mark.parametrize("cpu", ["ppc64", "ppc64le"])
@pytest.mark.parametrize("compare", [0xF0010918 | 2 << 23, 0xF0010958 | 2 << 23])  # xscmpudp, xscmpodp cr2, vs1, vs1
@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (_ONE, _TWO, _LESS),
        (_TWO, _ONE, _GREATER),
        (_ONE, _ONE, _EQUAL),
        (_NAN, _ONE, _UNORDERED),
        (_ONE, _NAN, _UNORDERED),
    ],
)
def test_scalar_comparison(cpu: str, compare: int, first: int, second: int, expected: int) -> None:
    guest = Guest(cpu)
    order = ">" if cpu == "ppc64" else "<"
    code = struct.pack(f"{order}4I", _BRANCH, compare & ~0xF800 | 2 << 11, 0x60000000, _TRAP)
    guest.pages.write(CODE, code)
    guest.machine.restore({"f1": first, "f2": second})
    assert guest.machine.run(CODE).name == "trap"
    assert guest.machine.read("cr") >> 20 & 15 == expected
    assert guest.pages.read(CODE, 16) == code


_MINUS_ZERO, _OTHER_NAN = 1 << 63, 0x7FF0 << 48 | 5
_CHOICES = {"maxc": 0x400, "minc": 0x440, "maxj": 0x480, "minj": 0x4C0}


@pytest.mark.parametrize("upper", [0, 1])
@pytest.mark.parametrize(
    ("name", "first", "second", "expected"),
    [
        ("maxc", _ONE, _TWO, _TWO),
        ("minc", _ONE, _TWO, _ONE),
        ("maxc", _NAN, _TWO, _TWO),
        ("minc", _ONE, _NAN, _NAN),
        ("maxc", 0, _MINUS_ZERO, 0),
        ("minc", 0, _MINUS_ZERO, _MINUS_ZERO),
        ("maxj", _NAN, _TWO, _NAN),
        ("minj", _TWO, _NAN, _NAN),
        ("maxj", _MINUS_ZERO, 0, 0),
        ("minj", 0, _MINUS_ZERO, _MINUS_ZERO),
        ("minj", _TWO, _ONE, _ONE),
        ("maxj", _ONE, _OTHER_NAN, _OTHER_NAN),
    ],
)
def test_minimum_and_maximum(upper: int, name: str, first: int, second: int, expected: int) -> None:
    guest = Guest("ppc64le")
    word = 0xF0000000 | _CHOICES[name] | 9 << 21 | 1 << 16 | 2 << 11 | upper * 7
    guest.pages.write(CODE, struct.pack("<4I", _BRANCH, word, 0x60000000, _TRAP))
    names = ("vs33", "vs34") if upper else ("f1", "f2")
    guest.machine.restore({names[0]: first << 64 * upper, names[1]: second << 64 * upper})
    assert guest.machine.run(CODE).name == "trap"
    state = guest.machine.save()
    assert state["vs41"] >> 64 == expected if upper else state["f9"] == expected
    assert bool(state["fpscr"] >> 24 & 1) == (second == _OTHER_NAN)
    assert state["pc"] == CODE + 12


@pytest.mark.parametrize(
    ("word", "better"),
    [
        (0xF1010918, 0xFD010800),  # xscmpudp cr2, vs1, vs1: fcmpu
        (0xF01F0158, 0xFC1F0040),  # xscmpodp cr0, vs31, vs0: fcmpo
        (0xF000091C, 0),  # vs32
        (0xF0010C00, 0),  # xsmaxcdp vs0
        (0xF0010C01, 0),  # to vs32
        (0x7C6C42E6, 0),  # mftb r3
        (0x7FED42A6, 0),  # mfspr r31, 269
        (0x7C6802A6, None),  # mflr r3
    ],
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_what_is_exchanged(word: int, better: int | None, order: str) -> None:
    wrong = exchanged(struct.pack(order + "2I", _TRAP, word), order)
    assert (wrong and wrong.better) == (None if better is None else struct.pack(order + "2I", _TRAP, better))
