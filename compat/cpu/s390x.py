"""s390x (z/Architecture, 64 bits)."""

from __future__ import annotations

from compat.cpu.engine import Engine, Register
from compat.cpu.family import ExceptionInfo, Family, Supervisor, numbered

__all__ = ["S390X"]

_REGISTERS = {
    **numbered("r", 16, 1, 8),
    "pc": Register(65, 8),
    "pswm": Register(66, 8),
    **numbered("a", 16, 49, 4),
    **numbered("f", 32, 17, 8),
    **numbered("f_low", 32, 67, 8),
    "fpc": Register(99, 4),
}

_CR0 = Register(100, 8)
_AFP, _VECTOR = 1 << 18, 1 << 17
_PROBLEM_STATE = 1 << 48
_64_BIT = 3 << 31
_MAX = 37


class S390X(Family):
    arch = 9
    mode = 1 << 30
    model = _MAX
    syscall = 2
    registers = _REGISTERS
    pc = "pc"
    tls = "a0"

    def prepare(self, engine: Engine, supervisor: Supervisor) -> None:
        engine.write(_CR0, _AFP | _VECTOR)
        engine.write(_REGISTERS["pswm"], _PROBLEM_STATE | _64_BIT)

    def set_tls(self, engine: Engine, value: int) -> None:
        engine.write(_REGISTERS["a0"], value >> 32)
        engine.write(_REGISTERS["a1"], value)

    def exception(self, engine: Engine, number: int, pc: int) -> ExceptionInfo:
        return "illegal", pc
