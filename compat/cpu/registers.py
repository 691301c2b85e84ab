"""Registers, and groups of them that are read and written in one call."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from compat.cpu._unicorn import ffi
from compat.data import dataclass

__all__ = ["Batch", "Register", "WideBatch"]


@dataclass(frozen=True)
class Register:
    """A register's number in Unicorn and its width in bytes (16 at most)."""

    id: int
    size: int


class Batch:
    """Registers of 64 bits or less that are read and written together, about 0.5 us for seven."""

    def __init__(self, library: Any, handle: Any, registers: Sequence[Register]) -> None:
        count = len(registers)
        self._handle = handle
        self._count = count
        self._ids = ffi.new("int[]", [register.id for register in registers])
        self._masks = [(1 << 8 * register.size) - 1 for register in registers]
        self._values = ffi.new("uint64_t[]", count)
        self._slots = ffi.new("void *[]", [self._values + i for i in range(count)])
        self._read = library.uc_reg_read_batch
        self._write = library.uc_reg_write_batch
        self._unpack = ffi.unpack

    def read(self) -> list[int]:
        """Return the values, unsigned, in the order in which the registers were named."""
        self._read(self._handle, self._ids, self._slots, self._count)
        return self._unpack(self._values, self._count)  # type: ignore[no-any-return]

    def write(self, values: Sequence[int]) -> None:
        """Set all the registers; each value is cut to the register's width."""
        target = self._values
        for i, (value, mask) in enumerate(zip(values, self._masks, strict=True)):
            target[i] = value & mask
        self._write(self._handle, self._ids, self._slots, self._count)


class WideBatch:
    """Registers of any width up to 128 bits that are read and written together."""

    def __init__(self, library: Any, handle: Any, registers: Sequence[Register]) -> None:
        self._handle = handle
        self._masks = [(1 << 8 * register.size) - 1 for register in registers]
        self._ids = ffi.new("int[]", [register.id for register in registers])
        self._values = ffi.new("uint64_t[]", 2 * len(registers))
        self._slots = ffi.new("void *[]", [self._values + 2 * i for i in range(len(registers))])
        self._bytes = ffi.buffer(self._values)
        self._layout = struct.Struct(f"={2 * len(registers)}Q")
        self._read = library.uc_reg_read_batch
        self._write = library.uc_reg_write_batch

    def read(self) -> list[int]:
        """Return the values, unsigned, in the order in which the registers were named."""
        self._read(self._handle, self._ids, self._slots, len(self._masks))
        halves = self._layout.unpack(self._bytes)
        return [
            (low | high << 64) & mask for low, high, mask in zip(halves[::2], halves[1::2], self._masks, strict=True)
        ]

    def write(self, values: Sequence[int]) -> None:
        """Set all the registers; each value is cut to the register's width."""
        low64 = (1 << 64) - 1
        halves = []
        for value, mask in zip(values, self._masks, strict=True):
            halves += [value & mask & low64, (value & mask) >> 64]
        self._layout.pack_into(self._bytes, 0, *halves)
        self._write(self._handle, self._ids, self._slots, len(self._masks))
