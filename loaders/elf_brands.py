"""Which operating system an ELF file was made for.

Sources: the EI_OSABI register, the notes each system's linker or crt1.o adds, and the path of its dynamic
loader.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import MappingProxyType
from typing import Final

from compat.data import dataclass
from loaders.elf_headers import Header, ProgramHeader

__all__ = ["OS_NAMES", "Brand", "Note", "brand_of"]


@dataclass(frozen=True, slots=True)
class Note:
    """One ELF note: who wrote it, its type, its bytes."""

    owner: str
    type: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Brand:
    """A guest by name, and the words for where the file says so."""

    guest: str
    evidence: str


OS_NAMES: Final = MappingProxyType(
    {
        "linux": "Linux",
        "freebsd": "FreeBSD",
        "netbsd": "NetBSD",
        "openbsd": "OpenBSD",
        "dragonfly": "DragonFly BSD",
        "solaris": "Solaris",
        "hurd": "GNU Hurd",
        "hpux": "HP-UX",
        "aix": "AIX",
        "irix": "IRIX",
        "tru64": "Tru64 UNIX",
        "modesto": "Novell Modesto",
        "openvms": "OpenVMS",
        "nsk": "HP NonStop",
        "aros": "AROS",
        "fenix": "FenixOS",
        "cloudabi": "CloudABI",
        "openvos": "Stratus OpenVOS",
        "syllable": "Syllable",
        "nacl": "Native Client",
        "haiku": "Haiku",
        "qnx": "QNX",
        "fuchsia": "Fuchsia",
        "bare": "bare-metal",
    }
)

_OS_ABIS: Final = MappingProxyType(
    {
        1: "hpux",
        2: "netbsd",
        6: "solaris",
        7: "aix",
        8: "irix",
        9: "freebsd",
        10: "tru64",
        11: "modesto",
        12: "openbsd",
        13: "openvms",
        14: "nsk",
        15: "aros",
        16: "fenix",
        17: "cloudabi",
        18: "openvos",
        255: "bare",
    }
)

# The first word of the GNU ABI tag (glibc's csu/abi-note.c).
_GNU_TAGS: Final = ("linux", "hurd", "solaris", "freebsd", "netbsd", "syllable", "nacl")

_NOTE_OWNERS: Final = MappingProxyType(
    {
        "FreeBSD": "freebsd",
        "NetBSD": "netbsd",
        "OpenBSD": "openbsd",
        "DragonFly": "dragonfly",
        "SUNW Solaris": "solaris",
        "QNX": "qnx",
        "Android": "linux",
    }
)

_LOADERS: Final = MappingProxyType(
    {
        b"/libexec/ld-elf.so.1": "freebsd",
        b"/usr/libexec/ld-elf.so.1": "freebsd",
        b"/libexec/ld-elf32.so.1": "freebsd",
        b"/usr/libexec/ld-elf.so.2": "dragonfly",
        b"/libexec/ld.elf_so": "netbsd",
        b"/usr/libexec/ld.elf_so": "netbsd",
        b"/usr/libexec/ld.so": "openbsd",
        b"/usr/lib/ld.so.1": "solaris",
        b"/usr/lib/amd64/ld.so.1": "solaris",
        b"/usr/lib/64/ld.so.1": "solaris",
        b"/lib/amd64/ld.so.1": "solaris",
        b"/lib/64/ld.so.1": "solaris",
        b"/usr/lib/sparcv9/ld.so.1": "solaris",
        b"/system/runtime_loader": "haiku",
        b"/usr/lib/ldqnx.so.2": "qnx",
        b"/usr/lib/ldqnx-64.so.2": "qnx",
        b"/system/bin/linker": "linux",
        b"/system/bin/linker64": "linux",
    }
)

_HEADER_TYPES: Final = MappingProxyType(
    {
        0x65A3DBE5: ("openbsd", "PT_OPENBSD_MUTABLE"),
        0x65A3DBE6: ("openbsd", "PT_OPENBSD_RANDOMIZE"),
        0x65A3DBE7: ("openbsd", "PT_OPENBSD_WXNEEDED"),
        0x65A3DBE8: ("openbsd", "PT_OPENBSD_NOBTCFI"),
        0x65A3DBE9: ("openbsd", "PT_OPENBSD_SYSCALLS"),
        0x6FFFFFFA: ("solaris", "PT_SUNWBSS"),
        0x6FFFFFFB: ("solaris", "PT_SUNWSTACK"),
        0x6FFFFFFC: ("solaris", "PT_SUNWDTRACE"),
        0x6FFFFFFD: ("solaris", "PT_SUNWCAP"),
    }
)


def brand_of(
    header: Header, headers: Sequence[ProgramHeader], notes: Iterable[Note], interpreter: bytes | None
) -> Brand:
    """The system that the file names most plainly: EI_OSABI, then notes, then its loader's path, else Linux.

    Linux itself never looks (it runs any brand), so a file without a brand is taken for Linux.
    """
    guest = _OS_ABIS.get(header.os_abi)
    if guest:
        return Brand(guest, f"EI_OSABI {header.os_abi}")
    order = "little" if header.little else "big"
    for note in notes:
        if note.owner == "GNU" and note.type == 1 and len(note.data) >= 16:
            return _gnu_brand(*(int.from_bytes(note.data[at : at + 4], order) for at in (0, 4, 8, 12)))  # type: ignore[arg-type]
        if note.owner in _NOTE_OWNERS and note.type == 1:
            return Brand(_NOTE_OWNERS[note.owner], f"note {note.owner}")
    for entry in headers:
        if entry.type in _HEADER_TYPES:
            guest, name = _HEADER_TYPES[entry.type]
            return Brand(guest, name)
    if interpreter is not None and interpreter in _LOADERS:
        return Brand(_LOADERS[interpreter], "interpreter")
    return Brand("linux", "EI_OSABI 3" if header.os_abi == 3 else "")


def _gnu_brand(system: int, major: int, minor: int, patch: int) -> Brand:
    guest = _GNU_TAGS[system] if system < len(_GNU_TAGS) else "linux"
    return Brand(guest, f"GNU ABI tag {OS_NAMES[guest]} {major}.{minor}.{patch}")
