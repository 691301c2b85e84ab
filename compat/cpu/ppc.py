"""PowerPC in problem state: 32 bits, and 64 bits in both byte orders.

The 32-bit model is a 7457A (AltiVec). For 64 bits Unicorn can only be given its default model, a POWER10 that
knows ISA 2.07 and most of 3.0; offer POWER8's capabilities. MSR.LE makes it little-endian, which the mode
constant cannot. The time base is read here; a few instructions are exchanged for others (`ppc_exchange`). DCBZ
clears 32 bytes (32-bit) or 128 (64-bit).

XER's carry and overflow bits, the vector registers, VSCR and VRSAVE have no Unicorn register: they are read and set
in a saved context (`ppc_context`).
"""

from __future__ import annotations

import struct
import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from compat.cpu.engine import Engine
from compat.cpu.family import OWN_PAGE, Event, Family, Supervisor, Wrong, numbered
from compat.cpu.ppc_context import PROBE_VRSAVE, PROBE_VSCR, PROBE_XER, ContextFields, probe_vector
from compat.cpu.ppc_exchange import SUSPICIOUS_BIG, SUSPICIOUS_LITTLE, exchanged, time_read
from compat.cpu.ppc_scalar import computed, operation
from compat.cpu.registers import Register

__all__ = ["Ppc", "Ppc64", "Ppc64Le"]

_MODEL_7457A = 289
_MSR_ID = 77
_LE, _DR, _IR, _FE1, _FE0, _FP, _PR, _EE, _VSX, _VEC, _SF = (1 << n for n in (0, 4, 5, 8, 11, 13, 14, 15, 23, 25, 63))
_ALWAYS = _PR | _FP | _IR | _DR | _EE | _VEC | _FE0 | _FE1


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


_PROGRAM, _ILLEGAL = 6, (6, 96)
# POWERPC_EXCP_* of QEMU's target/ppc/cpu.h.
_EXCEPTIONS = {5: "alignment", 15: "trap", 68: "trap"}
_FPSCR_FEX = 1 << 30

_TRAP, _BRANCH = 0x7FE00008, 0x48000004
_MTXER, _MTVRSAVE, _LWZ, _ADDI_R4, _MTVSCR = 0x7C6103A6, 0x7C6043A6, 0x80640000, 0x38840000, 0x10000644
_LVX, _LXVD2X = 0x7C0020CE, 0x7C002698


class _PowerPC(Family):
    """`sc` traps, and the PC in the hook is 4 behind it."""

    arch = 5
    syscall = 8
    pc = "pc"
    msr: ClassVar[int]
    order: ClassVar[str] = ">"
    suspicious = SUSPICIOUS_BIG
    vectors: ClassVar[int]
    vector_names: ClassVar[Sequence[str]]
    load_vector: ClassVar[int]
    last_vector: ClassVar[int]

    def __init__(self, engine: Engine, supervisor: Supervisor) -> None:
        super().__init__(engine, supervisor)
        self._context: object = None
        self._fields: ContextFields

    def prepare(self) -> None:
        size = self.registers["pc"].size
        self.engine.write(Register(_MSR_ID, size), self.msr | _ALWAYS)
        self._fields = self._find_fields()

    def made(self, code: bytes) -> Wrong | None:
        return exchanged(code, self.order)

    def linked_load(self) -> tuple[str, bytes]:
        return "r3", struct.pack(f"{self.order}3I", 0x7C801828, 0x38600000, _TRAP)  # lwarx 4, 0, 3; li 3, 0; trap

    def exception(self, number: int, pc: int) -> Event | None:
        # Unicorn adds 4 to the PC for every exception, not only for SC.
        pc -= 4
        if number in _ILLEGAL and (self._read_time(pc) or self._compute(pc)):
            return None
        self.engine.write(self.registers["pc"], pc)
        name = self._program(pc) if number == _PROGRAM else _EXCEPTIONS.get(number, "illegal")
        return Event(name, number, pc)

    def _read_time(self, pc: int) -> bool:
        read = time_read(self._word(pc), time.monotonic_ns(), 8 * self.registers["pc"].size)
        if read is None:
            return False
        target, value = read
        self.engine.write(self.registers[f"r{target}"], value)
        return True

    def _compute(self, pc: int) -> bool:
        found = operation(self._word(pc))
        if found is None or not self.msr & _VSX:
            return False
        first, second = (self._scalar(number) for number in (found.first, found.second))
        result = computed(found.name, first, second, self.engine.read(self.registers["fpscr"]))
        self.engine.write(self.registers["fpscr"], result.fpscr)
        if found.name in ("ordered", "unordered"):
            shift = 28 - 4 * found.target
            conditions = self.engine.read(self.registers["cr"]) & ~(15 << shift)
            self.engine.write(self.registers["cr"], conditions | result.value << shift)
        elif found.target < 32:
            self.engine.write(self.registers[f"f{found.target}"], result.value)
        else:
            self.write_more({f"vs{found.target}": result.value << 64})
        return True

    def _scalar(self, number: int) -> int:
        """The high half of a VSX register."""
        if number < 32:
            return self.engine.read(self.registers[f"f{number}"])
        return self.read_more()[f"vs{number}"] >> 64

    def _word(self, pc: int) -> int:
        code = self.supervisor.code(pc, 4)
        return int(struct.unpack(self.order + "I", code)[0]) if len(code) == 4 else 0

    def _program(self, pc: int) -> str:
        """Which program exception: a trap instruction, an IEEE exception, or a privileged instruction."""
        word = self._word(pc)
        primary, extended = word >> 26, word >> 1 & 0x3FF
        if primary in (2, 3) or (primary == 31 and extended in (4, 68)):
            return "trap"
        if primary in (59, 60, 63) and self.engine.read(self.registers["fpscr"]) & _FPSCR_FEX:
            return "float"
        return "privileged"

    def read_more(self) -> dict[str, int]:
        """Return xer, vrsave, vscr, the machine state, and the vector registers under `vector_names`."""
        return {"msr": self.msr | _ALWAYS, **self._fields.read(self._saved())}

    def write_more(self, values: Mapping[str, int]) -> None:
        """Set what `read_more` returned, or some of it; the machine state is not a user program's to set."""
        self._fields.write(self._saved(), values)
        self.engine.restore_context(self._context)

    def _saved(self) -> Any:
        self._context = self.engine.save_context(self._context)
        return self.engine.context_words(self._context).cast("B")

    def _find_fields(self) -> ContextFields:
        """Learn where contexts keep the rest; not inside a hook, where no other code can be run."""
        before, probes = self.engine.save_context(), []
        for vscr in PROBE_VSCR:
            self._load(PROBE_XER, PROBE_VRSAVE, [*map(probe_vector, range(self.vectors)), vscr])
            self.engine.write(self.registers["r3"], 0)  # else VRSAVE would be there too
            probes.append(bytes(self._saved()))
        self.engine.restore_context(before)
        return ContextFields(probes, self.vector_names, self.registers["pc"].size)

    def _load(self, xer: int, vrsave: int, vectors: Sequence[int]) -> None:
        """Set the state with instructions; *vectors* ends with VSCR. r4 walks over frame 0's data, r3 is used too."""
        halves = [half for value in vectors for half in (value >> 64, value & (1 << 64) - 1)]
        struct.pack_into(f"{self.order}II8x{len(halves)}Q", self.supervisor.own_page, 0, xer, vrsave, *halves)
        # Unicorn tells of no new block before the first has been run to its end: here, by a branch.
        code = [_BRANCH, 0x3C800000 | OWN_PAGE >> 16, 0x60840000 | OWN_PAGE & 0xFFFF, _LWZ, _MTXER, _LWZ | 4, _MTVRSAVE]
        last = self._vector(self.load_vector, self.last_vector)
        code += [_ADDI_R4 | 16 + 16 * self.vectors, last, _MTVSCR, _ADDI_R4 | -16 * self.vectors & 0xFFFF]
        for i in range(self.vectors):
            code += [self._vector(self.load_vector, i), _ADDI_R4 | 16]
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
    vectors, last_vector = 32, 0
    vector_names = tuple(f"vr{i}" for i in range(32))
    load_vector = _LVX


class Ppc64(_PowerPC):
    """Big-endian 64-bit PowerPC; the thread pointer is r13. f0 to f31 are the high halves of vs0 to vs31."""

    mode = 1 << 3 | 1 << 30
    registers = _registers(8)
    tls = "r13"
    msr = _SF | _VSX
    vectors, last_vector = 64, 32
    vector_names = (*(f"f_low{i}" for i in range(32)), *(f"vs{i}" for i in range(32, 64)))
    load_vector = _LXVD2X


class Ppc64Le(Ppc64):
    """Little-endian 64-bit PowerPC."""

    msr = _SF | _VSX | _LE
    order = "<"
    suspicious = SUSPICIOUS_LITTLE
