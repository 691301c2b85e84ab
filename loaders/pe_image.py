"""PE files to Images, where compat runs their kind."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from compat.image import ElfDetails, Image, PeDetails
from loaders.foreign_mz import mz_words
from loaders.pe_file import PeFile
from loaders.source import Source

__all__ = ["pe_image"]

_CPUS: Final = MappingProxyType({0x8664: "x86-64"})
_LIBRARY: Final = 0x2000  # IMAGE_FILE_DLL


def pe_image(source: Source) -> Image | None:
    """The Image of a Windows program or library; None for what is no PE file, or one of a kind, or for a CPU, that
    compat does not run: .NET, drivers, EFI.

    Raises:
        BadFile: its headers are damaged; the sentence names the field.
    """
    if mz_words(source, source.read(0, 64))[1] != "Windows":
        return None
    file = PeFile(source)
    header = file.header
    cpu = _CPUS.get(header.machine)
    if cpu is None or not header.plus:
        return None
    return Image(
        format="pe",
        guest="windows",
        brand="",
        cpu=cpu,
        kind="shared-library" if header.characteristics & _LIBRARY else "dynamic",
        relocatable=file.directory("relocation") is not None,
        entry=header.base + header.entry if header.entry else 0,
        alignment=header.section_alignment,
        segments=(),
        interpreter=None,
        phdr_address=0,
        phdr_size=0,
        phdr_count=0,
        tls=None,
        stack_executable=False,
        elf=ElfDetails(),
        pe=PeDetails(header.base, header.image_size, header.headers_size, file.sections),
    )
