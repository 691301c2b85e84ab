"""MIPS, 32 and 64 bits, both byte orders."""

from __future__ import annotations

from compat.cpu.engine import Engine, Register
from compat.cpu.family import ExceptionInfo, Family, Supervisor, numbered

__all__ = ["Mips", "Mips64", "Mips64El", "MipsEl"]

_74KF, _MIPS64R2 = 10, 5
_BIG = 1 << 30


def _registers(size: int) -> dict[str, Register]:
    return {
        **numbered("r", 31, 3, size, start=1),
        "pc": Register(1, size),
        "hi": Register(129, size),
        "lo": Register(130, size),
        **numbered("f", 32, 57, 8),
        "fcsr": Register(141, 4),
        "userlocal": Register(138, size),
    }


_STATUS = 139
_CU1, _FR, _PX, _UX, _USER = 1 << 29, 1 << 26, 1 << 23, 1 << 5, 2 << 3


class _Mips(Family):
    arch = 3
    syscall = 17
    pc = "pc"
    tls = "userlocal"
    status = _CU1 | _USER

    def prepare(self, engine: Engine, supervisor: Supervisor) -> None:
        # HWREna: all of rdhwr's registers; written by mtc0 in kernel mode, since Unicorn has no number for it.
        lui, ori, mtc0 = 0x3C08E000, 0x3508000F, 0x40883800
        jump = (0x3C085B3E, 0x01000008, 0)
        order = "big" if self.mode & _BIG else "little"
        supervisor.run_own(b"".join(word.to_bytes(4, order) for word in (lui, ori, mtc0, *jump)))
        engine.write(Register(_STATUS, self.registers["pc"].size), self.status)

    def exception(self, engine: Engine, number: int, pc: int) -> ExceptionInfo:
        return "illegal", pc


class Mips(_Mips):
    mode = 1 << 2 | _BIG
    model = _74KF
    registers = _registers(4)


class MipsEl(Mips):
    mode = 1 << 2


class Mips64(_Mips):
    mode = 1 << 3 | _BIG
    model = _MIPS64R2
    registers = _registers(8)
    status = _CU1 | _FR | _PX | _UX | _USER


class Mips64El(Mips64):
    mode = 1 << 3
