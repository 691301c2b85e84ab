"""x86's exchanged instructions: which they are, and horizontal sums of one register."""

from __future__ import annotations

import pytest

from compat.cpu.x86_exchange import exchanged
from tests.cpu.guest import CODE, Guest, program

_VALUE = 0x7FFF_0001_8000_FFFF_0003_0004_7FFF_7FFE
"""Half-words 0x7ffe, 0x7fff, 4, 3, -1, -0x8000, 1, 0x7fff, from the lowest on."""


@pytest.mark.parametrize(
    ("opcode", "half"),
    [
        (1, 0x8000_7FFF_0007_FFFD),
        (2, 0xFFFF_FFFF_0000_0000),
        (3, 0x7FFF_8000_0007_7FFF),
        (5, 0x8002_7FFF_0001_FFFF),
        (7, 0x8002_7FFF_0001_FFFF),
    ],
)
@pytest.mark.parametrize(("cpu", "rex", "number"), [("x86", "", 2), ("x86-64", "", 2), ("x86-64", "45", 10)])
def test_horizontal(cpu: str, rex: str, number: int, opcode: int, half: int) -> None:
    guest = Guest(cpu)
    code = bytes.fromhex(f"eb0090 66{rex}0f38{opcode:02x}d2 90") + program(cpu, "end")
    code = code[:2] + code[3:]
    guest.pages.write(CODE, code)
    if opcode == 2:
        half = (0x8000FFFF + 0x7FFF0001 & 0xFFFFFFFF) << 32 | (0x7FFF7FFE + 0x00030004 & 0xFFFFFFFF)
    for _ in range(2):
        guest.machine.write(f"xmm{number}", _VALUE)
        assert guest.machine.run(CODE).name == "breakpoint"
        assert guest.machine.read(f"xmm{number}") == half << 64 | half
    assert guest.pages.read(CODE, len(code)) == code


@pytest.mark.parametrize(
    ("code", "better"),
    [
        ("d9c0 b8d9f80000 d9f5 d9f8", "d9c0 b8d9f80000 0f0b 0f0b"),
        ("b8d9f80000", None),
        ("90 660f3802c0", "90 0f0b3802c0"),
        ("66410f3802c8", None),
        ("66450f3802c9", "0f0b0f3802c9"),
        ("660f3802c1", None),
        ("660f3804c0", None),
        ("660f380200", None),
    ],
)
def test_what_is_exchanged(code: str, better: str | None) -> None:
    wrong = exchanged(bytes.fromhex(code), long=True)
    assert (wrong and wrong.better) == (None if better is None else bytes.fromhex(better))
