"""RISC-V (RV64IMAFDC) in U-mode.

Unicorn has no `rdtime`; it is done here. It adds 4 to the PC for every exception, and reports EBREAK by
itself, PC exact.
"""

from __future__ import annotations

import time

from compat.cpu.family import Event, Family, numbered
from compat.cpu.registers import Register

__all__ = ["RiscV64"]

_REGISTERS = {
    **numbered("x", 31, 2, 8, start=1),
    "pc": Register(190, 8),
    **numbered("f", 32, 158, 8),
    "fcsr": Register(43, 8),
}

_MODEL_ANY = 0
_MSTATUS, _MCOUNTEREN, _SCOUNTEREN, _PRIV = (Register(identity, 8) for identity in (116, 122, 138, 191))
_FLOAT_ON = 3 << 13
_ALL_COUNTERS = 7

_ILLEGAL = 2
# mcause of the privileged specification, table "Machine cause register values".
_EXCEPTIONS = {0: "alignment", _ILLEGAL: "illegal", 3: "breakpoint", 4: "alignment", 6: "alignment"}

_RDTIME, _RDTIME_MASK = 0xC0102073, 0xFFFFF07F
_NANOSECONDS_PER_TICK = 100
"""A time base of 10 MHz, as QEMU's machines have."""


class RiscV64(Family):
    """RV64; `ecall` traps, and the PC in the hook is 4 behind it."""

    arch = 8
    mode = 1 << 3
    model = _MODEL_ANY
    syscall = 8
    registers = _REGISTERS
    pc = "pc"
    tls = "x4"

    def prepare(self) -> None:
        self.engine.write(_MSTATUS, _FLOAT_ON)
        self.engine.write(_MCOUNTEREN, _ALL_COUNTERS)
        self.engine.write(_SCOUNTEREN, _ALL_COUNTERS)
        self.engine.write(_PRIV, 0)

    def linked_load(self) -> tuple[str, bytes]:
        return "x10", bytes.fromhex("af250510 13050000 73001000")  # lr.w a1, (a0); li a0, 0; ebreak

    def exception(self, number: int, pc: int) -> Event | None:
        pc -= 4
        if number == _ILLEGAL and self._read_time(int.from_bytes(self.supervisor.code(pc, 4), "little")):
            return None
        self.engine.write(_REGISTERS["pc"], pc)
        return Event(_EXCEPTIONS.get(number, "illegal"), number, pc)

    def invalid(self, pc: int) -> Event:
        if self.supervisor.code(pc, 2) in (
            b"\x02\x90",
            b"\x73\x00",
        ):  # c.ebreak, and the first half of ebreak
            return Event("breakpoint", 3, pc)
        return Event("illegal", _ILLEGAL, pc)

    def _read_time(self, instruction: int) -> bool:
        if instruction & _RDTIME_MASK != _RDTIME:
            return False
        if target := instruction >> 7 & 31:
            self.engine.write(_REGISTERS[f"x{target}"], time.monotonic_ns() // _NANOSECONDS_PER_TICK)
        return True
