"""What follows the letters MZ: Windows (PE), 16-bit Windows and OS/2 (NE, LE, LX), or DOS.

Source: Microsoft's PE Format, sections "COFF File Header" and "Optional Header".
"""

from __future__ import annotations

import struct
from types import MappingProxyType
from typing import Final

from loaders.source import Source

__all__ = ["mz_words"]

_MACHINES: Final = MappingProxyType(
    {
        0x014C: "32-bit x86",
        0x0162: "MIPS R3000",
        0x0166: "MIPS R4000",
        0x0168: "MIPS R10000",
        0x0169: "MIPS (Windows CE)",
        0x0184: "Alpha",
        0x0284: "64-bit Alpha",
        0x01A2: "SuperH SH3",
        0x01A6: "SuperH SH4",
        0x01C0: "32-bit ARM",
        0x01C2: "32-bit ARM (Thumb)",
        0x01C4: "32-bit ARM (Thumb-2)",
        0x01F0: "PowerPC",
        0x0200: "Itanium",
        0x0EBC: "EFI byte code",
        0x5032: "32-bit RISC-V",
        0x5064: "64-bit RISC-V",
        0x6232: "32-bit LoongArch",
        0x6264: "64-bit LoongArch",
        0x8664: "x86-64",
        0xA641: "AArch64 (ARM64EC)",
        0xAA64: "AArch64",
    }
)

_RUNS: Final = 0x8664  # whose Windows programs compat runs

# subsystem: (operating system, word after the format)
_SUBSYSTEMS: Final = MappingProxyType(
    {
        1: ("Windows", "native"),
        2: ("Windows", "GUI"),
        3: ("Windows", "console"),
        5: ("OS/2", "console"),
        7: ("Windows", "POSIX console"),
        8: ("Windows 9x", "native"),
        9: ("Windows CE", "GUI"),
        10: ("UEFI", "application"),
        11: ("UEFI", "boot service driver"),
        12: ("UEFI", "runtime driver"),
        13: ("UEFI", "ROM"),
        14: ("Xbox", "title"),
        16: ("Windows", "boot application"),
    }
)

_NEW_EXECUTABLES: Final = MappingProxyType(
    {
        b"NE": ("a 16-bit Windows or OS/2 program (NE)", "16-bit Windows"),
        b"LE": ("a Windows driver or DOS extender program (LE)", "LE"),
        b"LX": ("a 32-bit OS/2 program (LX)", "OS/2"),
    }
)


def mz_words(source: Source, head: bytes) -> tuple[str, str]:
    """What the file is, and the guest that it needs, "Windows" only where compat has that; *head* is its first 64 bytes
    or more."""
    at = int.from_bytes(head[0x3C:0x40], "little") if len(head) >= 0x40 else 0
    coff = source.read(at, 24 + 112 + 15 * 8) if at >= 4 else b""
    if coff.startswith(b"PE\0\0") and len(coff) >= 24 + 70:
        return _pe_words(coff)
    return _NEW_EXECUTABLES.get(coff[:2], ("a DOS program (MZ)", "DOS"))


def _pe_words(coff: bytes) -> tuple[str, str]:
    machine, characteristics, magic = (struct.unpack_from("<H", coff, at)[0] for at in (4, 22, 24))
    plus = magic == 0x20B
    subsystem = struct.unpack_from("<H", coff, 24 + 68)[0]
    system, word = _SUBSYSTEMS.get(subsystem, ("Windows", f"subsystem {subsystem}"))
    noun = "library (DLL)" if characteristics & 0x2000 else "program"
    cpu = _MACHINES.get(machine, f"an unknown CPU (machine {machine:#x})")
    managed = ", .NET" if _has_clr(coff, plus) else ""
    article = "an" if system[0] in "OU" and system != "UEFI" else "a"
    words = f"{article} {system} {noun} for {cpu} ({'PE32+' if plus else 'PE32'} {word}{managed})"
    return words, _guest(system, word, ".NET" if managed else "" if machine == _RUNS else cpu)


def _guest(system: str, word: str, lacking: str) -> str:
    """The guest that a file needs: "Windows" is the one that compat has, for consoles and windows."""
    if system != "Windows":
        return system
    if lacking:
        return lacking if lacking == ".NET" else f"{lacking} Windows"
    return system if word in ("console", "GUI") else f"{word} Windows"


def _has_clr(coff: bytes, plus: bool) -> bool:
    """Data directory 14, IMAGE_DIRECTORY_ENTRY_COM_DESCRIPTOR, is set in .NET files."""
    at = 24 + (112 if plus else 96) + 14 * 8
    return len(coff) >= at + 8 and coff[at : at + 4] != bytes(4)
