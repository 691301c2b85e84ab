"""PowerPC in problem state: 32 bits, and 64 bits in both byte orders.

The 32-bit model is a 7457A (AltiVec). For 64 bits Unicorn can only be given its default model, a POWER10 that
knows ISA 2.07 and most of 3.0; offer POWER8's capabilities. MSR.LE makes it little-endian, which the mode
constant cannot. `mftb` reads 0. DCBZ clears 32 bytes (32-bit) or 128 (64-bit).

XER's carry and overflow bits, the vector registers, VSCR and VRSAVE have no Unicorn register: they are read
and set by a few instructions run from frame 0, about 0.1 ms, so only in `Machine.save` and `restore`.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import ClassVar

from compat.cpu.family import OWN_PAGE, Event, Family, numbered
from compat.cpu.registers import Register

__all__ = ["Ppc", "Ppc64", "Ppc64Le"]

_MODEL_7457A = 289
_MSR_ID = 77
_LE, _DR, _IR, _FE1, _FE0, _FP, _PR, _EE, _VSX, _VEC, _SF = (1 << n for n in (0, 4, 5, 8, 11, 13, 14, 15, 23, 25, 63))


def _registers(size: int) -> dict[str, Register]:
    return {
        **numbered("r", 32, 2, size),
        "pc": Register(1, size),
        "lr": Register(74, size),
        "ctr": Register(76, size),
        "cr": Register(79, 4),
        **numbered("f", 32, 42, 8),
        "fpscr": Register(78, 4),
    }


_PROGRAM = 6
# POWERPC_EXCP_* of QEMU's target/ppc/cpu.h.
_EXCEPTIONS = {5: "alignment", 15: "trap", 68: "trap"}
_FPSCR_FEX = 1 << 30

_TRAP = 0x7FE00008
_MFXER, _MTXER, _MFVRSAVE, _MTVRSAVE = 0x7C6102A6, 0x7C6103A6, 0x7C6042A6, 0x7C6043A6
_STW, _LWZ = 0x90640000, 0x80640000
_STVX, _LVX, _STXVD2X, _LXVD2X = 0x7C0021CE, 0x7C0020CE, 0x7C002798, 0x7C002698
_MFVSCR, _MTVSCR = 0x10000604, 0x10000644
_ADDI_R4 = 0x38840000


class _PowerPC(Family):
    """`sc` traps, and the PC in the hook is 4 behind it."""

    arch = 5
    syscall = 8
    pc = "pc"
    msr: ClassVar[int]
    order: ClassVar[str] = ">"
    vectors: ClassVar[int]
    vector_name: ClassVar[str]
    store_vector: ClassVar[int]
    load_vector: ClassVar[int]
    last_vector: ClassVar[int]

    def prepare(self) -> None:
        size = self.registers["pc"].size
        always = _PR | _FP | _IR | _DR | _EE | _VEC | _FE0 | _FE1
        self.engine.write(Register(_MSR_ID, size), self.msr | always)

    def linked_load(self) -> tuple[str, bytes]:
        return "r3", struct.pack(f"{self.order}3I", 0x7C801828, 0x38600000, _TRAP)  # lwarx 4, 0, 3; li 3, 0; trap

    def exception(self, number: int, pc: int) -> Event:
        # Unicorn adds 4 to the PC for every exception, not only for SC.
        pc -= 4
        self.engine.write(self.registers["pc"], pc)
        name = self._program(pc) if number == _PROGRAM else _EXCEPTIONS.get(number, "illegal")
        return Event(name, number, pc)

    def _program(self, pc: int) -> str:
        """Which program exception: a trap instruction, an IEEE exception, or a privileged instruction."""
        code = self.supervisor.code(pc, 4)
        word = int(struct.unpack(self.order + "I", code)[0]) if len(code) == 4 else 0
        primary, extended = word >> 26, word >> 1 & 0x3FF
        if primary in (2, 3) or (primary == 31 and extended in (4, 68)):
            return "trap"
        if primary in (59, 60, 63) and self.engine.read(self.registers["fpscr"]) & _FPSCR_FEX:
            return "float"
        return "privileged"

    def read_more(self) -> dict[str, int]:
        """Return xer, vrsave, vscr and the vector registers (`vr0`… or, with their scalar halves, `vs0`…)."""
        context = self.engine.save_context()
        self._run_vectors(_MFXER, _MFVRSAVE, _STW, self.store_vector, _MFVSCR)
        self.engine.restore_context(context)
        xer, vrsave, *halves = struct.unpack_from(f"{self.order}II8x{2 * self.vectors + 2}Q", self.supervisor.own_page)
        values = [high << 64 | low for high, low in zip(halves[::2], halves[1::2], strict=True)]
        named = {f"{self.vector_name}{i}": value for i, value in enumerate(values[:-1])}
        return {"xer": xer, "vrsave": vrsave, "vscr": values[-1], **named}

    def write_more(self, values: Mapping[str, int]) -> None:
        """Set what `read_more` returned; nothing is done unless all of it is there."""
        names = [*(f"{self.vector_name}{i}" for i in range(self.vectors)), "vscr"]
        if not all(name in values for name in (*names, "xer", "vrsave")):
            return
        halves = [half for name in names for half in (values[name] >> 64, values[name] & (1 << 64) - 1)]
        struct.pack_into(
            f"{self.order}II8x{len(halves)}Q",
            self.supervisor.own_page,
            0,
            values["xer"],
            values["vrsave"],
            *halves,
        )
        batch = self.engine.wide_batch(list(self.registers.values()))
        general = batch.read()
        self._run_vectors(_LWZ, _MTXER, _MTVRSAVE, self.load_vector, _MTVSCR)
        # The floating-point registers are the high halves of vs0 to vs31: set the same again.
        batch.write([values.get(name, old) for name, old in zip(self.registers, general, strict=True)])

    def _run_vectors(self, *steps: int) -> None:
        """Run the transfer: r4 walks over frame 0's data, r3 and the last vector are intermediates."""
        saving = steps[0] == _MFXER
        move = [steps[0], steps[2], steps[1], steps[2] | 4] if saving else [steps[0], steps[1], steps[0] | 4, steps[2]]
        vector, status = steps[3], steps[4]
        code = [0x3C800000 | OWN_PAGE >> 16, 0x60840000 | OWN_PAGE & 0xFFFF, *move, _ADDI_R4 | 16]
        each = [[self._vector(vector, i), _ADDI_R4 | 16] for i in range(self.vectors)]
        last = self._vector(vector, self.last_vector)
        if saving:
            code += [*(word for pair in each for word in pair), status, last]
        else:
            code += [_ADDI_R4 | 16 * self.vectors, last, status, _ADDI_R4 | -16 * self.vectors & 0xFFFF]
            code += [word for pair in each for word in pair]
        self.supervisor.run_own(struct.pack(f"{self.order}{len(code) + 1}I", *code, _TRAP))

    @staticmethod
    def _vector(operation: int, number: int) -> int:
        return operation | (number & 31) << 21 | number >> 5


class Ppc(_PowerPC):
    """Big-endian 32-bit PowerPC; the thread pointer is r2."""

    mode = 1 << 2 | 1 << 30
    model = _MODEL_7457A
    registers = _registers(4)
    tls = "r2"
    msr = 0
    vectors, vector_name, last_vector = 32, "vr", 0
    store_vector, load_vector = _STVX, _LVX


class Ppc64(_PowerPC):
    """Big-endian 64-bit PowerPC; the thread pointer is r13."""

    mode = 1 << 3 | 1 << 30
    registers = _registers(8)
    tls = "r13"
    msr = _SF | _VSX
    vectors, vector_name, last_vector = 64, "vs", 32
    store_vector, load_vector = _STXVD2X, _LXVD2X


class Ppc64Le(Ppc64):
    """Little-endian 64-bit PowerPC."""

    msr = _SF | _VSX | _LE
    order = "<"
