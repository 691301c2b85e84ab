"""Base relocations: the words of a PE file that hold addresses, to be moved with the image.

Source: Microsoft's "PE Format", section "The .reloc Section".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from compat.errors import BadFile
from loaders.pe_file import PeFile

__all__ = ["relocations_of"]

_BLOCK = struct.Struct("<II")
_SIZES = {3: 4, 10: 8}
"""IMAGE_REL_BASED_HIGHLOW and DIR64: bytes of the word, to which the distance is added."""


def relocations_of(file: PeFile) -> Iterator[tuple[int, int]]:
    """(RVA, size) of each word that holds an address. Raises BadFile, perhaps after some were told."""
    found = file.directory("relocation", _BLOCK.size)
    if found is None:
        return
    raw = file.read(*found, "the relocation directory")
    at = 0
    while at + _BLOCK.size <= len(raw):
        page, size = _BLOCK.unpack_from(raw, at)
        if not size:
            return
        if size < _BLOCK.size or at + size > len(raw) or page % 4096:
            raise BadFile(f"{file.source.name}: a relocation block of RVA {page:#x} claims {size:#x} bytes")
        yield from _entries(file, page, raw[at + _BLOCK.size : at + size])
        at += size


def _entries(file: PeFile, page: int, raw: bytes) -> Iterator[tuple[int, int]]:
    for (entry,) in struct.iter_unpack("<H", raw[: len(raw) & ~1]):
        kind, address = entry >> 12, page + (entry & 0xFFF)
        if kind == 0:  # IMAGE_REL_BASED_ABSOLUTE fills a block
            continue
        size = _SIZES.get(kind)
        if size is None:
            raise BadFile(f"{file.source.name}: a relocation of type {kind} at RVA {address:#x}")
        if address + size > file.header.image_size:
            raise BadFile(f"{file.source.name}: a relocation at RVA {address:#x}, beyond the image")
        yield address, size
