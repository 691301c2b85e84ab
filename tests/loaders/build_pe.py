"""Small PE files for tests, put together field by field."""

from __future__ import annotations

import struct

from loaders.pe_headers import DIRECTORIES

TEXT, DATA = 0x6000_0020, 0xC000_0040


class Pe:
    """A PE file of one section of code and one of data; what is added to the data gets an RVA from `add`.

    `bytes(pe)` is the file; fields may be changed before.
    """

    def __init__(self, *, plus: bool = True) -> None:
        self.plus = plus
        self.base = 0x1_4000_0000 if plus else 0x40_0000
        self.machine = 0x8664 if plus else 0x14C
        self.characteristics = 0x22
        self.subsystem = 3
        self.entry = 0x1000
        self.section_alignment, self.file_alignment = 0x1000, 0x200
        self.image_size: int | None = None
        self.directories = dict.fromkeys(DIRECTORIES, (0, 0))
        self.code = bytearray(b"\xc3")
        self.data = bytearray()

    @property
    def word(self) -> int:
        return 8 if self.plus else 4

    def add(self, data: bytes) -> int:
        """The RVA of *data* in the data section."""
        self.data += bytes(-len(self.data) % 8)
        at = len(self.data)
        self.data += data
        return 0x2000 + at

    def words(self, *values: int) -> bytes:
        return b"".join(value.to_bytes(self.word, "little") for value in values)

    def text(self, name: str) -> int:
        return self.add(name.encode("latin-1") + b"\0")

    def import_library(self, name: str, symbols: list[str | int], *, delayed: bool = False) -> tuple[int, ...]:
        """The fields of the library's descriptor; the list of all is for `directory`."""
        flag = 1 << (8 * self.word - 1)
        entries = [flag | s if isinstance(s, int) else self.add(b"\x07\0" + s.encode() + b"\0") for s in symbols]
        names, slots = self.add(self.words(*entries, 0)), self.add(self.words(*entries, 0))
        if delayed:
            return 1, self.text(name), self.add(bytes(self.word)), slots, names, 0, 0, 0
        return names, 0, 0, self.text(name), slots

    def directory(self, name: str, data: bytes) -> None:
        self.directories[name] = (self.add(data), len(data))

    def table(self, name: str, *descriptors: tuple[int, ...]) -> None:
        """Put a list of descriptors, which zeros end, into a directory."""
        zeros = tuple(0 for _ in descriptors[0])
        self.directory(name, b"".join(struct.pack(f"<{len(d)}I", *d) for d in (*descriptors, zeros)))

    def __bytes__(self) -> bytes:
        size = self.image_size
        if size is None:
            size = 0x2000 + max(1, -(-len(self.data) // 0x1000)) * 0x1000
        common = struct.pack("<HBBIIIII", 0x20B if self.plus else 0x10B, 14, 0, 0, 0, 0, self.entry, 0x1000)
        fields = (self.section_alignment, self.file_alignment, 10, 0, 0, 0, 6, 0, 0, size, 0x400, 0)
        rest = (*fields, self.subsystem, 0x8160, 1 << 20, 4096, 1 << 20, 4096, 0, 16)
        layout = "<QIIHHHHHHIIIIHHQQQQII" if self.plus else "<4xIIIHHHHHHIIIIHHIIIIII"
        directories = b"".join(struct.pack("<II", *self.directories[name]) for name in DIRECTORIES) + bytes(8)
        optional = common + struct.pack(layout, self.base, *rest) + directories
        coff = struct.pack("<HHIIIHH", self.machine, 2, 1, 0, 0, len(optional), self.characteristics)
        head = b"MZ" + bytes(58) + struct.pack("<I", 0x40) + b"PE\0\0" + coff + optional
        code, data = self._padded(self.code), self._padded(self.data)
        head += self._section(b".text", 0x1000, len(self.code), 0x400, len(code), TEXT)
        head += self._section(b".data", 0x2000, max(1, len(self.data)), 0x400 + len(code), len(data), DATA)
        return head.ljust(0x400, b"\0") + code + data

    def _padded(self, data: bytes | bytearray) -> bytes:
        return bytes(data) + bytes(-len(data) % 0x200)

    @staticmethod
    def _section(name: bytes, address: int, size: int, offset: int, file_size: int, characteristics: int) -> bytes:
        return struct.pack("<8sIIIIIIHHI", name, size, address, file_size, offset, 0, 0, 0, 0, characteristics)
