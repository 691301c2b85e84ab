"""What the auxiliary vector and /proc/cpuinfo say about the CPU, from hwcaps.tbl and platforms.tbl."""

from __future__ import annotations

from collections.abc import Iterator

from compat.abi.abi import Abi
from compat.abi.grids import Grid
from compat.data import dataclass
from compat.errors import BadTable

__all__ = ["IMPLEMENTER", "PART", "REVISION", "VARIANT", "Hardware", "hardware"]

IMPLEMENTER, VARIANT, PART, REVISION = 0x41, 0, 0x51, 1
"""What AArch64 calls itself, in MIDR_EL1 and in /proc/cpuinfo: no CPU that was ever made, as QEMU's "max"."""

_POWER_BLOCK, _L1_BYTES, _L1_WAYS = 128, 32768, 8
"""The first caches of a POWER9; 64-bit kernels tell of caches (arch/powerpc/include/asm/elf.h), 0 what is not known."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """*hwcap* and *hwcap2* as AT_HWCAP and AT_HWCAP2; *features* are their bits by name.

    *platform* and *base_platform* are None where Linux gives none. *block* is the number of bytes that PowerPC's dcbz
    clears, *version* its processor version register; 0 on other CPUs. *flags* is
    what else x86's /proc/cpuinfo names.
    """

    hwcap: int
    hwcap2: int
    features: tuple[str, ...]
    platform: bytes | None
    base_platform: bytes | None
    block: int
    version: int
    flags: tuple[str, ...]

    @property
    def auxv(self) -> dict[str, int]:
        """The entries of the auxiliary vector that are numbers; their order is initial_stack's business."""
        values = {"AT_HWCAP": self.hwcap, "AT_HWCAP2": self.hwcap2}
        if self.block:
            values |= {"AT_IGNOREPPC": 22, "AT_UCACHEBSIZE": 0}
            values |= {"AT_DCACHEBSIZE": self.block, "AT_ICACHEBSIZE": self.block}
        if self.block == _POWER_BLOCK:
            values |= dict.fromkeys(("AT_L1I_CACHESIZE", "AT_L1D_CACHESIZE"), _L1_BYTES)
            values |= dict.fromkeys(("AT_L1I_CACHEGEOMETRY", "AT_L1D_CACHEGEOMETRY"), _L1_WAYS << 16 | self.block)
            unknown = (f"AT_{name}_CACHE{fact}" for name in ("L2", "L3") for fact in ("SIZE", "GEOMETRY"))
            values |= dict.fromkeys(unknown, 0)
        return values


def hardware(abi: Abi) -> Hardware:
    """The hardware that a guest of *abi* is told about.

    Raises:
        BadTable: a row of hwcaps.tbl has no such word or bit; the sentence begins with file:line.
    """
    grids, names = abi.tables.grids, (abi.cpu.name, abi.cpu.kind)
    words = {"hwcap": 0, "hwcap2": 0}
    features = []
    for name, word, bit in _rows(grids["hwcaps"], names, abi.cpu.bits):
        words[word] |= 1 << bit
        features.append(name)
    platforms = grids["platforms"]
    columns = (dict(_cells(platforms, name)) for name in ("platform", "base", "block", "version"))
    platform, base, block, version = (column.get(abi.cpu.kind) for column in columns)
    return Hardware(
        words["hwcap"],
        words["hwcap2"],
        tuple(features),
        platform.encode() if platform else None,
        base.encode() if base else None,
        int(block or 0),
        int(version or "0", 16),
        tuple(keys[0] for keys, _, _ in grids["cpuid"].rows) if abi.cpu.family == "x86" else (),
    )


def _rows(grid: Grid, names: tuple[str, str], bits: int) -> Iterator[tuple[str, str, int]]:
    word_column, bit_column = grid.column_for("word"), grid.column_for("bit")
    for (cpu, name), cells, line in grid.rows:
        if cpu not in names:
            continue
        word, bit = cells[word_column], cells[bit_column]
        if word not in ("hwcap", "hwcap2") or not bit.isdecimal() or int(bit) >= bits:
            raise BadTable(f"{grid.source}:{line}: {name}: {word} {bit} is no bit of hwcap or hwcap2")
        yield name, word, int(bit)


def _cells(grid: Grid, column: str) -> Iterator[tuple[str, str]]:
    for keys, cell, _ in grid.texts(column):
        yield keys[0], cell
