"""What an ELF file imports from and exports to its libraries, for `compat info` only."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from compat.data import dataclass
from compat.errors import BadFile
from loaders.elf import DAMAGE, open_elf, reason
from loaders.elf_headers import read_header
from loaders.source import Source

__all__ = ["Import", "Imports", "imports_of"]

MAX_SYMBOLS = 1_000_000


@dataclass(frozen=True, slots=True)
class Import:
    """A symbol the file wants from elsewhere; *version* and *library* are None where the file does not say.

    *weak* symbols may stay missing.
    """

    name: str
    version: str | None
    library: str | None
    weak: bool


@dataclass(frozen=True, slots=True)
class Imports:
    """The dynamic symbols of a file: those wanted, and the number of those offered."""

    imports: tuple[Import, ...]
    exported: int


def imports_of(source: Source) -> Imports:
    """Read the dynamic symbol table of an ELF file.

    Raises:
        BadFile: the file is no ELF file, or its symbols can't be read.
    """
    if source.read(0, 4) != b"\x7fELF":
        raise BadFile(f"{source.name} is not an ELF file")
    elf = open_elf(source, read_header(source), sections=True)
    try:
        return _imports(elf)
    except DAMAGE as error:
        raise BadFile(f"{source.name}: the dynamic symbols can't be read: {reason(error)}") from error


def _imports(elf: Any) -> Imports:
    table = elf.get_section_by_name(".dynsym")
    if table is None:
        return Imports((), 0)
    wanted, exported = [], 0
    versions = _Versions(elf)
    for index, symbol in enumerate(islice(table.iter_symbols(), MAX_SYMBOLS)):
        bind = symbol["st_info"]["bind"]
        if not symbol.name or bind == "STB_LOCAL":
            continue
        if symbol["st_shndx"] == "SHN_UNDEF":
            version, library = versions.of(index)
            wanted.append(Import(symbol.name, version, library, bind == "STB_WEAK"))
        else:
            exported += 1
    return Imports(tuple(wanted), exported)


class _Versions:
    """The version and library of each dynamic symbol (.gnu.version, .gnu.version_r)."""

    def __init__(self, elf: Any) -> None:
        self._indices = elf.get_section_by_name(".gnu.version")
        needs = elf.get_section_by_name(".gnu.version_r")
        self._names = dict(_needs(needs)) if self._indices is not None and needs is not None else {}

    def of(self, symbol: int) -> tuple[str | None, str | None]:
        if not self._names:
            return None, None
        index = self._indices.get_symbol(symbol)["ndx"]
        # Bit 15 marks a hidden version; 0 and 1 are local and global, and pyelftools names them.
        return self._names.get(index & 0x7FFF, (None, None)) if isinstance(index, int) else (None, None)


def _needs(section: Any) -> Iterator[tuple[int, tuple[str, str]]]:
    for library, versions in islice(section.iter_versions(), MAX_SYMBOLS):
        for version in islice(versions, MAX_SYMBOLS):
            yield version["vna_other"], (version.name, library.name)
