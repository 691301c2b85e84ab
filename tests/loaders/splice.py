"""Sample ELF files and the means to spoil one field of them."""

from __future__ import annotations

import struct
from pathlib import Path

DATA = Path(__file__).parent / "data"

# field: (offset, struct code) for 32 and for 64 bits; gABI, figures 4-3 and 5-1.
_HEADER = {
    "e_type": ((16, "H"), (16, "H")),
    "e_machine": ((18, "H"), (18, "H")),
    "e_entry": ((24, "I"), (24, "Q")),
    "e_phoff": ((28, "I"), (32, "Q")),
    "e_shoff": ((32, "I"), (40, "Q")),
    "e_flags": ((36, "I"), (48, "I")),
    "e_phentsize": ((42, "H"), (54, "H")),
    "e_phnum": ((44, "H"), (56, "H")),
    "e_shnum": ((48, "H"), (60, "H")),
    "e_shstrndx": ((50, "H"), (62, "H")),
}
_PROGRAM_HEADER = {
    "p_type": ((0, "I"), (0, "I")),
    "p_flags": ((24, "I"), (4, "I")),
    "p_offset": ((4, "I"), (8, "Q")),
    "p_vaddr": ((8, "I"), (16, "Q")),
    "p_filesz": ((16, "I"), (32, "Q")),
    "p_memsz": ((20, "I"), (40, "Q")),
    "p_align": ((28, "I"), (48, "Q")),
}
HEADER_FIELDS = tuple(_HEADER)
PROGRAM_HEADER_FIELDS = tuple(_PROGRAM_HEADER)


def sample_names() -> list[str]:
    return sorted(path.name for path in DATA.iterdir() if path.read_bytes()[:4] == b"\x7fELF")


def sample(name: str) -> bytes:
    return (DATA / name).read_bytes()


def _code(data: bytes, code: str) -> str:
    return ("<" if data[5] == 1 else ">") + code


def get(data: bytes, field: str, index: int | None = None) -> int:
    """A field of the ELF header, or of program header *index*."""
    at, code = _place(data, field, index)
    value: int = struct.unpack_from(code, data, at)[0]
    return value


def put(data: bytes, field: str, value: int, index: int | None = None) -> bytes:
    """*data* with one field of the ELF header or of program header *index* set to *value*."""
    at, code = _place(data, field, index)
    raw = struct.pack(code, value & (1 << 8 * struct.calcsize(code)) - 1)
    return data[:at] + raw + data[at + len(raw) :]


def _place(data: bytes, field: str, index: int | None) -> tuple[int, str]:
    wide = data[4] - 1
    if index is None:
        at, code = _HEADER[field][wide]
        return at, _code(data, code)
    at, code = _PROGRAM_HEADER[field][wide]
    return get(data, "e_phoff") + index * (32, 56)[wide] + at, _code(data, code)


def find(data: bytes, kind: int, nth: int = 0) -> int:
    """The index of the *nth* program header of type *kind*."""
    found = [index for index in range(get(data, "e_phnum")) if get(data, "p_type", index) == kind]
    return found[nth]
