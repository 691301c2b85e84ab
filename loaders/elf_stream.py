"""The file as pyelftools sees it: bounded, and without section headers where those don't matter."""

from __future__ import annotations

import io

from loaders.elf_headers import Header
from loaders.source import Source

__all__ = ["ElfStream"]

RUNNING = (20_000, 8 << 20)
INSPECTING = (1_500_000, 256 << 20)
"""The most reads and bytes without and with sections: no real program needs a tenth of the former, and a
library of 50,000 symbols passes the latter.
"""


class ElfStream(io.RawIOBase):
    """A seekable stream over a Source that gives up after so many reads or bytes.

    With *sections* off, e_shoff, e_shnum and e_shstrndx read as zero: a program runs without sections, and
    damage there must not stop it.
    """

    def __init__(self, source: Source, header: Header, *, sections: bool) -> None:
        super().__init__()
        self._source = source
        self._head = header.raw if sections else _without_sections(header)
        self._at = 0
        self._reads, self._bytes = INSPECTING if sections else RUNNING

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._source.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        """Up to *size* bytes.

        Raises:
            EOFError: the file's own tables lead to endless reading.
        """
        wanted = self._source.size - self._at if size is None or size < 0 else size
        self._reads -= 1
        self._bytes -= max(0, min(wanted, self._source.size - self._at))
        if self._reads < 0 or self._bytes < 0:
            raise EOFError("the tables describe more than any real program has")
        data = self._source.read(self._at, wanted)
        if self._at < len(self._head):
            data = self._head[self._at : self._at + len(data)] + data[len(self._head) - self._at :]
        self._at += len(data)
        return data


def _without_sections(header: Header) -> bytes:
    raw = bytearray(header.raw)
    word = header.bits // 8
    shoff = 24 + 2 * word
    raw[shoff : shoff + word] = bytes(word)
    raw[-4:] = bytes(4)
    return bytes(raw)
