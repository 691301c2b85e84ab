"""Mach-O files, thin and fat. Source: Apple's <mach-o/loader.h>, <mach-o/fat.h>, <mach/machine.h>."""

from __future__ import annotations

import struct
from types import MappingProxyType
from typing import Final

from loaders.source import Source

__all__ = ["is_macho", "macho_words"]

_THIN: Final = MappingProxyType(
    {
        b"\xfe\xed\xfa\xce": ">",
        b"\xfe\xed\xfa\xcf": ">",
        b"\xce\xfa\xed\xfe": "<",
        b"\xcf\xfa\xed\xfe": "<",
    }
)
# Size in bytes of one fat_arch and fat_arch_64.
_FAT: Final = MappingProxyType({b"\xca\xfe\xba\xbe": 20, b"\xca\xfe\xba\xbf": 32})

_CPUS: Final = MappingProxyType(
    {
        6: "Motorola 68000",
        7: "32-bit x86",
        0x0100_0007: "x86-64",
        12: "32-bit ARM",
        0x0100_000C: "AArch64",
        0x0200_000C: "AArch64 with 32-bit pointers",
        14: "SPARC",
        18: "PowerPC",
        0x0100_0012: "64-bit PowerPC",
    }
)

_KINDS: Final = MappingProxyType(
    {
        1: "object file",
        2: "program",
        4: "core dump",
        5: "preloaded program",
        6: "library (dylib)",
        7: "dynamic loader",
        8: "plug-in (bundle)",
        10: "file of debug symbols",
        11: "kernel extension",
    }
)

MAX_FAT = 40
"""The same magic begins Java class files, whose next word is a version of 45 or more."""


def is_macho(head: bytes) -> bool:
    """Whether *head*, the first bytes of a file, begin a thin or fat Mach-O file."""
    if head[:4] in _THIN:
        return len(head) >= 16
    return head[:4] in _FAT and 0 < int.from_bytes(head[4:8], "big") <= MAX_FAT


def macho_words(source: Source, head: bytes) -> str:
    """What a Mach-O file is: its kind and its CPUs."""
    order = _THIN.get(head[:4])
    if order:
        cpu, _, kind = struct.unpack_from(order + "III", head, 4)
        return f"a macOS {_KINDS.get(kind, f'file of type {kind}')} for {_cpu(cpu)} (Mach-O)"
    step = _FAT[head[:4]]
    table = source.read(8, int.from_bytes(head[4:8], "big") * step)
    cpus = [_cpu(int.from_bytes(table[at : at + 4], "big")) for at in range(0, len(table) - 3, step)]
    return f"a macOS file for {' and '.join(cpus) or 'no CPU'} (fat Mach-O)"


def _cpu(number: int) -> str:
    return _CPUS.get(number, f"an unknown CPU (cputype {number:#x})")
