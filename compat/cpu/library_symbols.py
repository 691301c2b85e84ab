"""The functions that the Unicorn library exports, by name: where they are, and where its table of jumps names them.

The library exports all its internals, and calls most of them through that table. An ELF library's own tables of names
are read in memory (System V ABI, chapter 5; the GNU hash table is that of binutils' `bfd/elflink.c`).
"""

from __future__ import annotations

import struct

from compat.cpu._unicorn import ffi

__all__ = ["Symbols"]

_DYNAMIC = 2  # PT_DYNAMIC
_JUMPS_SIZE, _STRINGS, _SYMBOLS, _JUMPS, _HASHES = 2, 5, 6, 23, 0x6FFFFEF5
"""DT_PLTRELSZ, DT_STRTAB, DT_SYMTAB, DT_JMPREL, DT_GNU_HASH (elf.h)."""
_SYMBOL_BYTES, _JUMP_BYTES = 24, 24


class Symbols:
    """The library that is loaded in this process.

    Raises:
        OSError: this host doesn't tell where the library is.
        KeyError, struct.error: it isn't built as expected.
    """

    def __init__(self) -> None:
        self._base = base = _base()
        headers, count = struct.unpack("=32xQ16xH", _memory(base, 58))
        segments = struct.iter_unpack("=I12xQ32x", _memory(base + headers, 56 * count))
        dynamic = next((address for kind, address in segments if kind == _DYNAMIC), 0)
        entries = dict(struct.iter_unpack("=QQ", _memory(base + dynamic, 16 * 40)))
        self._strings, self._symbols, jumps, self._hashes = (
            entries[tag] + (base if entries[tag] < base else 0) for tag in (_STRINGS, _SYMBOLS, _JUMPS, _HASHES)
        )
        self._jumps = _memory(jumps, entries[_JUMPS_SIZE])

    def address(self, name: bytes) -> int:
        """Return where the function *name* is; raises KeyError if there is none."""
        (value,) = struct.unpack("=Q", _memory(self._symbols + _SYMBOL_BYTES * self._index(name) + 8, 8))
        if not value:
            raise KeyError(name)
        return self._base + int(value)

    def slot(self, name: bytes) -> int:
        """Return where the table of jumps has the address of *name*; raises KeyError if it hasn't."""
        wanted = struct.pack("=I", self._index(name))
        at = self._jumps.find(wanted)
        while at >= 0 and at % _JUMP_BYTES != 12:  # r_offset, the kind, the symbol, r_addend
            at = self._jumps.find(wanted, at + 1)
        if at < 0:
            raise KeyError(name)
        return self._base + int(struct.unpack_from("=Q", self._jumps, at - 12)[0])

    def _index(self, name: bytes) -> int:
        """The number of the symbol *name*, by the GNU hash table; raises KeyError."""
        wanted = 5381
        for byte in name:
            wanted = wanted * 33 + byte & 0xFFFFFFFF
        buckets, first, filters = struct.unpack("=III", _memory(self._hashes, 12))
        place = self._hashes + 16 + 8 * filters
        (index,) = struct.unpack("=I", _memory(place + 4 * (wanted % buckets), 4))
        while index >= first:
            (found,) = struct.unpack("=I", _memory(place + 4 * (buckets + index - first), 4))
            if found | 1 == wanted | 1 and self._name(index) == name:
                return int(index)
            index += 1
            if found & 1:
                break
        raise KeyError(name)

    def _name(self, index: int) -> bytes:
        (at,) = struct.unpack("=I", _memory(self._symbols + _SYMBOL_BYTES * index, 4))
        return bytes(ffi.string(ffi.cast("char *", self._strings + at)))


def _base() -> int:
    """Where the library begins; raises OSError on hosts that don't tell."""
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        for line in maps:
            if "/libunicorn." in line:
                return int(line.partition("-")[0], 16)
    raise OSError("libunicorn is in no map")


def _memory(address: int, size: int) -> bytes:
    return bytes(ffi.buffer(ffi.cast("char *", address), size))
