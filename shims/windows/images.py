"""PE files in memory: headers and sections at their RVAs, each with its own rights (NtMapViewOfSection, SEC_IMAGE)."""

from __future__ import annotations

import os
from typing import Final

from compat.image import PeDetails, Section
from compat.memory import PAGE, AddressSpace
from shims.linux.execution import OpenProgram
from shims.windows.state import WindowsProcess

__all__ = ["map_image"]

_AT_ONCE: Final = 16 << 20


def map_image(process: WindowsProcess, program: OpenProgram, name: str = "") -> int:
    """Map a PE file at the base it asks for, or elsewhere if that is taken; returns the base. Nothing is relocated.

    Raises OSError(ENOMEM) without room.
    """
    memory, pe = process.memory, program.image.pe
    assert pe is not None
    base = _reserve(memory, pe, program)
    _copy(memory, program.file.fd, 0, pe.headers_size, base)
    for section in pe.sections:
        _map_section(memory, program, base, section)
    process.modules[base] = pe.size, name or os.path.basename(os.fsdecode(program.name)).lower()
    return base


def _reserve(memory: AddressSpace, pe: PeDetails, program: OpenProgram) -> int:
    """One range for all, readable: what lies between sections reads as zeros."""
    if not program.image.relocatable or memory.areas.is_free(pe.base, pe.base + pe.size):
        try:
            return memory.map(pe.size, 1, address=pe.base, fixed=True, replace=False, name=program.name)
        except OSError:
            if not program.image.relocatable:
                raise
    return memory.map(pe.size, 1, name=program.name)


def _map_section(memory: AddressSpace, program: OpenProgram, base: int, section: Section) -> None:
    protection = section.read | section.write << 1 | section.execute << 2
    size = -(-max(section.size, 1) // PAGE) * PAGE
    address, name, fd = base + section.address, program.name, program.file.fd
    if section.offset % PAGE == 0 and section.address % PAGE == 0 and section.file_size >= PAGE:
        whole = section.file_size // PAGE * PAGE
        backing = memory.backings.get(fd, name, writable=False)
        memory.map(whole, protection, address=address, fixed=True, backing=backing, offset=section.offset)
    else:
        whole = 0
    if size > whole:
        memory.map(size - whole, protection, address=address + whole, fixed=True, name=name)
        _copy(memory, fd, section.offset + whole, section.file_size - whole, address + whole)


def _copy(memory: AddressSpace, fd: int, offset: int, size: int, address: int) -> None:
    """Part of the file, whose bytes don't lie on pages as they do in memory."""
    for done in range(0, size, _AT_ONCE):
        memory.store(address + done, os.pread(fd, min(_AT_ONCE, size - done), offset + done))
