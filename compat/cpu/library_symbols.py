"""The functions that the Unicorn library exports, by name: where they are, and where its table of jumps names them.

The library exports all its internals, and calls most of them through that table. An ELF library's own tables of names
are read in memory (System V ABI, chapter 5; the GNU hash table is that of binutils' `bfd/elflink.c`).
"""

from __future__ import annotations

import struct
from functools import cache
from itertools import takewhile

from compat.cpu._unicorn import ffi

__all__ = ["SUFFIXES", "Symbols", "symbols_of_library"]

SUFFIXES = {"x86": "x86_64", "x86-64": "x86_64", "ppc64le": "ppc64"}
"""What the names of the functions for one CPU end in, where that isn't our name of the CPU."""

_DYNAMIC, _CONSTANTS = 2, 0x6474E552  # PT_DYNAMIC, PT_GNU_RELRO
_JUMPS_SIZE, _JUMP_TABLE, _STRINGS, _SYMBOLS, _JUMPS, _HASHES = 2, 3, 5, 6, 23, 0x6FFFFEF5
"""DT_PLTRELSZ, DT_PLTGOT, DT_STRTAB, DT_SYMTAB, DT_JMPREL, DT_GNU_HASH (elf.h)."""
_SYMBOL_BYTES, _JUMP_BYTES = 24, 24
_MOST_ENTRIES = 40
"""Of the dynamic section, which a tag of 0 ends."""


class Symbols:
    """The library that is loaded in this process.

    Raises:
        OSError: this host doesn't tell where the library is.
        KeyError, struct.error: it isn't built as expected.
    """

    def __init__(self) -> None:
        self._base = base = _base()
        headers, count = struct.unpack("=32xQ16xH", _memory(base, 58))
        segments = struct.iter_unpack("=I12xQ16xQ8x", _memory(base + headers, 56 * count))
        places = {kind: (address, size) for kind, address, size in segments}
        self._dynamic = dynamic = places[_DYNAMIC][0]
        self._constants = places[_CONSTANTS]
        listed = struct.iter_unpack("=QQ", _memory(base + dynamic, 16 * _MOST_ENTRIES))
        entries = dict(takewhile(lambda entry: entry[0], listed))
        self._strings, self._symbols, jumps, self._hashes = (
            entries[tag] + (base if entries[tag] < base else 0) for tag in (_STRINGS, _SYMBOLS, _JUMPS, _HASHES)
        )
        self._jumps = _memory(jumps, entries[_JUMPS_SIZE])
        self._pointers_end = entries[_JUMP_TABLE] - (base if entries[_JUMP_TABLE] > base else 0)

    def address(self, name: bytes) -> int:
        """Return where the library's own function *name* is; raises KeyError if it has none."""
        (value,) = struct.unpack("=Q", _memory(self._symbols + _SYMBOL_BYTES * self._exported(name) + 8, 8))
        return self._base + int(value)

    def slot(self, name: bytes) -> int:
        """Return where the table of jumps has the address of the library's own function *name*; raises KeyError."""
        return self._slot(self._exported(name))

    def foreign_slots(self, *names: bytes) -> list[int]:
        """Return where it has those of functions *names* of other libraries; raises KeyError."""
        numbers = self._imports()
        return [self._slot(numbers[name]) for name in names]

    def pointers(self, address: int) -> list[int]:
        """Return where the table of pointers (.got, between .dynamic and the table of jumps) has *address*."""
        table = _memory(self._base + self._dynamic, self._pointers_end - self._dynamic)
        at, found = -1, []
        while (at := table.find(struct.pack("=Q", address), at + 1)) >= 0:
            if at % 8 == 0:
                found.append(self._base + self._dynamic + at)
        return found

    def tables(self) -> tuple[int, bytes]:
        """Return where the tables are that hold addresses and are constant once the library is loaded, and these."""
        offset, size = self._constants
        return self._base + offset, _memory(self._base + offset, size)

    def _slot(self, index: int) -> int:
        wanted = struct.pack("=I", index)
        at = self._jumps.find(wanted)
        while at >= 0 and at % _JUMP_BYTES != 12:  # r_offset, the kind, the symbol, r_addend
            at = self._jumps.find(wanted, at + 1)
        if at < 0:
            raise KeyError(index)
        return self._base + int(struct.unpack_from("=Q", self._jumps, at - 12)[0])

    def _imports(self) -> dict[bytes, int]:
        """The numbers of other libraries' symbols by name: these are the first, in no order."""
        (first,) = struct.unpack("=4xI", _memory(self._hashes, 8))
        names = struct.iter_unpack("=I20x", _memory(self._symbols, _SYMBOL_BYTES * first))
        return {ffi.string(ffi.cast("char *", self._strings + at)): index for index, (at,) in enumerate(names)}

    def _exported(self, name: bytes) -> int:
        """The number of a symbol of this library's, by the GNU hash table."""
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


@cache
def symbols_of_library() -> Symbols:
    """The one instance of `Symbols`; raises what that does."""
    return Symbols()


def _base() -> int:
    """Where the library begins; raises OSError on hosts that don't tell."""
    with open("/proc/self/maps", "rb") as maps:
        text = maps.read()
    found = text.find(b"/libunicorn.")
    if found < 0:
        raise OSError("libunicorn is in no map")
    return int(text[text.rfind(b"\n", 0, found) + 1 :].partition(b"-")[0], 16)


def _memory(address: int, size: int) -> bytes:
    return bytes(ffi.buffer(ffi.cast("char *", address), size))
