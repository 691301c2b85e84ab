"""AArch64's ID registers, which the kernel reads for programs: HWCAP_CPUID (arch/arm64/kernel/cpufeature.c).

Documentation/arch/arm64/cpu-feature-registers.rst says which fields are shown; idregs.tbl ties them to features.
"""

from __future__ import annotations

from shims.linux.hwcap import IMPLEMENTER, PART, REVISION, VARIANT, hardware
from shims.linux.state import LinuxThread

__all__ = ["emulate"]

_MRS, _MRS_MASK = 0xD530_0000, 0xFFF0_0000
_MIDR, _MPIDR, _REVIDR = 0, 5, 6
"""op2 of the registers with CRm 0."""


def emulate(thread: LinuxThread) -> bool:
    """Read the ID register that `mrs` at the running thread's PC asks for; False if there stands something else."""
    registers = thread.registers
    pc = registers.read("pc")
    word = int.from_bytes(thread.memory.read(pc, 4), "little")
    place = (2 | word >> 19 & 1, word >> 16 & 7, word >> 12 & 15, word >> 8 & 15, word >> 5 & 7)
    if word & _MRS_MASK != _MRS or place[:3] != (3, 0, 0):
        return False
    value = _identity(place[4]) if place[3] == 0 else _features(thread, place)
    if value is None or place[3] > 7 or place[3] == 1:
        return False
    if (target := word & 31) != 31:
        registers.write(f"x{target}", value)
    registers.write("pc", pc + 4)
    return True


def _identity(number: int) -> int | None:
    """MIDR_EL1, MPIDR_EL1 (no affinity), REVIDR_EL1."""
    midr = IMPLEMENTER << 24 | VARIANT << 20 | 0xF << 16 | PART << 4 | REVISION
    return {_MIDR: midr, _MPIDR: 1 << 31, _REVIDR: 0}.get(number)


def _features(thread: LinuxThread, place: tuple[int, ...]) -> int:
    grid = thread.abi.tables.grids["idregs"]
    present = {"always", *hardware(thread.abi).features}
    wanted = ":".join(map(str, place))
    fields: dict[int, int] = {}
    for (_, feature), (where, shift, value), _ in grid.rows:
        if where == wanted and feature in present:
            fields[int(shift)] = max(fields.get(int(shift), 0), int(value))
    return sum(value << shift for shift, value in fields.items())
