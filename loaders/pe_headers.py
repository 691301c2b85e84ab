"""The headers of a PE file, checked field by field before anything believes them.

Layouts: Microsoft's "PE Format", sections "COFF File Header", "Optional Header" and "Section Table". The checks are
those with which Windows answers STATUS_INVALID_IMAGE_FORMAT, as far as its documentation and Wine's
dlls/ntdll/tests and dlls/kernel32/tests/loader.c tell.
"""

from __future__ import annotations

import struct
from typing import Any

from compat.data import dataclass
from compat.errors import BadFile
from compat.image import Section
from loaders.source import Source, printable

__all__ = ["DIRECTORIES", "PeHeader", "directory", "read_pe_header", "read_sections"]

DIRECTORIES = (
    *("export", "import", "resource", "exception", "security", "relocation", "debug", "architecture"),
    *("global pointer", "TLS", "load configuration", "bound import", "import address", "delayed import", "CLR"),
)
"""The data directories in their order (IMAGE_DIRECTORY_ENTRY_*)."""

_MOST_SECTIONS = 96  # "PE Format", "Number of Sections"
_PAGE = 4096
_DIRECTORY = struct.Struct("<II")
_COFF = struct.Struct("<4sHHIIIHH")
_SECTION = struct.Struct("<8sIIIIIIHHI")
_COMMON = struct.Struct("<HBBIIIII")  # up to BaseOfCode
_PLUS = struct.Struct("<QIIHHHHHHIIIIHHQQQQII")
_PLAIN = struct.Struct("<IIIHHHHHHIIIIHHIIIIII")  # after BaseOfData
_FIELDS = (
    *("base", "section_alignment", "file_alignment", "_system_major", "_system_minor", "_image_major", "_image_minor"),
    *("_subsystem_major", "_subsystem_minor", "_win32_version", "image_size", "headers_size", "checksum", "subsystem"),
    *("dll_characteristics", "stack_reserve", "stack_commit", "heap_reserve", "heap_commit", "_loader_flags", "count"),
)
"""What _PLUS and _PLAIN unpack; those with an underscore aren't kept."""


@dataclass(frozen=True, slots=True)
class PeHeader:
    """What the COFF and optional headers say.

    *at* is the signature's file offset, *raw_size* the bytes from it to the section table, *entry* an RVA. *plus* tells
    PE32+. *directories* holds (RVA, size) by the order of DIRECTORIES, as many as the file says it has.
    """

    at: int
    raw_size: int
    machine: int
    sections: int
    timestamp: int
    characteristics: int
    plus: bool
    entry: int
    base: int
    section_alignment: int
    file_alignment: int
    image_size: int
    headers_size: int
    checksum: int
    subsystem: int
    dll_characteristics: int
    stack_reserve: int
    stack_commit: int
    heap_reserve: int
    heap_commit: int
    directories: tuple[tuple[int, int], ...]


def directory(header: PeHeader, name: str) -> tuple[int, int]:
    """(RVA, size) of the data directory *name*, (0, 0) if the file has none."""
    index = DIRECTORIES.index(name)
    return header.directories[index] if index < len(header.directories) else (0, 0)


def read_pe_header(source: Source) -> PeHeader:
    """Read the headers from the DOS header on.

    Raises:
        BadFile: a header is cut short, or a field can't be.
    """
    dos = source.read(0, 64)
    if len(dos) < 64 or dos[:2] != b"MZ":
        raise BadFile(f"{source.name}: the DOS header is cut short: {len(dos)} of 64 bytes")
    at = int.from_bytes(dos[60:64], "little")
    raw = source.read(at, _COFF.size)
    if at % 4 or len(raw) < _COFF.size or raw[:4] != b"PE\0\0":
        raise BadFile(f"{source.name}: DOS header: e_lfanew {at:#x} does not lead to a PE header")
    _, machine, sections, timestamp, _, _, size, characteristics = _COFF.unpack(raw)
    if sections > _MOST_SECTIONS:
        raise BadFile(f"{source.name}: COFF header: NumberOfSections is {sections}, more than {_MOST_SECTIONS}")
    if not characteristics & 0x2:
        raise BadFile(f"{source.name}: COFF header: it is not marked as an image that was linked without errors")
    optional = _optional(source, source.read(at + _COFF.size, size), size)
    made = PeHeader(at, _COFF.size + size, machine, sections, timestamp, characteristics, **optional)
    _check(source, made)
    return made


def _optional(source: Source, raw: bytes, size: int) -> dict[str, Any]:
    """The fields of PeHeader from *plus* on."""
    magic = int.from_bytes(raw[:2], "little")
    if magic not in (0x10B, 0x20B):
        raise BadFile(f"{source.name}: optional header: Magic is {magic:#x}, neither PE32 (0x10b) nor PE32+ (0x20b)")
    plus = magic == 0x20B
    layout, start = (_PLUS, 24) if plus else (_PLAIN, 28)
    if len(raw) < size or size < start + layout.size:
        raise BadFile(f"{source.name}: the optional header is cut short: {len(raw)} bytes")
    fields = dict(zip(_FIELDS, layout.unpack_from(raw, start), strict=True))
    count = min(fields.pop("count"), 16, (size - start - layout.size) // _DIRECTORY.size)
    directories = _DIRECTORY.iter_unpack(raw[start + layout.size :][: count * _DIRECTORY.size])
    kept = {name: value for name, value in fields.items() if not name.startswith("_")}
    return kept | {"plus": plus, "entry": _COMMON.unpack_from(raw)[6], "directories": tuple(directories)}


def _check(source: Source, header: PeHeader) -> None:
    name = f"{source.name}: optional header"
    section, file = header.section_alignment, header.file_alignment
    if not _is_power(file) or not _is_power(section) or section < file:
        raise BadFile(f"{name}: SectionAlignment {section:#x} and FileAlignment {file:#x} don't go together")
    if section < _PAGE and section != file:
        raise BadFile(f"{name}: SectionAlignment {section:#x} is less than a page, and FileAlignment differs")
    if header.base % 0x10000:
        raise BadFile(f"{name}: ImageBase {header.base:#x} is not a multiple of 64 KiB")
    if not 0 < header.image_size <= 0x7700_0000:
        raise BadFile(f"{name}: SizeOfImage {header.image_size:#x} can't be")
    if header.headers_size > min(header.image_size, source.size):
        raise BadFile(f"{name}: SizeOfHeaders {header.headers_size:#x} reaches beyond the image or the file")
    if header.entry >= header.image_size:
        raise BadFile(f"{name}: AddressOfEntryPoint {header.entry:#x} lies beyond the image")


def _is_power(number: int) -> bool:
    return number > 0 and number & (number - 1) == 0


def read_sections(source: Source, header: PeHeader) -> tuple[Section, ...]:
    """The section table, in the order of addresses, none of which may overlap.

    Raises:
        BadFile: the table is cut short, or a section lies beyond the file or the image, or over another.
    """
    raw = source.read(header.at + header.raw_size, header.sections * _SECTION.size)
    if len(raw) < header.sections * _SECTION.size:
        raise BadFile(f"{source.name}: the section table is cut short: {len(raw)} bytes")
    found, end = [], -(-header.headers_size // header.section_alignment) * header.section_alignment
    for fields in _SECTION.iter_unpack(raw):
        section = _section(source, header, fields)
        if section.address < end or section.address % header.section_alignment:
            raise BadFile(f"{_named(source, section)}: VirtualAddress {section.address:#x} lies over something else")
        end = section.address + -(-section.size // header.section_alignment) * header.section_alignment
        if end > -(-header.image_size // _PAGE) * _PAGE:
            raise BadFile(f"{_named(source, section)}: it ends at {end:#x}, beyond SizeOfImage {header.image_size:#x}")
        found.append(section)
    return tuple(found)


def _section(
    source: Source, header: PeHeader, fields: tuple[bytes, int, int, int, int, int, int, int, int, int]
) -> Section:
    name, size, address, file_size, offset, _, _, _, _, characteristics = fields
    offset &= -0x200 if header.section_alignment >= _PAGE else -1  # Windows rounds PointerToRawData down
    size, file_size = size or file_size, file_size if offset else 0
    section = Section(
        name.rstrip(b"\0").decode("latin-1"), address, size, offset, min(file_size, size), characteristics
    )
    if section.offset + section.file_size > source.size:
        raise BadFile(f"{_named(source, section)}: its bytes lie beyond the file's {source.size:#x} bytes")
    return section


def _named(source: Source, section: Section) -> str:
    return f"{source.name}: section {printable(section.name)}"
