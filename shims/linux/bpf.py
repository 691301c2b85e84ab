"""Classic BPF as seccomp(2) uses it: programs over the 64 bytes of struct seccomp_data (kernel/seccomp.c)."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import Final, NamedTuple

__all__ = ["Instruction", "Program"]

_MOST: Final = 4096  # BPF_MAXINSNS, include/uapi/linux/bpf_common.h; the numbers below stand there, too
_DATA: Final = 64
_CELLS: Final = 16
_WORD: Final = 0xFFFFFFFF

_LOAD, _LOAD_X, _STORE, _STORE_X, _COMPUTE, _JUMP, _RETURN, _MOVE = range(8)
_IMMEDIATE, _ABSOLUTE, _CELL, _LENGTH = 0x00, 0x20, 0x60, 0x80
_BY_X: Final = 0x08
_LEFT, _RIGHT, _DIVIDE, _NEGATE = 0x60, 0x70, 0x30, 0x80
_OPERATIONS: Final = (0x00, 0x10, 0x20, _DIVIDE, 0x40, 0x50, _LEFT, _RIGHT, 0xA0)
_ALWAYS: Final = 0x00
_TESTS: Final = (0x10, 0x20, 0x30, 0x40)
_KNOWN: Final = frozenset(
    [_LOAD | _ABSOLUTE, _RETURN, _RETURN | 0x10, _MOVE, _MOVE | 0x80, _STORE, _STORE_X, _COMPUTE | _NEGATE, _JUMP]
    + [kind | mode for kind in (_LOAD, _LOAD_X) for mode in (_IMMEDIATE, _CELL, _LENGTH)]
    + [_COMPUTE | op | by for op in _OPERATIONS for by in (0, _BY_X)]
    + [_JUMP | test | by for test in _TESTS for by in (0, _BY_X)]
)


class Instruction(NamedTuple):
    """struct sock_filter."""

    code: int
    yes: int
    no: int
    k: int


class Program:
    """A checked program. *plain* tells that the number and the CPU of a call alone decide it.

    Raises OSError(EINVAL) for a program that Linux refuses.
    """

    def __init__(self, instructions: Sequence[Instruction]) -> None:
        if not 0 < len(instructions) <= _MOST or instructions[-1].code & 7 != _RETURN:
            raise OSError(errno.EINVAL, "length of the filter")
        for place, each in enumerate(instructions):
            if not _valid(each, len(instructions) - place - 1):
                raise OSError(errno.EINVAL, f"instruction {place} of the filter")
        self._instructions = [_load_width(each) for each in instructions]
        self.plain = all(each.k < 8 for each in instructions if each.code == _LOAD | _ABSOLUTE)

    def run(self, words: Sequence[int]) -> int:
        """What the program returns for struct seccomp_data as 32-bit *words*."""
        a = x = place = 0
        cells = [0] * _CELLS
        while True:
            code, yes, no, k = self._instructions[place]
            place += 1
            kind = code & 7
            if kind == _JUMP:
                place += k if code == _JUMP else yes if _holds(code & 0xF0, a, x if code & _BY_X else k) else no
            elif kind == _LOAD:
                a = words[k >> 2] if code == _LOAD | _ABSOLUTE else cells[k] if code & 0xE0 == _CELL else k
            elif kind == _RETURN:
                return a if code & 0x18 else k
            elif kind == _COMPUTE:
                operand = x if code & _BY_X else k
                if code & 0xF0 == _DIVIDE and not operand:
                    return 0
                a = _compute(code & 0xF0, a, operand)
            elif kind == _LOAD_X:
                x = cells[k] if code & 0xE0 == _CELL else k
            elif kind == _STORE:
                cells[k] = a
            elif kind == _STORE_X:
                cells[k] = x
            elif code & 0x80:
                a = x
            else:
                x = a


def _load_width(each: Instruction) -> Instruction:
    """Loading the length loads a constant."""
    is_length = each.code & 7 in (_LOAD, _LOAD_X) and each.code & 0xE0 == _LENGTH
    return each._replace(code=each.code & 7, k=_DATA) if is_length else each


def _valid(each: Instruction, following: int) -> bool:
    """seccomp_check_filter() and bpf_check_classic(); *following* instructions come after this one."""
    code, k = each.code, each.k
    if code not in _KNOWN:
        return False
    if code == _LOAD | _ABSOLUTE:
        return k < _DATA and k % 4 == 0
    if code & 7 in (_STORE, _STORE_X) or (code & 7 in (_LOAD, _LOAD_X) and code & 0xE0 == _CELL):
        return k < _CELLS
    if code == _JUMP:
        return k < following
    if code & 7 == _JUMP:
        return max(each.yes, each.no) < following
    if code == _COMPUTE | _DIVIDE:
        return k != 0
    return code not in (_COMPUTE | _LEFT, _COMPUTE | _RIGHT) or k < 32


def _holds(test: int, a: int, operand: int) -> bool:
    if test == 0x10:
        return a == operand
    if test == 0x20:
        return a > operand
    return a >= operand if test == 0x30 else bool(a & operand)


def _compute(operation: int, a: int, operand: int) -> int:
    match operation:
        case 0x00:
            result = a + operand
        case 0x10:
            result = a - operand
        case 0x20:
            result = a * operand
        case 0x30:
            result = a // operand
        case 0x40:
            result = a | operand
        case 0x50:
            result = a & operand
        case 0x60:
            result = a << (operand & 31)
        case 0x70:
            result = a >> (operand & 31)
        case 0x80:
            result = -a
        case _:
            result = a ^ operand
    return result & _WORD
