"""Classic BPF: what each instruction does, and what is no program."""

from __future__ import annotations

import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shims.linux.bpf import Instruction, Program
from tests.linux.guest import refused

RETURN_A = (0x16, 0, 0, 0)
WORDS = tuple(range(100, 116))


def run(*instructions: tuple[int, int, int, int]) -> int:
    return Program([Instruction(*each) for each in instructions]).run(WORDS)


@pytest.mark.parametrize(
    ("code", "k", "expected"),
    [
        (0x04, 5, 12), (0x14, 8, 0xFFFFFFFF), (0x24, 3, 21), (0x34, 2, 3), (0x44, 8, 15), (0x54, 3, 3),
        (0x64, 30, 7 << 30 & 0xFFFFFFFF), (0x74, 1, 3), (0x84, 0, 0xFFFFFFF9), (0xA4, 5, 2),
    ],
)  # fmt: skip
def test_arithmetic(code: int, k: int, expected: int) -> None:
    assert run((0x00, 0, 0, 7), (code, 0, 0, k), RETURN_A) == expected
    if code != 0x84:
        assert run((0x01, 0, 0, k), (0x00, 0, 0, 7), (code | 8, 0, 0, 0), RETURN_A) == expected


def test_loads_stores_and_moves() -> None:
    assert run((0x20, 0, 0, 8), RETURN_A) == 102
    assert run((0x80, 0, 0, 0), RETURN_A) == 64
    assert run((0x00, 0, 0, 9), (0x02, 0, 0, 15), (0x00, 0, 0, 1), (0x60, 0, 0, 15), RETURN_A) == 9
    assert run((0x81, 0, 0, 0), (0x03, 0, 0, 2), (0x61, 0, 0, 2), (0x87, 0, 0, 0), RETURN_A) == 64
    assert run((0x00, 0, 0, 3), (0x07, 0, 0, 0), (0x00, 0, 0, 1), (0x87, 0, 0, 0), RETURN_A) == 3
    assert run((0x00, 0, 0, 3), (0x3C, 0, 0, 0), RETURN_A) == 0  # division by an X of 0


@pytest.mark.parametrize(
    ("test", "a", "holds"),
    [
        (0x15, 5, True), (0x15, 4, False), (0x25, 6, True), (0x25, 5, False),
        (0x35, 5, True), (0x35, 4, False), (0x45, 4, True), (0x45, 2, False),
    ],
)  # fmt: skip
def test_jumps(test: int, a: int, holds: bool) -> None:
    answers = ((0x06, 0, 0, 0), (0x06, 0, 0, 1))
    assert run((0x00, 0, 0, a), (test, 1, 0, 5), *answers) == holds
    assert run((0x01, 0, 0, 5), (0x00, 0, 0, a), (test | 8, 1, 0, 0), *answers) == holds
    assert run((0x05, 0, 0, 1), *answers) == 1


@pytest.mark.parametrize(
    "bad", [(0x20, 0, 0, 64), (0x20, 0, 0, 2), (0x28, 0, 0, 0), (0x40, 0, 0, 0), (0x60, 0, 0, 16), (0x05, 0, 0, 1),
            (0x15, 1, 0, 0), (0x15, 0, 1, 0), (0x34, 0, 0, 0), (0x94, 0, 0, 1), (0x64, 0, 0, 32), (0x1000, 0, 0, 0)]
)  # fmt: skip
def test_what_is_no_program(bad: tuple[int, int, int, int]) -> None:
    with refused(errno.EINVAL):
        run(bad, RETURN_A)
    with refused(errno.EINVAL):
        run((0x00, 0, 0, 0))


@given(st.lists(st.tuples(st.integers(0, 0xFF), st.integers(0, 9), st.integers(0, 9), st.integers(0, 70)), max_size=12))
def test_what_is_accepted_ends(instructions: list[tuple[int, int, int, int]]) -> None:
    try:
        program = Program([Instruction(*each) for each in [*instructions, RETURN_A]])
    except OSError:
        return
    assert 0 <= program.run(WORDS) <= 0xFFFFFFFF
