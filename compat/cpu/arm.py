"""ARM and AArch64: registers, user mode, system registers that user programs may touch."""

from __future__ import annotations

import struct

from compat.cpu.engine import Engine, Register
from compat.cpu.family import ExceptionInfo, Family, Supervisor, numbered

__all__ = ["AArch64"]

_AARCH64_MAX = 3

_AARCH64 = {
    **numbered("x", 29, 199, 8),
    "x29": Register(1, 8),
    "x30": Register(2, 8),
    "sp": Register(4, 8),
    "pc": Register(260, 8),
    "pstate": Register(265, 4),
    **numbered("v", 32, 228, 16),
    "fpcr": Register(291, 4),
    "fpsr": Register(292, 4),
    "tpidr_el0": Register(262, 8),
    "tpidrro_el0": Register(263, 8),
}

_CPACR_EL1, _CP_REG = Register(261, 4), 290

# DZE, UCT, nTWI, nTWE, UCI and the bits that read as one: as Linux sets SCTLR_EL1 for EL0 (arch/arm64/include/asm/sysreg.h).
_SCTLR_EL1 = 1 << 11 | 1 << 14 | 1 << 15 | 1 << 16 | 1 << 18 | 1 << 20 | 1 << 22 | 1 << 23 | 1 << 26 | 1 << 28 | 1 << 29

_EXCEPTIONS = {1: "illegal", 7: "breakpoint"}


def _system_register(op0: int, op1: int, crn: int, crm: int, op2: int, value: int) -> bytes:
    return struct.pack("=IIIIIxxxxQ", crn, crm, op0, op1, op2, value)


class AArch64(Family):
    """AArch64 at EL0."""

    arch = 2
    mode = 0
    model = _AARCH64_MAX
    page_size = 4096
    syscall = 2
    registers = _AARCH64
    pc = "pc"
    tls = "tpidr_el0"

    def prepare(self, engine: Engine, supervisor: Supervisor) -> None:
        engine.write(_CPACR_EL1, 3 << 20)
        engine.write(_AARCH64["pstate"], 0)
        # Writing a system register is also what makes Unicorn look at PSTATE and CPACR again.
        engine.write_structure(_CP_REG, _system_register(3, 0, 14, 1, 0, 2))
        engine.write_structure(_CP_REG, _system_register(3, 0, 1, 0, 0, _SCTLR_EL1))

    def exception(self, engine: Engine, number: int, pc: int) -> ExceptionInfo:
        return _EXCEPTIONS.get(number, "privileged"), pc


_CORTEX_A15, _ARM_MAX = 17, 33

_ARM = {
    **numbered("r", 13, 66, 4),
    "sp": Register(12, 4),
    "lr": Register(10, 4),
    "pc": Register(11, 4),
    "cpsr": Register(3, 4),
    **numbered("d", 32, 14, 8),
    "fpscr": Register(6, 4),
    "tpidruro": Register(113, 4),
}


class Arm(Family):
    """ARM in USR mode, ARM and Thumb."""

    arch = 1
    mode = 0
    model = _CORTEX_A15
    page_size = 4096
    syscall = 2
    registers = _ARM
    pc = "pc"
    tls = "tpidruro"

    def prepare(self, engine: Engine, supervisor: Supervisor) -> None:
        engine.write(Register(111, 4), 0xF << 20)
        engine.write(Register(4, 4), 1 << 30)
        engine.write(_ARM["cpsr"], 0x10)

    def exception(self, engine: Engine, number: int, pc: int) -> ExceptionInfo:
        return _EXCEPTIONS.get(number, "privileged"), pc
