"""ROTATE THEN AND, OR, EXCLUSIVE OR SELECTED BITS that only test: Unicorn's translator aborts at them.

They leave the first operand as it is and set the condition code. Source: Principles of Operation, chapter 7.
"""

from __future__ import annotations

from operator import and_, or_, xor
from typing import NamedTuple

__all__ = ["SelectedTest", "selected_test"]

_RIE, _OPERATIONS = 0xEC, {0x54: and_, 0x56: or_, 0x57: xor}
_TEST, _BIT = 0x80, 63
_ALL = (1 << 64) - 1


class SelectedTest(NamedTuple):
    """Such an instruction: the numbers of its two registers, the bits it looks at, how far it rotates the second."""

    operation: int
    first: int
    second: int
    selected: int
    rotation: int

    def any_bit(self, first: int, second: int) -> bool:
        """Whether the result has a bit that is selected: condition code 1, else 0."""
        rotated = (second << self.rotation | second >> 64 - self.rotation) & _ALL
        return bool(_OPERATIONS[self.operation](first, rotated) & self.selected)


def selected_test(code: bytes) -> SelectedTest | None:
    """What *code*, the bytes of one instruction, asks for; None if it is something else."""
    if len(code) != 6 or code[0] != _RIE or code[5] not in _OPERATIONS or not code[2] & _TEST:
        return None
    begin, end = code[2] & _BIT, code[3] & _BIT
    from_begin, behind_end = _ALL >> begin, _ALL >> end + 1
    selected = from_begin & ~behind_end if begin <= end else from_begin | _ALL & ~behind_end
    return SelectedTest(code[5], code[1] >> 4, code[1] & 15, selected, code[4] & _BIT)
