"""AArch64 at EL0.

Unicorn's only model with LSE atomics is MAX. Reading an ID register (MIDR_EL1 and its like) is an illegal
instruction, which Linux emulates (shims/linux/id_registers.py). CNTVCT_EL0 counts (62.5 MHz),
CTR_EL0, DCZID_EL0 (64-byte blocks), DC and IC work. WFI ends Unicorn's run behind itself, and the machine
goes on.
"""

from __future__ import annotations

import struct

from compat.cpu.aarch64_minmax import mend_signed_choices
from compat.cpu.family import Event, Family, numbered
from compat.cpu.registers import Register

__all__ = ["AArch64"]

_MODEL_MAX = 3

_REGISTERS = {
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
_FLOAT_ON = 3 << 20

# DZE, UCT, nTWI, nTWE, UCI and the bits that read as one, as Linux sets SCTLR_EL1
# (arch/arm64/include/asm/sysreg.h).
_SCTLR_EL1 = sum(1 << bit for bit in (11, 14, 15, 16, 18, 20, 22, 23, 26, 28, 29))
_CNTKCTL_EL0VCTEN = 2

# QEMU's target/arm/cpu.h EXCP_*; with the software MMU a data or prefetch abort can only be one of alignment.
_EXCEPTIONS = {1: "illegal", 3: "alignment", 4: "alignment", 7: "breakpoint"}


def _system_register(op0: int, op1: int, crn: int, crm: int, op2: int, value: int) -> bytes:
    return struct.pack("=IIIIIxxxxQ", crn, crm, op0, op1, op2, value)


class AArch64(Family):
    """AArch64; `svc` with any immediate traps, and the PC in the hook is behind it."""

    arch = 2
    mode = 0
    model = _MODEL_MAX
    page_size = 4096
    syscall = 2
    registers = _REGISTERS
    settable = {"pstate": 0xF000_0000}  # noqa: RUF012
    pc = "pc"
    tls = "tpidr_el0"

    def prepare(self) -> None:
        self.engine.mend(mend_signed_choices)
        self.engine.write(_CPACR_EL1, _FLOAT_ON)
        self.engine.write(_REGISTERS["pstate"], 0)
        # Writing a system register is also what makes Unicorn look at PSTATE and CPACR again.
        self.engine.write_structure(_CP_REG, _system_register(3, 0, 14, 1, 0, _CNTKCTL_EL0VCTEN))
        self.engine.write_structure(_CP_REG, _system_register(3, 0, 1, 0, 0, _SCTLR_EL1))

    def linked_load(self) -> tuple[str, bytes]:
        return "x0", bytes.fromhex("017c5f88 000080d2 000020d4")  # ldxr w1, [x0]; mov x0, #0; brk #0

    def exception(self, number: int, pc: int) -> Event:
        return Event(_EXCEPTIONS.get(number, "illegal"), number, pc)
