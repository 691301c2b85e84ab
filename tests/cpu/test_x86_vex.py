"""The length decoder behind the refusal of VEX, on instructions of every shape."""

from __future__ import annotations

import pytest

from compat.cpu.x86_vex import first_vector_instruction

LONG = """
90 | 55 | 4889e5 | 488b05a7030000 | 8b4424fc | 8b04cd00000000 | c7442410ffffffff | 66c7442410ffff
48b8efcdab8967452301 | b8efcdab89 | 66b8efcd | e800000000 | eb fe | 0f84d0000000 | 6690
0f1f8400000000 00 | 660f3a0fc108 | 0f38f0442408 | f6c101 | f7c101000000 | f7d8 | 48f7c101000000
66f7c10100 | 69c0e8030000 | 6bc07f | c8100001 | c20800 | a0efcdab8967452301 | 48a1efcdab8967452301
0fba e0 05 | 0fa4c205 | 660f70c01b | f30f1efa | 0fc74c2408 | f2480f2ac0 | 64488b042528000000
678b00 | 0fc8 | 0f31 | 0fa2 | d9ee | dd5c2408 | c6042401 | 80 3c24 00 | 81c400100000
4181c400100000 | 0fc6c11b
"""
SHORT = "678b07 | 67 8b4610 | 678b0e3412 | 678b863412 | a1efcdab89 | c4 06 | c5 06 | 9a000000003300 | 6212 | 40"


@pytest.mark.parametrize(("text", "long"), [(LONG, True), (SHORT, False)])
def test_the_instruction_behind_is_found(text: str, long: bool) -> None:
    for item in text.replace("\n", "|").split("|"):
        if not item.strip():
            continue
        code = bytes.fromhex(item)
        assert first_vector_instruction(code + bytes.fromhex("c5f877"), long) == (len(code), 1), item


@pytest.mark.parametrize("text", ["c5f857c1", "c4e27918c0", "c4e3 7d 18c1 01", "c4e1fb93c8", "c5f877"])
def test_vector_instructions_are_found(text: str) -> None:
    assert first_vector_instruction(bytes.fromhex(text), True) == (0, 0)


@pytest.mark.parametrize("text", ["c4e268f2c0", "c4e279f7c0", "c4e37bf0c803", "c5", "c4e2", "89c5", "b8c5f857c1"])
def test_others_are_not(text: str) -> None:
    assert first_vector_instruction(bytes.fromhex(text), True) is None
