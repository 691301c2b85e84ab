"""LDSMAX, LDSMIN, LDUMAX and LDUMIN of all widths, on memory of one's own and on shared memory."""

from __future__ import annotations

import struct

import pytest

from tests.cpu.guest import CODE, DATA, Guest

_BREAK = 0xD4200000
_CHOICES = {4: (max, True), 5: (min, True), 6: (max, False), 7: (min, False)}
_PAIRS = ((-5, 3), (3, -5), (-5, -7), (-7, -5), (3, 3))


def _word(size: int, choice: int) -> int:
    """w2 (x2) is the operand, x1 the address, w3 (x3) what was there."""
    return size << 30 | 0x38200000 | 2 << 16 | choice << 12 | 1 << 5 | 3


@pytest.mark.parametrize("shared", [False, True])
def test_choices(shared: bool) -> None:
    guest = Guest("aarch64")
    if shared:
        guest.machine.shared_atomics.begin()
    for size in range(4):
        bits = 8 << size
        cut = (1 << bits) - 1
        for choice, (best, signed) in _CHOICES.items():
            guest.pages.write(CODE, struct.pack("<2I", _word(size, choice), _BREAK))
            guest.machine.invalidate_code(guest.pages.physical(CODE), 8)
            for old, operand in _PAIRS:
                guest.pages.write(DATA, (old & cut).to_bytes(8, "little"))
                guest.machine.restore({"x1": DATA, "x2": operand & (1 << 64) - 1, "x3": 0})
                assert guest.machine.run(CODE).name == "breakpoint"
                expected = best(old, operand) if signed else best(old & cut, operand & cut)
                assert int.from_bytes(guest.pages.read(DATA, 8), "little") == expected & cut
                assert guest.machine.read("x3") == old & cut
