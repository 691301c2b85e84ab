"""A PE32+ image put together: headers, code, and data with an export directory; its file would have the same bytes.

Layouts: Microsoft's "PE Format", sections "Optional Header", "Section Table" and "The .edata Section".
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from compat.data import dataclass
from shims.windows.stubs import STUB_SIZE, Stubs

__all__ = ["Built", "Export", "build_image"]

_PAGE: Final = 4096
_MACHINE: Final = 0x8664
_HEADER_AT: Final = 0x80
_EXPORTS: Final = struct.Struct("<IIHHIIIIIII")
_CHARACTERISTICS: Final = 0x2022  # EXECUTABLE_IMAGE, LARGE_ADDRESS_AWARE, DLL
_CODE, _DATA = 0x6000_0020, 0x4000_0040


@dataclass(frozen=True)
class Export:
    """What an export's stub does: trap with *number*, unless that is None, and go on to *target*, unless that is 0."""

    name: str
    number: int | None
    target: int


@dataclass(frozen=True)
class Built:
    """An image's bytes, and where in it is *code*: (RVA, size)."""

    data: bytes
    code: tuple[int, int]


def build_image(library: str, exports: Sequence[Export], stubs: Stubs) -> Built:
    """The image of *library*; *exports* are in the order of their names' bytes, and get ordinals from 1 on."""
    code_size = _pages(STUB_SIZE * max(1, len(exports)))
    data_at = _PAGE + code_size
    targets = b"".join(export.target.to_bytes(8, "little") for export in exports)
    code = bytearray(code_size)
    for index, export in enumerate(exports):
        place = STUB_SIZE * index
        distance = data_at + 8 * index - (_PAGE + place)
        made = _stub(export, distance, stubs)
        code[place : place + len(made)] = made
    directory_at = data_at + len(targets)
    directory = _export_directory(library, [export.name for export in exports], directory_at)
    data = targets + directory
    headers = _headers(code_size, data_at, len(data), (directory_at, len(directory)))
    return Built(headers + bytes(code) + data.ljust(_pages(len(data)), b"\0"), (_PAGE, code_size))


def _stub(export: Export, distance: int, stubs: Stubs) -> bytes:
    if export.number is None:
        return stubs.jump(distance)
    return stubs.report(export.number, distance) if export.target else stubs.trap(export.number)


def _export_directory(library: str, names: Sequence[str], at: int) -> bytes:
    """The directory, its three tables, and the names; *at* is its RVA."""
    count = len(names)
    functions = at + _EXPORTS.size
    name_table, ordinals = functions + 4 * count, functions + 8 * count
    place, texts, pointers = ordinals + 2 * count, bytearray(), list[int]()
    for text in (library, *names):
        pointers.append(place + len(texts))
        texts += text.encode("ascii") + b"\0"
    head = _EXPORTS.pack(0, 0, 0, 0, pointers[0], 1, count, count, functions, name_table, ordinals)
    stubs = (_PAGE + STUB_SIZE * index for index in range(count))
    tables = struct.pack(f"<{count}I{count}I{count}H", *stubs, *pointers[1:], *range(count))
    return head + tables + bytes(texts)


def _headers(code_size: int, data_at: int, data_size: int, exports: tuple[int, int]) -> bytes:
    image_size = data_at + _pages(data_size)
    common = struct.pack("<HBBIIIII", 0x20B, 14, 0, code_size, _pages(data_size), 0, 0, _PAGE)
    base = 0x1_8000_0000
    rest = struct.pack("<QIIHHHHHHIIIIHH", base, _PAGE, _PAGE, 10, 0, 10, 0, 10, 0, 0, image_size, _PAGE, 0, 3, 0x160)
    sizes = struct.pack("<QQQQII", 1 << 20, _PAGE, 1 << 20, _PAGE, 0, 16)
    directories = struct.pack("<II", *exports).ljust(16 * 8, b"\0")
    optional = common + rest + sizes + directories
    coff = struct.pack("<4sHHIIIHH", b"PE\0\0", _MACHINE, 2, 0, 0, 0, len(optional), _CHARACTERISTICS)
    sections = _section(b".text", _PAGE, code_size, _CODE) + _section(b".rdata", data_at, _pages(data_size), _DATA)
    dos = b"MZ".ljust(60, b"\0") + struct.pack("<I", _HEADER_AT)
    return (dos.ljust(_HEADER_AT, b"\0") + coff + optional + sections).ljust(_PAGE, b"\0")


def _section(name: bytes, at: int, size: int, characteristics: int) -> bytes:
    return struct.pack("<8sIIIIIIHHI", name, size, at, size, at, 0, 0, 0, 0, characteristics)


def _pages(size: int) -> int:
    return -(-size // _PAGE) * _PAGE
