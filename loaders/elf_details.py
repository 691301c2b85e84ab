"""e_flags, MIPS ABI flags and GNU properties in words.

Sources: the processor supplements of the ELF ABI, and Linux's arch/*/include/asm/elf.h.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

from compat.image import ElfDetails
from loaders.elf_brands import Note
from loaders.elf_headers import Header

__all__ = ["details_of"]


def details_of(header: Header, notes: Iterable[Note], abiflags: bytes | None) -> ElfDetails:
    """The exact ABI that a file was built for; *abiflags* is what PT_MIPS_ABIFLAGS holds, if there is one."""
    properties = _gnu_properties(header, notes)
    flags = header.flags
    match header.machine:
        case 8:
            return _mips(header, abiflags)
        case 21:
            return ElfDetails(flags, abi=("elfv1" if not header.little else "elfv2", "elfv1", "elfv2", "")[flags & 3])
        case 40:
            return ElfDetails(flags, abi=f"eabi{flags >> 24}", float_abi=_arm_float(flags))
        case 243:
            float_abi = ("soft", "single", "double", "quad")[flags >> 1 & 3]
            return ElfDetails(flags, float_abi=float_abi, isa="rvc" if flags & 1 else "")
        case 3 | 62:
            return ElfDetails(flags, isa=_x86_level(properties), properties=_feature_names(_X86_FEATURES, properties))
        case 183:
            return ElfDetails(flags, properties=_feature_names(_AARCH64_FEATURES, properties))
        case _:
            return ElfDetails(flags)


def _arm_float(flags: int) -> str:
    """ELF for the Arm Architecture, table "ARM-specific e_flags": meaningful since EABI version 5."""
    if flags >> 24 < 5:
        return ""
    return "hard" if flags & 0x400 else "soft" if flags & 0x200 else ""


_MIPS_ISAS: Final = (
    "mips1",
    "mips2",
    "mips3",
    "mips4",
    "mips5",
    "mips32",
    "mips64",
    "mips32r2",
    "mips64r2",
    "mips32r6",
    "mips64r6",
)
_MIPS_FLOATS: Final = ("any", "double", "single", "soft", "old64", "xx", "64", "64a")
_MIPS_ASES: Final = MappingProxyType({0x0400_0000: "MIPS16", 0x0200_0000: "MICROMIPS", 0x0800_0000: "MDMX"})
_OCTEON: Final = MappingProxyType({0x008B_0000: "octeon", 0x008D_0000: "octeon2", 0x008E_0000: "octeon3"})


def _mips(header: Header, abiflags: bytes | None) -> ElfDetails:
    flags = header.flags
    level = flags >> 28
    isa = _MIPS_ISAS[level] if level < len(_MIPS_ISAS) else f"mips level {level}"
    float_abi = ""
    if abiflags is not None and len(abiflags) >= 24:
        # Elf_Internal_ABIFlags_v0: version, isa_level, isa_rev, gpr_size, cpr1_size, cpr2_size, fp_abi, …
        fp_abi = struct.unpack_from("<HBBBBBB" if header.little else ">HBBBBBB", abiflags)[6]
        float_abi = _MIPS_FLOATS[fp_abi] if fp_abi < len(_MIPS_FLOATS) else f"fp_abi {fp_abi}"
    return ElfDetails(
        flags,
        abi="n64" if header.bits == 64 else "o32",
        float_abi=float_abi,
        isa=_OCTEON.get(flags & 0x00FF_0000, isa),
        nan2008=bool(flags & 0x400),
        properties=tuple(name for bit, name in _MIPS_ASES.items() if flags & bit),
    )


_X86_FEATURE_1_AND: Final = 0xC000_0002
_X86_ISA_1_NEEDED: Final = 0xC000_8002
_AARCH64_FEATURE_1_AND: Final = 0xC000_0000
_X86_FEATURES: Final = (_X86_FEATURE_1_AND, ("IBT", "SHSTK", "LAM_U48", "LAM_U57"))
_AARCH64_FEATURES: Final = (_AARCH64_FEATURE_1_AND, ("BTI", "PAC", "GCS"))


def _gnu_properties(header: Header, notes: Iterable[Note]) -> dict[int, int]:
    """The 32-bit properties of NT_GNU_PROPERTY_TYPE_0 notes, by type (Linux Extensions to gABI, 2.1)."""
    found: dict[int, int] = {}
    order, step = ("<" if header.little else ">"), header.bits // 8
    for note in notes:
        if note.owner != "GNU" or note.type != 5:
            continue
        at = 0
        while at + 8 <= len(note.data):
            kind, size = struct.unpack_from(order + "II", note.data, at)
            if size == 4 and at + 12 <= len(note.data):
                found[kind] = struct.unpack_from(order + "I", note.data, at + 8)[0]
            at += 8 + -(-size // step) * step
    return found


def _feature_names(features: tuple[int, tuple[str, ...]], properties: dict[int, int]) -> tuple[str, ...]:
    kind, names = features
    bits = properties.get(kind, 0)
    return tuple(name for index, name in enumerate(names) if bits >> index & 1)


def _x86_level(properties: dict[int, int]) -> str:
    """x86 psABI: bit 0 baseline, then v2, v3, v4; the highest one set is the level."""
    level = (properties.get(_X86_ISA_1_NEEDED, 0) & 0xF).bit_length()
    return f"x86-64-v{level}" if level > 1 else ""
