"""ELF files to Images, with pyelftools behind one door: whatever it raises on damaged input ends here.

What stops Linux stops compat with a sentence; damage to parts that only the guest's dynamic loader reads
(notes, the dynamic section) becomes a remark in the Image, because Linux would run such a file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

from elftools.common.exceptions import ELFError
from elftools.construct import ConstructError
from elftools.elf.elffile import ELFFile
from elftools.elf.notes import iter_notes

from compat.data import dataclass
from compat.errors import BadFile
from compat.image import Image, Kind, Segment
from loaders.elf_brands import Note, brand_of
from loaders.elf_details import details_of
from loaders.elf_headers import PT, Header, ProgramHeader
from loaders.elf_segments import alignment_of, tls_of
from loaders.elf_stream import ElfStream
from loaders.source import Source

__all__ = ["DAMAGE", "image_of", "interpreter_of", "notes_of", "open_elf", "reason"]

PATH_MAX = 4096
MAX_TAGS = 1024
MAX_NOTES = 256
DF_1_PIE = 0x0800_0000

DAMAGE: Final = (
    ELFError,
    struct.error,
    ConstructError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What pyelftools raises on damaged files."""


@dataclass(frozen=True, slots=True)
class _Dynamic:
    needed: tuple[str, ...] = ()
    soname: str | None = None
    rpath: str | None = None
    runpath: str | None = None
    flags_1: int = 0


def open_elf(source: Source, header: Header, *, sections: bool = False) -> Any:
    """A pyelftools ELFFile over *source* that sees segments only: stripped or damaged sections don't matter
    to running.

    Raises:
        BadFile: pyelftools refuses the header.
    """
    try:
        return ELFFile(ElfStream(source, header, sections=sections))  # type: ignore[arg-type]
    except DAMAGE as error:
        raise BadFile(f"{source.name}: the ELF header can't be read: {reason(error)}") from error


def image_of(
    source: Source,
    header: Header,
    headers: Sequence[ProgramHeader],
    segments: tuple[Segment, ...],
    cpu: str,
) -> Image:
    """The Image of a header, program headers and segments that are checked already, for a CPU that compat
    has.

    Raises:
        BadFile: the file is damaged in a way that Linux refuses, too; the sentence names the field.
    """
    interpreter, remarks = interpreter_of(source, headers)
    tls, tls_remarks = tls_of(source, headers)
    elf = open_elf(source, header)
    notes, note_remarks = notes_of(elf)
    dynamic, dynamic_remarks = _dynamic(elf)
    brand = brand_of(header, headers, notes, interpreter)
    stack = next((entry for entry in headers if entry.type == PT.GNU_STACK), None)
    return Image(
        format="elf",
        guest=brand.guest,
        brand=brand.evidence,
        cpu=cpu,
        kind=_kind(header, interpreter, dynamic),
        relocatable=header.type == 3,
        entry=header.entry,
        alignment=alignment_of(headers),
        segments=segments,
        interpreter=interpreter,
        phdr_address=_phdr_address(header, headers),
        phdr_size=header.phentsize,
        phdr_count=header.phnum,
        tls=tls,
        stack_executable=None if stack is None else bool(stack.flags & 1),
        elf=details_of(header, notes, _abiflags(source, headers)),
        needed=dynamic.needed,
        soname=dynamic.soname,
        rpath=dynamic.rpath,
        runpath=dynamic.runpath,
        remarks=(*remarks, *tls_remarks, *note_remarks, *dynamic_remarks, *_entry_remarks(header, segments)),
    )


def _kind(header: Header, interpreter: bytes | None, dynamic: _Dynamic) -> Kind:
    """Nothing in ELF tells a library from a static PIE; DF_1_PIE, a soname or a missing entry point do."""
    if interpreter is not None:
        return "dynamic"
    if header.type == 2:
        return "static"
    if dynamic.flags_1 & DF_1_PIE:
        return "static-pie"
    return "shared-library" if dynamic.soname is not None or header.entry == 0 else "static-pie"


def interpreter_of(source: Source, headers: Sequence[ProgramHeader]) -> tuple[bytes | None, tuple[str, ...]]:
    """The path in the first PT_INTERP, checked as fs/binfmt_elf.c, load_elf_binary, does."""
    found = [entry for entry in headers if entry.type == PT.INTERP]
    if not found:
        return None, ()
    entry = found[0]
    name = f"{source.name}: program header {entry.index} (PT_INTERP)"
    if not 2 <= entry.filesz <= PATH_MAX:
        raise BadFile(f"{name}: p_filesz {entry.filesz:#x} is no length of a path (2 to {PATH_MAX} bytes)")
    raw = source.read(entry.offset, entry.filesz)
    if len(raw) < entry.filesz:
        raise BadFile(f"{name}: p_offset {entry.offset:#x} plus p_filesz {entry.filesz:#x} is beyond the file")
    if raw[-1]:
        raise BadFile(f"{name}: the path does not end with a NUL byte")
    remarks = (f"program header {found[1].index}: a second PT_INTERP",) if len(found) > 1 else ()
    path = raw.split(b"\0", 1)[0]
    if not path:
        raise BadFile(f"{name}: the path is empty")
    return path, remarks


def _phdr_address(header: Header, headers: Sequence[ProgramHeader]) -> int:
    """AT_PHDR before any bias: where a segment holds e_phoff; PT_PHDR is not asked (Linux 5.18 and later)."""
    for entry in headers:
        if entry.type == PT.LOAD and entry.offset <= header.phoff < entry.offset + entry.filesz:
            return header.phoff - entry.offset + entry.vaddr
    return 0


def _abiflags(source: Source, headers: Sequence[ProgramHeader]) -> bytes | None:
    entry = next((entry for entry in headers if entry.type == PT.MIPS_ABIFLAGS), None)
    return None if entry is None else source.read(entry.offset, min(entry.filesz, 24))


def _entry_remarks(header: Header, segments: Sequence[Segment]) -> tuple[str, ...]:
    """Linux just jumps to e_entry, and the program dies there; so this is only a remark."""
    if any(part.execute and part.address <= header.entry < part.end for part in segments):
        return ()
    return () if header.entry == 0 else (f"ELF header: e_entry {header.entry:#x} is in no executable segment",)


def notes_of(elf: Any) -> tuple[tuple[Note, ...], tuple[str, ...]]:
    """All notes up to the first that is damaged, and a remark on that one."""
    found: list[Note] = []
    try:
        for part in elf.iter_segments():
            if part["p_type"] in ("PT_NOTE", "PT_GNU_PROPERTY"):
                found.extend(islice(_notes_of(elf, part), MAX_NOTES))
    except DAMAGE as error:
        return tuple(found), (f"notes (PT_NOTE): {reason(error)}",)
    return tuple(found), ()


def _notes_of(elf: Any, part: Any) -> Iterator[Note]:
    for note in iter_notes(elf, part["p_offset"], part["p_filesz"]):
        yield Note(note["n_name"] or "", _note_type(note), note["n_descdata"])


def _note_type(note: Any) -> int:
    """pyelftools turns the types of GNU's notes into names, whoever the owner is."""
    names = {"NT_GNU_ABI_TAG": 1, "NT_GNU_HWCAP": 2, "NT_GNU_BUILD_ID": 3, "NT_GNU_GOLD_VERSION": 4}
    names["NT_GNU_PROPERTY_TYPE_0"] = 5
    kind = note["n_type"]
    return kind if isinstance(kind, int) else names.get(kind, -1)


def _dynamic(elf: Any) -> tuple[_Dynamic, tuple[str, ...]]:
    try:
        return _read_dynamic(elf), ()
    except DAMAGE as error:
        return _Dynamic(), (f"dynamic section (PT_DYNAMIC): {reason(error)}",)


def _read_dynamic(elf: Any) -> _Dynamic:
    part = next(iter(elf.iter_segments(type="PT_DYNAMIC")), None)
    if part is None:
        return _Dynamic()
    needed: list[str] = []
    one: dict[str, Any] = {}
    for tag in islice(part.iter_tags(), MAX_TAGS):
        match tag.entry.d_tag:
            case "DT_NEEDED":
                needed.append(tag.needed)
            case "DT_SONAME" | "DT_RPATH" | "DT_RUNPATH" as name:
                one[name] = getattr(tag, name[3:].lower())
            case "DT_FLAGS_1":
                one["DT_FLAGS_1"] = tag.entry.d_val
    soname, rpath, runpath = (one.get(name) for name in ("DT_SONAME", "DT_RPATH", "DT_RUNPATH"))
    return _Dynamic(tuple(needed), soname, rpath, runpath, one.get("DT_FLAGS_1", 0))


def reason(error: BaseException) -> str:
    """The first line of an exception whose text nobody here wrote."""
    text = str(error).split("\n", 1)[0][:120]
    return text if text.isprintable() and text else type(error).__name__
