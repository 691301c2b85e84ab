"""ARM and Thumb in USR mode, with VFPv4 and NEON.

The PC register never shows bit 0; Thumb is bit 5 of CPSR, and whoever sets a PC for `Machine.run` says Thumb
by bit 0. The IT state is in CPSR too, so a fault inside an IT block goes on rightly. TPIDRURO is what
`set_tls` sets; user code also reads it through the kernel helper page at 0xffff0fe0, which is the caller's to
map, as are the other helpers and the vectors page: code built for ARMv7 calls none of them.

Unicorn takes YIELD and WFE for illegal instructions. They are told from those by the syndrome of the last exception,
which an illegal instruction sets and a hint leaves alone.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from compat.cpu.family import Event, Family, numbered
from compat.cpu.registers import Register

__all__ = ["Arm"]

_CORTEX_A15 = 17

_REGISTERS = {
    **numbered("r", 13, 66, 4),
    "sp": Register(12, 4),
    "lr": Register(10, 4),
    "pc": Register(11, 4),
    "cpsr": Register(3, 4),
    **numbered("d", 32, 14, 8),
    "fpscr": Register(6, 4),
    "tpidruro": Register(113, 4),
}

_CPACR, _FPEXC = Register(111, 4), Register(4, 4)
_FLOAT_ON, _FPEXC_EN = 0xF << 20, 1 << 30
_USER_MODE, _THUMB, _IT = 0x10, 0x20, 0x0600_FC00

_SYNDROME = Register(140, 4)
_NONE, _SVC, _ABORT, _BREAKPOINT = 0, 0x11, 0x24, 0x38
"""Exception classes (Arm ARM G8.2.67, HSR.EC) that leave the syndrome behind and are no illegal instructions. A page
looked up leaves one of no class, that describes the access."""
_UNKNOWN_REASON = 0x0200_0000
"""The syndrome of an illegal instruction: of no class too."""
_CP_REG = 139
_CNTKCTL = struct.pack("=IIIIIIIxxxxQ", 15, 0, 0, 14, 1, 0, 0, 2)
"""CNTKCTL.PL0VCTEN: programs may read CNTVCT and CNTFRQ (arch_timer_evtstrm, drivers/clocksource/arm_arch_timer.c)."""

_EXCEPTIONS = {1: "illegal", 3: "alignment", 4: "alignment", 7: "breakpoint"}


class Arm(Family):
    """ARM; `svc` in both instruction sets traps, and the PC in the hook is behind it (4 or 2 bytes)."""

    arch = 1
    mode = 0
    model = _CORTEX_A15
    page_size = 4096
    syscall = 2
    registers = _REGISTERS
    # N Z C V Q, the IT bits, GE, E and T: all but the mode and the interrupt masks.
    settable = {"cpsr": 0xFE0FFE20}  # noqa: RUF012
    pc = "pc"
    tls = "tpidruro"

    def prepare(self) -> None:
        self.engine.write(_CPACR, _FLOAT_ON)
        self.engine.write(_FPEXC, _FPEXC_EN)
        self.engine.write_structure(_CP_REG, _CNTKCTL)
        self.engine.write(_REGISTERS["cpsr"], _USER_MODE)

    def hook(self, on_syscall: Callable[[], None], on_exception: Callable[[int], None]) -> None:
        super().hook(on_syscall, on_exception)
        self.engine.on_invalid(self._is_hint)

    def _is_hint(self) -> bool:
        syndrome = self.engine.read(_SYNDROME)
        return syndrome != _UNKNOWN_REASON and syndrome >> 26 in (_NONE, _SVC, _ABORT, _BREAKPOINT)

    def invalid(self, pc: int) -> Event | None:
        self.engine.write(_SYNDROME, 0)
        return super().invalid(pc)

    def exception(self, number: int, pc: int) -> Event:
        return Event(_EXCEPTIONS.get(number, "illegal"), number, pc)

    def linked_load(self) -> tuple[str, bytes]:
        return "r0", bytes.fromhex("9f1f90e1 0000a0e3 700020e1")  # ldrex r1, [r0]; mov r0, #0; bkpt

    def filled(self) -> None:
        """Looking a page up makes Unicorn write the IT bits of the instruction into the CPU's state, where they stay
        when the access succeeds: translated code keeps none there, and the next block would begin as conditional."""
        cpsr = self.engine.read(_REGISTERS["cpsr"])
        if cpsr & _IT:
            self.engine.write(_REGISTERS["cpsr"], cpsr & ~_IT)

    def resume_address(self) -> int:
        thumb = self.engine.read(_REGISTERS["cpsr"]) & _THUMB
        return self.engine.read(_REGISTERS["pc"]) | bool(thumb)

    def pc_to_write(self, value: int) -> int:
        """Unicorn takes the Thumb state from bit 0 of a PC that is written."""
        thumb = self.engine.read(_REGISTERS["cpsr"]) & _THUMB
        return value & ~1 | bool(thumb)

    def stop_between_blocks(self) -> bool:
        return super().stop_between_blocks() and self.engine.stop_between_blocks_in_thumb()

    def syscall_number(self) -> int | None:
        """The 24-bit immediate of an ARM `swi`, the OABI's way; 0 for the EABI and for Thumb."""
        if self.engine.read(_REGISTERS["cpsr"]) & _THUMB:
            return 0
        code = self.supervisor.code(self.engine.read(_REGISTERS["pc"]) - 4, 4)
        return int.from_bytes(code, "little") & 0xFFFFFF
