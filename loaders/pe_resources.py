"""The resources of a PE file: a tree of types, names and languages.

Source: Microsoft's "PE Format", section "The .rsrc Section".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from compat.data import dataclass
from compat.errors import BadFile
from loaders.pe_file import PeFile

__all__ = ["Resource", "resources_of"]

_DIRECTORY = struct.Struct("<IIHHHH")
_ENTRY = struct.Struct("<II")
_DATA = struct.Struct("<IIII")
_ELSEWHERE = 1 << 31  # in a name: it is a string's offset; in a place: it is another directory's
_LEVELS = 3
_MOST = 1 << 16


@dataclass(frozen=True, slots=True)
class Resource:
    """*type* and *name* are numbers or strings, *language* a LANGID; the bytes are *size* from the RVA *address* on."""

    type: int | str
    name: int | str
    language: int | str
    address: int
    size: int
    codepage: int


def resources_of(file: PeFile) -> Iterator[Resource]:
    """All resources in the file's order. Raises BadFile, perhaps after some were told."""
    found = file.directory("resource", _DIRECTORY.size)
    if found is None:
        return
    for told, (path, place) in enumerate(_leaves(file, found[0], 0, ())):
        if told == _MOST:
            raise BadFile(f"{file.source.name}: more than {_MOST} resources")
        address, size, codepage, _ = _DATA.unpack(file.read(found[0] + place, _DATA.size, "a resource"))
        if size > file.header.image_size:
            raise BadFile(f"{file.source.name}: a resource of {size:#x} bytes at RVA {address:#x}")
        yield Resource(*path, address, size, codepage)


def _leaves(
    file: PeFile, root: int, offset: int, path: tuple[int | str, ...]
) -> Iterator[tuple[tuple[int | str, int | str, int | str], int]]:
    """Paths of type, name and language with the offset of the leaf's data entry, below the directory at *offset*."""
    raw = file.read(root + offset, _DIRECTORY.size, "a directory of resources")
    named, numbered = _DIRECTORY.unpack(raw)[4:]
    count = named + numbered
    entries = file.read(root + offset + _DIRECTORY.size, count * _ENTRY.size, "a directory of resources")
    for key, place in _ENTRY.iter_unpack(entries):
        below = (*path, _text(file, root + (key & ~_ELSEWHERE)) if key & _ELSEWHERE else key)
        deeper = bool(place & _ELSEWHERE)
        if deeper == (len(below) == _LEVELS):
            raise BadFile(f"{file.source.name}: a resource that does not lie {_LEVELS} directories deep")
        if deeper:
            yield from _leaves(file, root, place & ~_ELSEWHERE, below)
        else:
            yield (below[0], below[1], below[2]), place


def _text(file: PeFile, address: int) -> str:
    """A length in 16 bits and as many UTF-16 units."""
    units = file.number(address, 2, "the length of a resource's name")
    return file.read(address + 2, 2 * units, "a resource's name").decode("utf-16-le", "surrogatepass")
