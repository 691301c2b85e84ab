"""PT_LOAD headers to segments: the checks that keep a hostile file from mapping what it should not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from compat.errors import BadFile
from compat.image import Segment, Tls
from loaders.elf_headers import PAGE, PT, ProgramHeader
from loaders.source import Source

__all__ = ["MEMORY_LIMIT", "alignment_of", "segments_of", "tls_of"]

MEMORY_LIMIT = 1 << 34
"""Default for the most bytes that all segments of one file may take in memory."""

MAX_ALIGNMENT = 1 << 30
"""p_align beyond this is nothing a linker writes; the kernel would look for such a hole and fail."""


def segments_of(
    source: Source, headers: Iterable[ProgramHeader], *, top: int, memory_limit: int
) -> tuple[Segment, ...]:
    """The segments in the order of their addresses; *top* is the first address a program can't use.

    Raises:
        BadFile: nothing is to be loaded, or a field is impossible; the sentence names it.
    """
    loads = [header for header in headers if header.type == PT.LOAD and header.memsz | header.filesz]
    if not loads:
        raise BadFile(f"{source.name}: no program header is a PT_LOAD, so there is nothing to run")
    for header in loads:
        _check(source, header, top)
    loads.sort(key=lambda header: header.vaddr)
    for low, high in pairwise(loads):
        if low.vaddr + low.memsz > high.vaddr:
            raise BadFile(f"{source.name}: program headers {low.index} and {high.index} overlap at {high.vaddr:#x}")
    total = sum(header.memsz for header in loads)
    if total > memory_limit:
        raise BadFile(f"{source.name}: the segments take {total:#x} bytes of memory, more than {memory_limit:#x}")
    return tuple(_segment(header) for header in loads)


def _check(source: Source, header: ProgramHeader, top: int) -> None:
    name = f"{source.name}: program header {header.index}"
    if header.filesz > header.memsz:
        raise BadFile(f"{name}: p_filesz {header.filesz:#x} is larger than p_memsz {header.memsz:#x}")
    if header.offset + header.filesz > source.size:
        raise BadFile(
            f"{name}: p_offset {header.offset:#x} plus p_filesz {header.filesz:#x} is beyond the file's "
            f"{source.size:#x} bytes; the file is cut short or damaged"
        )
    if header.vaddr + header.memsz > top:
        raise BadFile(
            f"{name}: p_vaddr {header.vaddr:#x} plus p_memsz {header.memsz:#x} is beyond the last address "
            f"{top - 1:#x} of a program"
        )
    if header.filesz and (header.vaddr - header.offset) % PAGE:
        raise BadFile(
            f"{name}: p_offset {header.offset:#x} and p_vaddr {header.vaddr:#x} differ within a page of {PAGE} bytes"
        )


def _segment(header: ProgramHeader) -> Segment:
    flags = header.flags
    return Segment(
        address=header.vaddr,
        offset=header.offset,
        file_size=header.filesz,
        memory_size=header.memsz,
        read=bool(flags & 4),
        write=bool(flags & 2),
        execute=bool(flags & 1),
    )


def alignment_of(headers: Iterable[ProgramHeader]) -> int:
    """What a load bias must be a multiple of: the largest p_align that is a power of two, as Linux takes it.

    fs/binfmt_elf.c, maximum_alignment: other values are ignored.
    """
    aligns = (header.align for header in headers if header.type == PT.LOAD)
    return max((align for align in aligns if PAGE <= align <= MAX_ALIGNMENT and align.bit_count() == 1), default=PAGE)


def tls_of(source: Source, headers: Sequence[ProgramHeader]) -> tuple[Tls | None, tuple[str, ...]]:
    """The first PT_TLS, and remarks: Linux leaves thread-local storage to the program, so nothing here is
    fatal.
    """
    found = [header for header in headers if header.type == PT.TLS]
    if not found:
        return None, ()
    first = found[0]
    remarks = []
    if len(found) > 1:
        remarks.append(f"program header {found[1].index}: a second PT_TLS")
    if first.filesz > first.memsz:
        remarks.append(
            f"program header {first.index}: PT_TLS: p_filesz {first.filesz:#x} is larger than p_memsz {first.memsz:#x}"
        )
    if first.align & (first.align - 1):
        remarks.append(f"program header {first.index}: PT_TLS: p_align {first.align:#x} is not a power of two")
    return Tls(first.vaddr, first.filesz, first.memsz, first.align), tuple(remarks)
