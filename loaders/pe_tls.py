"""Thread-local storage and load configuration of a PE file: what the loader and C runtimes read.

Sources: Microsoft's "PE Format", sections "The .tls Section" and "The Load Configuration Structure"; winnt.h's
IMAGE_LOAD_CONFIG_DIRECTORY32 and 64.
"""

from __future__ import annotations

import struct

from compat.data import dataclass
from compat.errors import BadFile
from loaders.pe_file import PeFile

__all__ = ["LoadConfiguration", "PeTls", "load_configuration_of", "tls_of"]


@dataclass(frozen=True, slots=True)
class PeTls:
    """A thread's first contents are *size* bytes from the RVA *data*, then *zeros*; *index* is the RVA of the word that
    gets the module's number, *callbacks* that of a list of addresses, or 0."""

    data: int
    size: int
    zeros: int
    index: int
    callbacks: int
    alignment: int


@dataclass(frozen=True, slots=True)
class LoadConfiguration:
    """RVAs, 0 where there is none: *cookie* the /GS cookie's word, *check* and *dispatch* the words with the control
    flow guard's functions, *handlers* the table of SafeSEH and their number, *hybrid* what an ARM64EC or ARM64X image
    says of its other half."""

    cookie: int = 0
    check: int = 0
    dispatch: int = 0
    guard_flags: int = 0
    handlers: int = 0
    handler_count: int = 0
    hybrid: int = 0


def tls_of(file: PeFile) -> PeTls | None:
    """None if the file has none. Raises BadFile."""
    layout = struct.Struct("<QQQQII" if file.header.plus else "<IIIIII")
    found = file.directory("TLS", layout.size)
    if found is None:
        return None
    start, end, index, callbacks, zeros, characteristics = layout.unpack(
        file.read(found[0], layout.size, "the TLS directory")
    )
    data, size = file.rva(start), end - start
    if size < 0 or size > file.header.image_size or zeros > file.header.image_size:
        raise BadFile(f"{file.source.name}: the TLS directory tells of {size:#x} bytes and {zeros:#x} zeros")
    if size:
        file.read(data, size, "the TLS data")
    shift = characteristics >> 20 & 0xF
    return PeTls(data, size, zeros, file.rva(index), file.rva(callbacks), 1 << (shift - 1) if shift else 16)


_PLACES = {
    "cookie": (0x3C, 0x58),
    "handlers": (0x40, 0x60),
    "handler_count": (0x44, 0x68),
    "check": (0x48, 0x70),
    "dispatch": (0x4C, 0x78),
    "hybrid": (0x84, 0xC8),
}
"""Offsets of pointer-sized fields in PE32 and PE32+."""

_GUARD_FLAGS = (0x58, 0x90)
_COUNTS = ("handler_count",)


def load_configuration_of(file: PeFile) -> LoadConfiguration:
    """Empty where the file has none; fields beyond the size that the structure tells are 0."""
    found = file.directory("load configuration", 4)
    if found is None:
        return LoadConfiguration()
    size = file.number(found[0], 4, "the load configuration's size")
    raw = file.peek(found[0], min(size, 0x200))
    column = 1 if file.header.plus else 0
    values = {
        name: int.from_bytes(raw[places[column] : places[column] + file.word].ljust(file.word, b"\0"), "little")
        for name, places in _PLACES.items()
        if places[column] + file.word <= len(raw)
    }
    flags = raw[_GUARD_FLAGS[column] : _GUARD_FLAGS[column] + 4]
    addresses = {name: value if name in _COUNTS else file.rva(value) for name, value in values.items()}
    return LoadConfiguration(guard_flags=int.from_bytes(flags, "little") if len(flags) == 4 else 0, **addresses)
