"""What FUTEX_WAKE_OP does to a word, encoded in 32 bits (futex(2))."""

from __future__ import annotations

import errno

__all__ = ["change", "holds"]


def change(encoded: int, old: int) -> int:
    """The new value of a word that held *old*. Raises OSError(ENOSYS) for no operation."""
    operation, argument = encoded >> 28 & 7, _signed(encoded >> 12, 12)
    if encoded >> 31:
        argument = 1 << (argument & 31)
    results = [argument, old + argument, old | argument, old & ~argument, old ^ argument]
    if operation >= len(results):
        raise OSError(errno.ENOSYS, "FUTEX_WAKE_OP operation")
    return results[operation] & 0xFFFFFFFF


def holds(encoded: int, old: int) -> bool:
    """Whether the comparison is true of *old*. Raises OSError(ENOSYS) for none."""
    comparison, argument, value = encoded >> 24 & 15, _signed(encoded, 12), _signed(old, 32)
    results = [
        value == argument,
        value != argument,
        value < argument,
        value <= argument,
        value > argument,
        value >= argument,
    ]
    if comparison >= len(results):
        raise OSError(errno.ENOSYS, "FUTEX_WAKE_OP comparison")
    return results[comparison]


def _signed(value: int, bits: int) -> int:
    return (value & (1 << bits) - 1 ^ 1 << bits - 1) - (1 << bits - 1)
