"""What a PE file imports: at once, and on first use (delayed).

Source: Microsoft's "PE Format", sections "The .idata Section" and "Delay-Load Import Tables".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import chain, count

from compat.data import dataclass
from compat.errors import BadFile
from loaders.pe_file import PeFile

__all__ = ["PeImport", "PeLibrary", "libraries_of"]

_DESCRIPTOR = struct.Struct("<IIIII")
_DELAYED = struct.Struct("<IIIIIIII")
_MOST_LIBRARIES, _MOST_IMPORTS = 4096, 1 << 18
_BY_RVA = 1  # the attribute bit of a delayed import whose fields are RVAs, not addresses (dlattrRva of delayimp.h)


@dataclass(frozen=True, slots=True)
class PeImport:
    """One imported symbol: by *name*, with *number* a hint where to look for it, or if that is None by the ordinal
    *number*. *slot* is the RVA of the word that gets its address."""

    name: str | None
    number: int
    slot: int


@dataclass(frozen=True, slots=True)
class PeLibrary:
    """A library as the file spells it, and what is wanted of it. *module* is the RVA of the word that holds the handle
    of a library that is loaded on first use (*delayed*), else 0."""

    name: str
    imports: tuple[PeImport, ...]
    delayed: bool = False
    module: int = 0


def libraries_of(file: PeFile) -> tuple[PeLibrary, ...]:
    """All imports in the file's order, the delayed ones last. Raises BadFile."""
    found, imports = list[PeLibrary](), 0
    for library in chain(_plain(file), _delayed(file)):
        found.append(library)
        imports += len(library.imports)
        if imports > _MOST_IMPORTS or len(found) > _MOST_LIBRARIES:
            raise BadFile(
                f"{file.source.name}: it imports more than can be: {imports} symbols of {len(found)} libraries"
            )
    return tuple(found)


def _plain(file: PeFile) -> Iterator[PeLibrary]:
    found = file.directory("import")
    if found is None:
        return
    for fields in _table(file, found[0], _DESCRIPTOR, "the import directory"):
        names, _, _, name, slots = fields
        if not name or not slots:
            return
        library = file.string(name, "an imported library's name")
        yield PeLibrary(library, tuple(_imports(file, names or slots, slots, library)))


def _delayed(file: PeFile) -> Iterator[PeLibrary]:
    found = file.directory("delayed import")
    if found is None:
        return
    for attributes, *addresses in _table(file, found[0], _DELAYED, "the delayed import directory"):
        if not addresses[0]:
            return
        name, module, slots, names = (
            address if attributes & _BY_RVA else file.rva(address) for address in addresses[:4]
        )
        library = file.string(name, "a delayed library's name")
        yield PeLibrary(library, tuple(_imports(file, names, slots, library)), delayed=True, module=module)


def _table(file: PeFile, address: int, layout: struct.Struct, what: str) -> Iterator[tuple[int, ...]]:
    """The entries from *address* on; the caller knows the last."""
    for place in count(address, layout.size):
        yield layout.unpack(file.read(place, layout.size, what))


def _imports(file: PeFile, names: int, slots: int, library: str) -> Iterator[PeImport]:
    word = file.word
    by_ordinal = 1 << (8 * word - 1)
    for index in range(_MOST_IMPORTS + 1):
        entry = file.number(names + index * word, word, f"the imports of {library}")
        if not entry:
            return
        slot = slots + index * word
        if entry & by_ordinal:
            yield PeImport(None, entry & 0xFFFF, slot)
        else:
            entry &= 0x7FFF_FFFF
            hint = file.number(entry, 2, f"a hint among the imports of {library}")
            yield PeImport(file.string(entry + 2, f"a name among the imports of {library}"), hint, slot)
