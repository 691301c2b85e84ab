"""PCMPESTRI and PCMPESTRM with lengths beyond the vectors: they are cut to these."""

from __future__ import annotations

import pytest

from tests.cpu.guest import CODE, Guest

_SMALLEST = 1 << 31
_FIRST_UNEQUAL, _WORDS = 0x18, 0x01
_SOURCE = int.from_bytes(b"abcdefghijklmnop", "little")


@pytest.mark.parametrize("cpu", ["x86", "x86-64"])
@pytest.mark.parametrize("opcode", [0x60, 0x61])
@pytest.mark.parametrize("words", [0, _WORDS])
def test_the_smallest_length_is_a_long_one(cpu: str, opcode: int, words: int) -> None:
    guest = Guest(cpu)
    accumulator, data, counter = ("eax", "edx", "ecx") if cpu == "x86" else ("rax", "rdx", "rcx")
    guest.pages.write(CODE, bytes((0x66, 0x0F, 0x3A, opcode, 0xCA, _FIRST_UNEQUAL | words, 0xCC)))
    found = []
    for first, second in ((16, 16), (_SMALLEST, 16), (16, _SMALLEST), (_SMALLEST, _SMALLEST), (2, 2), (1, _SMALLEST)):
        other = _SOURCE ^ 0xFF << 56
        guest.machine.restore({accumulator: first, data: second, "xmm1": _SOURCE, "xmm2": other, "xmm0": 0, counter: 0})
        assert guest.machine.run(CODE).name == "breakpoint"
        found.append((guest.machine.read(counter), guest.machine.read("xmm0")))
    assert found[1:4] == [found[0]] * 3
    assert found[4] != found[0] != found[5]
