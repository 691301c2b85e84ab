"""RISC-V (RV64IMAFDC): registers and user mode."""

from __future__ import annotations

from compat.cpu.engine import Engine, Register
from compat.cpu.family import ExceptionInfo, Family, Supervisor, numbered

__all__ = ["RiscV64"]

_REGISTERS = {
    **numbered("x", 31, 2, 8, start=1),
    "pc": Register(190, 8),
    **numbered("f", 32, 158, 8),
    "fcsr": Register(43, 8),
}

_MSTATUS, _MCOUNTEREN, _SCOUNTEREN, _PRIV = (Register(identity, 8) for identity in (116, 122, 138, 191))
_FLOAT_ON = 3 << 13
_ALL_COUNTERS = 7

# mcause numbers of the privileged specification, table "Machine cause register values".
_EXCEPTIONS = {0: "alignment", 2: "illegal", 3: "breakpoint", 4: "alignment", 6: "alignment"}


class RiscV64(Family):
    """RV64 in U-mode. `rdtime` is an illegal instruction here; `rdcycle` and `rdinstret` count."""

    arch = 8
    mode = 1 << 3
    model = 0
    syscall = 8
    registers = _REGISTERS
    pc = "pc"
    tls = "x4"
    invalid_instruction = "breakpoint"

    def prepare(self, engine: Engine, supervisor: Supervisor) -> None:
        engine.write(_MSTATUS, _FLOAT_ON)
        engine.write(_MCOUNTEREN, _ALL_COUNTERS)
        engine.write(_SCOUNTEREN, _ALL_COUNTERS)
        engine.write(_PRIV, 0)

    def exception(self, engine: Engine, number: int, pc: int) -> ExceptionInfo:
        # Unicorn adds 4 to the PC for every exception, not only for ECALL.
        return _EXCEPTIONS.get(number, "illegal"), pc - 4
