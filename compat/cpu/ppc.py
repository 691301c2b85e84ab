"""PowerPC, 32 and 64 bits, both byte orders of the latter."""

from __future__ import annotations

from compat.cpu.engine import Engine, Register
from compat.cpu.family import ExceptionInfo, Family, Supervisor, numbered

__all__ = ["Ppc", "Ppc64", "Ppc64Le"]

_MPC7457A = 289


def _registers(size: int) -> dict[str, Register]:
    return {
        **numbered("r", 32, 2, size),
        "pc": Register(1, size),
        "lr": Register(74, size),
        "ctr": Register(76, size),
        "xer": Register(75, 4),
        "cr": Register(79, 4),
        **numbered("f", 32, 42, 8),
        "fpscr": Register(78, 4),
    }


_LE, _PR, _FP, _FE0, _FE1, _IR, _DR, _EE = (1 << n for n in (0, 14, 13, 11, 8, 5, 4, 15))
_VSX, _VEC, _SF = 1 << 23, 1 << 25, 1 << 63

_EXCEPTIONS = {5: "alignment", 15: "trap", 68: "trap"}


class _PowerPC(Family):
    arch = 5
    syscall = 8
    pc = "pc"
    msr: int

    def prepare(self, engine: Engine, supervisor: Supervisor) -> None:
        size = self.registers["pc"].size
        engine.write(Register(77, size), self.msr | _PR | _FP | _IR | _DR | _EE | _VEC | _FE0 | _FE1)

    def exception(self, engine: Engine, number: int, pc: int) -> ExceptionInfo:
        # Unicorn adds 4 to the PC for every exception, not only for SC.
        return _EXCEPTIONS.get(number, "illegal"), pc - 4


class Ppc(_PowerPC):
    mode = 1 << 2 | 1 << 30
    model = _MPC7457A
    registers = _registers(4)
    tls = "r2"
    msr = 0


class Ppc64(_PowerPC):
    mode = 1 << 3 | 1 << 30
    registers = _registers(8)
    tls = "r13"
    msr = _SF | _VSX


class Ppc64Le(Ppc64):
    msr = _SF | _VSX | _LE
