"""A PE file seen by addresses: bytes, words and strings at RVAs, as they will lie in memory before relocation."""

from __future__ import annotations

from bisect import bisect_right

from compat.errors import BadFile
from compat.image import Section
from loaders.pe_headers import PeHeader, directory, read_pe_header, read_sections
from loaders.source import Source

__all__ = ["PeFile"]

LONGEST_NAME = 4096
"""Bytes of a symbol's or library's name; compilers' longest mangled names have about that many (MSVC cuts at 4096)."""


class PeFile:
    """The parsed headers of *source* and its contents by RVA. Raises BadFile, here and in every method."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.header: PeHeader = read_pe_header(source)
        self.sections: tuple[Section, ...] = read_sections(source, self.header)
        self._starts = [section.address for section in self.sections]

    @property
    def word(self) -> int:
        """Bytes of a pointer."""
        return 8 if self.header.plus else 4

    def directory(self, name: str, least: int = 0) -> tuple[int, int] | None:
        """(RVA, size) of a data directory, None where there is none or fewer than *least* bytes."""
        address, size = directory(self.header, name)
        return (address, size) if address and size >= least else None

    def read(self, address: int, size: int, what: str) -> bytes:
        """*size* bytes from *address* on; *what* they are is for the sentence where they lie outside of the image."""
        found = self.peek(address, size)
        if len(found) < size:
            raise BadFile(f"{self.source.name}: {what} at RVA {address:#x} reaches beyond its section")
        return found

    def peek(self, address: int, size: int) -> bytes:
        """As `read`, but fewer bytes where the section or the headers end."""
        index = bisect_right(self._starts, address) - 1
        if index < 0:
            return self.source.read(address, min(size, max(0, self.header.headers_size - address)))
        section = self.sections[index]
        inside = address - section.address
        size = min(size, max(0, section.size - inside))
        found = self.source.read(section.offset + inside, min(size, max(0, section.file_size - inside)))
        return found + bytes(size - len(found))

    def number(self, address: int, size: int, what: str) -> int:
        """An unsigned number of *size* bytes."""
        return int.from_bytes(self.read(address, size, what), "little")

    def string(self, address: int, what: str) -> str:
        """The NUL-terminated string at *address*; bytes above 127 stand for themselves."""
        found, nul, _ = self.peek(address, LONGEST_NAME + 1).partition(b"\0")
        if not nul:
            raise BadFile(f"{self.source.name}: {what} at RVA {address:#x} has no end")
        return found.decode("latin-1")

    def rva(self, address: int) -> int:
        """The RVA of an address that the file tells as it would be at its preferred base; 0 stays 0."""
        return address - self.header.base if address else 0
