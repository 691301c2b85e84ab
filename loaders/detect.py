"""The one question asked of every file: what is it, and can compat run it?"""

from __future__ import annotations

import os
from collections.abc import Container
from typing import TYPE_CHECKING

from compat.abi.conventions import find_cpu
from compat.abi.grids import Grid, read_grid
from compat.abi.tables import TABLES
from compat.errors import Unsupported
from compat.image import Image, Script, Segment
from loaders.elf_headers import Header, ProgramHeader, read_header, read_program_headers
from loaders.elf_machines import machine_of
from loaders.elf_segments import MEMORY_LIMIT, segments_of
from loaders.foreign import refusal
from loaders.script import script_of
from loaders.source import Recorder, Source

if TYPE_CHECKING:
    from loaders.cache import Cache

__all__ = ["detect"]

GUESTS = frozenset({"linux", "windows"})


def detect(
    source: Source,
    *,
    guests: Container[str] = GUESTS,
    memory_limit: int = MEMORY_LIMIT,
    cache: Cache | None = None,
    cpus: Grid | None = None,
) -> Image | Script:
    """What *source* is: an Image to map, or a Script whose interpreter is to be run instead.

    *memory_limit* is the most bytes its segments may take. With a *cache*, an Image made before from the same
    bytes is taken from there. *cpus* is cpus.tbl, for who has read it.

    Raises:
        BadFile: the file is damaged; the sentence names the field.
        Unsupported: it is of a kind, for a CPU, or for an operating system that compat does not run.
    """
    magic = source.read(0, 4)
    if magic == b"\x7fELF":
        return _elf(source, guests, memory_limit, cache, cpus)
    if magic.startswith(b"#!"):
        return script_of(source)
    if magic.startswith(b"MZ") and "windows" in guests:
        from loaders.pe_image import pe_image  # only here: most guests have no such file

        image = pe_image(source)
        if image is not None:
            return image
    raise Unsupported(refusal(source))


def _elf(source: Source, guests: Container[str], memory_limit: int, cache: Cache | None, cpus: Grid | None) -> Image:
    header = read_header(source)
    headers = read_program_headers(source, header)
    machine = machine_of(header)
    if machine.cpu is None:
        from loaders.elf_refusal import elf_refusal

        raise Unsupported(elf_refusal(source, header, headers, machine))
    top = find_cpu(cpus or read_grid(os.path.join(TABLES, "cpus.tbl")), machine.cpu).top
    segments = segments_of(source, headers, top=top, memory_limit=memory_limit)
    image = cache.load(source, header, segments) if cache else None
    if image is None:
        image = _parse(source, header, headers, segments, machine.cpu, cache)
    if image.guest not in guests:
        from loaders.elf_refusal import guest_refusal

        raise Unsupported(guest_refusal(source, image, machine))
    return image


def _parse(
    source: Source,
    header: Header,
    headers: tuple[ProgramHeader, ...],
    segments: tuple[Segment, ...],
    cpu: str,
    cache: Cache | None,
) -> Image:
    from loaders.elf import image_of  # late: pyelftools takes longer to import than all the rest of a start

    if cache is None:
        return image_of(source, header, headers, segments, cpu)
    recorder = Recorder(source)
    image = image_of(recorder, header, headers, segments, cpu)
    cache.store(recorder, header, image)
    return image
