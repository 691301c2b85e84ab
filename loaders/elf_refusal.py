"""The one sentence for an ELF file that is sound but not for compat."""

from __future__ import annotations

from collections.abc import Sequence

from compat.image import Image, Kind
from loaders.elf import interpreter_of, notes_of, open_elf
from loaders.elf_brands import OS_NAMES, brand_of
from loaders.elf_headers import Header, ProgramHeader
from loaders.elf_machines import Machine
from loaders.source import Source, printable

__all__ = ["elf_refusal", "guest_refusal"]

_NOUNS: dict[Kind, str] = {
    "static": "program",
    "static-pie": "program",
    "dynamic": "program",
    "shared-library": "shared library",
}


def _named(guest: str) -> str:
    name = OS_NAMES[guest]
    return f"{'an' if name[0] in 'AIO' or name == 'HP-UX' else 'a'} {name}"


def elf_refusal(source: Source, header: Header, headers: Sequence[ProgramHeader], machine: Machine) -> str:
    """What the file is, for which CPU, and that compat lacks it."""
    notes, _ = notes_of(open_elf(source, header))
    interpreter, _ = interpreter_of(source, headers)
    brand = brand_of(header, headers, notes, interpreter)
    return f"{source.name} is {_named(brand.guest)} program for {machine.words} (ELF); compat {machine.lack}"


def guest_refusal(source: Source, image: Image, machine: Machine) -> str:
    """What the file is, for which system and CPU, and that compat lacks the system."""
    system = OS_NAMES[image.guest]
    wants = f", wants {printable(image.interpreter)}" if image.interpreter else ""
    noun = _NOUNS[image.kind]
    return (
        f"{source.name} is {_named(image.guest)} {noun} for {machine.words} (ELF, {image.kind}{wants}); "
        f"compat has no {system} guest yet"
    )
