"""The code of stubs, from stubs.tbl."""

from __future__ import annotations

from compat.abi.abi import Abi

__all__ = ["STUB_SIZE", "Stubs"]

STUB_SIZE = 16
"""Bytes that each stub has."""


class Stubs:
    """Makes the stubs of one CPU."""

    def __init__(self, abi: Abi) -> None:
        self._order = abi.cpu.byte_order
        self._texts = {keys[0]: text for keys, text, _ in abi.tables.grids["stubs"].texts(abi.cpu.kind)}

    def trap(self, number: int) -> bytes:
        """Calls the host with *number*, and returns what it says."""
        return self._make("trap", number, 0)

    def jump(self, distance: int) -> bytes:
        """Goes on where the word says that lies *distance* bytes behind the stub's beginning."""
        return self._make("jump", 0, distance)

    def report(self, number: int, distance: int) -> bytes:
        """Tells the host, then goes on as `jump`."""
        return self._make("report", number, distance)

    def _make(self, kind: str, number: int, distance: int) -> bytes:
        text = self._texts[kind]
        size = len(bytes.fromhex(text.format(number="0" * 8, distance="0" * 8)))
        words = {"number": number, "distance": distance - size if distance else 0}
        return bytes.fromhex(text.format(**{name: self._word(value) for name, value in words.items()}))

    def _word(self, value: int) -> str:
        return (value & 0xFFFF_FFFF).to_bytes(4, self._order).hex()
