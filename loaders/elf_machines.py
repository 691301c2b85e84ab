"""e_machine, class, byte order and flags to a CPU of compat, or to words for one that it lacks.

Numbers: the gABI's register of e_machine; ABI flags: each processor's ELF supplement and
arch/*/include/asm/elf.h.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from compat.data import dataclass
from loaders.elf_headers import Header

__all__ = ["Machine", "machine_of"]


@dataclass(frozen=True, slots=True)
class Machine:
    """What a file was built for, in *words*; *cpu* is compat's name for it, or None, and then *lack* says
    what is missing.
    """

    words: str
    cpu: str | None = None
    lack: str = ""


_CPUS: Final = MappingProxyType(
    {
        # (e_machine, bits, little-endian)
        (3, 32, True): Machine("32-bit x86", "x86"),
        (62, 64, True): Machine("x86-64", "x86-64"),
        (40, 32, True): Machine("32-bit ARM", "arm"),
        (183, 64, True): Machine("AArch64", "aarch64"),
        (243, 64, True): Machine("64-bit RISC-V", "riscv64"),
        (8, 32, False): Machine("big-endian 32-bit MIPS", "mips"),
        (8, 32, True): Machine("little-endian 32-bit MIPS", "mipsel"),
        (8, 64, False): Machine("big-endian 64-bit MIPS", "mips64"),
        (8, 64, True): Machine("little-endian 64-bit MIPS", "mips64el"),
        (20, 32, False): Machine("32-bit PowerPC", "ppc"),
        (21, 64, False): Machine("big-endian 64-bit PowerPC", "ppc64"),
        (21, 64, True): Machine("little-endian 64-bit PowerPC", "ppc64le"),
        (22, 64, False): Machine("z/Architecture (s390x)", "s390x"),
    }
)

_RELATIVES: Final = MappingProxyType(
    {
        (6, 32, True): "Intel 486 (EM_486)",
        (40, 32, False): "big-endian 32-bit ARM (armeb)",
        (183, 64, False): "big-endian AArch64 (aarch64_be)",
        (183, 32, True): "AArch64 with 32-bit pointers (ILP32)",
        (183, 32, False): "big-endian AArch64 with 32-bit pointers (ILP32)",
        (243, 32, True): "32-bit RISC-V (riscv32)",
        (20, 32, True): "little-endian 32-bit PowerPC",
        (22, 32, False): "31-bit S/390 (s390)",
        (258, 64, True): "64-bit LoongArch",
        (258, 32, True): "32-bit LoongArch",
    }
)

_OTHERS: Final = MappingProxyType(
    {
        1: "AT&T WE 32100",
        2: "32-bit SPARC",
        3: "32-bit x86",
        4: "Motorola 68000 (m68k)",
        5: "Motorola 88000",
        7: "Intel 80860",
        8: "MIPS",
        9: "IBM System/370",
        15: "PA-RISC",
        18: "32-bit SPARC (v8+)",
        20: "PowerPC",
        21: "64-bit PowerPC",
        22: "S/390",
        23: "Cell SPU",
        40: "ARM",
        41: "Alpha",
        42: "SuperH",
        43: "64-bit SPARC",
        44: "TriCore",
        46: "H8/300",
        50: "Itanium",
        62: "x86-64",
        75: "VAX",
        76: "CRIS",
        83: "AVR",
        88: "M32R",
        92: "OpenRISC",
        93: "ARC",
        94: "Xtensa",
        105: "MSP430",
        106: "Blackfin",
        113: "Nios II",
        140: "TI C6000",
        164: "Hexagon",
        167: "NDS32",
        175: "Elbrus 2000",
        180: "Intel Larrabee",
        181: "Intel Knights Corner",
        183: "AArch64",
        187: "TILE64",
        188: "TILEPro",
        189: "MicroBlaze",
        190: "an NVIDIA GPU",
        191: "TILE-Gx",
        195: "ARC v2",
        220: "Z80",
        224: "an AMD GPU",
        243: "RISC-V",
        247: "BPF",
        251: "NEC SX-Aurora",
        252: "C-SKY",
        258: "LoongArch",
        0x9026: "Alpha",
        0xA390: "S/390",
    }
)


def machine_of(header: Header) -> Machine:
    """The machine a file was built for; a Machine without cpu where compat has none that runs it."""
    key = (header.machine, header.bits, header.little)
    odd = _odd_abi(header)
    if odd:
        return odd
    if key in _CPUS:
        return _CPUS[key]
    words = _RELATIVES.get(key) or _OTHERS.get(header.machine)
    if words is None:
        order = "little" if header.little else "big"
        words = f"an unknown {header.bits}-bit {order}-endian CPU (e_machine {header.machine})"
    return Machine(words, lack="has no such CPU")


def _odd_abi(header: Header) -> Machine | None:
    """ABIs of a known CPU whose system calls differ from those that compat's tables describe."""
    if header.machine == 62 and header.bits == 32:
        return Machine("x86-64 with 32-bit pointers (x32)", lack="has no x32 system calls")
    if header.machine == 40 and header.bits == 32 and header.little and header.flags >> 24 < 4:
        return Machine("32-bit ARM in the old ABI (OABI)", lack="knows only the ARM EABI")
    if header.machine == 8 and header.bits == 32:
        return _odd_mips(header.flags)
    return None


def _odd_mips(flags: int) -> Machine | None:
    if flags & 0x20:
        return Machine("64-bit MIPS with 32-bit pointers (n32)", lack="has no n32 system calls")
    other = {0x2000: "o64", 0x3000: "EABI32", 0x4000: "EABI64"}.get(flags & 0xF000)
    if other:
        return Machine(f"MIPS in the {other} ABI", lack=f"has no {other} system calls")
    return None
