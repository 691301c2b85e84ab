"""The ELF header and the program headers, checked field by field before anything believes them.

Layouts and limits: the generic ABI (gABI 4.1, chapters 4 and 5) and Linux's fs/binfmt_elf.c.
"""

from __future__ import annotations

import struct

from compat.data import dataclass
from compat.errors import BadFile
from loaders.source import Source

__all__ = ["PAGE", "PT", "Header", "ProgramHeader", "read_header", "read_program_headers"]

PAGE = 4096
"""The page size of every guest."""

MAX_TABLE = 65536
"""fs/binfmt_elf.c, load_elf_phdrs: a larger program header table is ENOEXEC."""

PN_XNUM = 0xFFFF


class PT:
    """Types of program headers."""

    LOAD = 1
    DYNAMIC = 2
    INTERP = 3
    NOTE = 4
    TLS = 7
    GNU_STACK = 0x6474E551
    GNU_PROPERTY = 0x6474E553
    MIPS_ABIFLAGS = 0x70000003


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of the ELF header that matter, and *raw*, all of its bytes."""

    raw: bytes
    bits: int
    little: bool
    os_abi: int
    type: int
    machine: int
    entry: int
    phoff: int
    flags: int
    phentsize: int
    phnum: int

    @property
    def table_size(self) -> int:
        """Size in bytes of the program header table."""
        return self.phnum * self.phentsize


@dataclass(frozen=True, slots=True)
class ProgramHeader:
    """One entry of the program header table; *index* is its place there."""

    index: int
    type: int
    flags: int
    offset: int
    vaddr: int
    filesz: int
    memsz: int
    align: int


def read_header(source: Source) -> Header:
    """Read the ELF header.

    Raises:
        BadFile: the file is shorter than its header, or a field of the header can't be.
    """
    raw = source.read(0, 64)
    bits, order = _identify(source, raw)
    size = 64 if bits == 64 else 52
    if len(raw) < size:
        raise BadFile(f"{source.name}: the ELF header is cut short: {len(raw)} of {size} bytes")
    layout = "HHIQQQIHHHHHH" if bits == 64 else "HHIIIIIHHHHHH"
    kind, machine, _, entry, phoff, _, flags, _, phentsize, phnum, *_ = struct.unpack_from(order + layout, raw, 16)
    header = Header(raw[:size], bits, order == "<", raw[7], kind, machine, entry, phoff, flags, phentsize, phnum)
    _check_type(source, header)
    return header


def _identify(source: Source, raw: bytes) -> tuple[int, str]:
    if len(raw) < 16:
        raise BadFile(f"{source.name}: the ELF header is cut short: {len(raw)} bytes")
    if raw[4] not in (1, 2):
        raise BadFile(f"{source.name}: ELF header: EI_CLASS is {raw[4]}, neither 32-bit (1) nor 64-bit (2)")
    if raw[5] not in (1, 2):
        raise BadFile(f"{source.name}: ELF header: EI_DATA is {raw[5]}, neither little-endian (1) nor big-endian (2)")
    return raw[4] * 32, "<" if raw[5] == 1 else ">"


_NOT_RUNNABLE = {
    0: "has no type (e_type is ET_NONE)",
    1: "is an object file (ELF, ET_REL) that was not linked into a program",
    4: "is a core dump (ELF, ET_CORE), not a program",
}


def _check_type(source: Source, header: Header) -> None:
    if header.type in (2, 3):
        return
    words = _NOT_RUNNABLE.get(header.type)
    if words:
        raise BadFile(f"{source.name} {words}")
    raise BadFile(f"{source.name}: ELF header: e_type {header.type:#x} is neither a program nor a shared object")


def read_program_headers(source: Source, header: Header) -> tuple[ProgramHeader, ...]:
    """Read the program header table.

    Raises:
        BadFile: the table is missing, too large, or reaches beyond the file.
    """
    _check_table(source, header)
    raw = source.read(header.phoff, header.table_size)
    if len(raw) < header.table_size:
        raise BadFile(f"{source.name}: the program header table is cut short")
    order = "<" if header.little else ">"
    layout = struct.Struct(order + ("IIQQQQQQ" if header.bits == 64 else "IIIIIIII"))
    return tuple(_program_header(index, header.bits, fields) for index, fields in enumerate(layout.iter_unpack(raw)))


def _program_header(index: int, bits: int, fields: tuple[int, ...]) -> ProgramHeader:
    if bits == 64:
        kind, flags, offset, vaddr, _, filesz, memsz, align = fields
    else:
        kind, offset, vaddr, _, filesz, memsz, flags, align = fields
    return ProgramHeader(index, kind, flags, offset, vaddr, filesz, memsz, align)


def _check_table(source: Source, header: Header) -> None:
    name = f"{source.name}: ELF header"
    if header.phnum == 0:
        raise BadFile(f"{name}: e_phnum is 0, so nothing of the file can be mapped")
    if header.phnum == PN_XNUM:
        raise BadFile(f"{name}: e_phnum is PN_XNUM (more than 65534 program headers), which Linux never runs")
    size = 56 if header.bits == 64 else 32
    if header.phentsize != size:
        raise BadFile(f"{name}: e_phentsize is {header.phentsize}, not {size}")
    if header.table_size > MAX_TABLE:
        raise BadFile(f"{name}: e_phnum {header.phnum} makes a table larger than {MAX_TABLE} bytes")
    if header.phoff + header.table_size > source.size:
        raise BadFile(
            f"{name}: e_phoff {header.phoff:#x} puts the program headers beyond the file's {source.size:#x} bytes"
        )
