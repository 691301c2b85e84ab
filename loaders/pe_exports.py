"""What a PE file exports: functions and data by ordinal and name, and forwards to other libraries.

Source: Microsoft's "PE Format", section "The .edata Section".
"""

from __future__ import annotations

import struct

from compat.data import dataclass
from compat.errors import BadFile
from loaders.pe_file import PeFile

__all__ = ["PeExport", "PeExports", "exports_of"]

_DIRECTORY = struct.Struct("<IIHHIIIIIII")
_MOST = 1 << 16  # ordinals have 16 bits


@dataclass(frozen=True, slots=True)
class PeExport:
    """*address* is an RVA, or 0 for a *forward* ("other.name" or "other.#number"); *name* is None for one that has only
    its ordinal."""

    ordinal: int
    name: str | None
    address: int
    forward: str | None = None


@dataclass(frozen=True, slots=True)
class PeExports:
    """The name that the library gives itself, and its exports in the order of names, then of ordinals without one."""

    name: str
    exports: tuple[PeExport, ...]


def exports_of(file: PeFile) -> PeExports | None:
    """None if the file exports nothing. Raises BadFile."""
    found = file.directory("export", _DIRECTORY.size)
    if found is None:
        return None
    raw = file.read(found[0], _DIRECTORY.size, "the export directory")
    _, _, _, _, name, first, count, named, addresses, names, ordinals = _DIRECTORY.unpack(raw)
    if count > _MOST or named > _MOST:
        raise BadFile(f"{file.source.name}: the export directory counts {count} functions and {named} names")
    table = struct.unpack(f"<{count}I", file.read(addresses, 4 * count, "the export address table"))
    entries = struct.unpack(f"<{named}I", file.read(names, 4 * named, "the export name table"))
    indices = struct.unpack(f"<{named}H", file.read(ordinals, 2 * named, "the export ordinal table"))
    exports, unnamed = [], dict(enumerate(table))
    for entry, index in zip(entries, indices, strict=True):
        if index >= count:
            raise BadFile(f"{file.source.name}: the export ordinal table has {index}, of {count} functions")
        unnamed.pop(index, None)
        exports.append(_export(file, found, first + index, file.string(entry, "an exported name"), table[index]))
    exports += [_export(file, found, first + index, None, address) for index, address in unnamed.items() if address]
    return PeExports(file.string(name, "the library's own name") if name else "", tuple(exports))


def _export(file: PeFile, directory: tuple[int, int], ordinal: int, name: str | None, address: int) -> PeExport:
    if directory[0] <= address < directory[0] + directory[1]:
        return PeExport(ordinal, name, 0, file.string(address, f"the forward of {name or ordinal}"))
    return PeExport(ordinal, name, address)
