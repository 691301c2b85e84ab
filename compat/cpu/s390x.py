"""s390x (z/Architecture) in problem state, with floating point and the vector facility of z13.

Unicorn does not step over SVC, nor tell which program exception it is; both are done here, the latter from
QEMU's `int_pgm_code`, found in a context. The system-call number is in the instruction:
`Machine.syscall_number`, 0 meaning r1. As the architecture has it, the PC is behind the instruction after a
program exception; `Stop.address` is the instruction. `r14`, `r15` and so on are general registers, `a0` to
`a15` access registers, `f` the left and `f_low` the right halves of the 32 vector registers.

RISBHG and RISBLG are set right by `s390x_insert`; STCK and STFLE by the guest's operating system (`s390x_clock`); the
condition code of an overflow on x86-64 hosts alone (`s390x_overflow`).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from compat.cpu.engine import Engine
from compat.cpu.family import Event, Family, Supervisor, Wrong, numbered
from compat.cpu.registers import Register
from compat.cpu.s390x_clock import CLOCK_READER, exception_name, without_clock_readers
from compat.cpu.s390x_insert import HALF_INSERT, without_half_inserts
from compat.cpu.s390x_overflow import mend_overflow

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
_FLOAT_ON, _VECTOR_ON = 1 << 18, 1 << 17
_PROBLEM_STATE, _64_BIT = 1 << 48, 3 << 31
_CONDITION, _CONDITION_ONE = 3 << 44, 1 << 44
_MODEL_MAX = 37

_SQUARE_ROOT = re.compile(rb"\xb3\x16")
"""What every SQXBR begins with."""

_SVC, _BREAKPOINT = 0x0A, b"\x00\x01"
# j 1f; .short 0; 1: .short 0. Unicorn tells of no new block before the first has been run to its end.
_OPERATION_CODE, _DIVIDE_CODE = b"\xa7\xf4\x00\x03\x00\x00\x00\x00", b"\xb9\x0d\x00\x01"

# Program interruption codes of the Principles of Operation, chapter 6; data exceptions are of IEEE
# arithmetic.
_EXCEPTIONS = {
    2: "privileged",
    3: "operand",
    6: "operand",
    7: "float",
    8: "overflow",
    9: "divide",
    10: "overflow",
    11: "divide",
    12: "float",
    13: "float",
    14: "float",
    15: "divide",
    0x1B: "float",
}


def _operation(code: bytes) -> str:
    """What an operation exception at *code* is."""
    return "breakpoint" if code == _BREAKPOINT else exception_name(code)


class S390X(Family):
    """z/Architecture; `svc` traps, and the PC in the hook is behind it."""

    arch = 9
    mode = 1 << 30
    model = _MODEL_MAX
    syscall = 2
    registers = _REGISTERS
    # The condition code, the program mask and the addressing mode.
    settable = {"pswm": 0x00003F01_80000000}  # noqa: RUF012
    endings = ()
    suspicious = re.compile(HALF_INSERT + b"|" + CLOCK_READER, re.DOTALL)
    pc = "pc"
    tls = "a0"

    def __init__(self, engine: Engine, supervisor: Supervisor) -> None:
        super().__init__(engine, supervisor)
        self._where = engine.batch([_REGISTERS["pc"]])
        self._pgm_code: int | None = None
        self._context: object = None
        self._number = 0

    def hook(self, on_syscall: Callable[[], None], on_exception: Callable[[int], None]) -> None:
        where = self._where
        code = self.supervisor.code

        def trap() -> None:
            (pc,) = where.read()
            instruction = code(pc, 2)
            length = 2
            if instruction[0] == _SVC:
                self._number = instruction[1]
            else:
                self._number, length = self._executed_svc()
            where.write((pc + length,))
            on_syscall()

        super().hook(trap, on_exception)

    def prepare(self) -> None:
        self.engine.mend(mend_overflow)
        self.engine.write(_CR0, _FLOAT_ON | _VECTOR_ON)
        self.engine.write(_REGISTERS["pswm"], _PROBLEM_STATE | _64_BIT)
        found = None
        for instruction, number in ((_OPERATION_CODE, 1), (_DIVIDE_CODE, 9)):
            self.supervisor.run_own(instruction)
            equal = {i for i, word in enumerate(self._words()) if word == number}
            found = equal if found is None else found & equal
        self._pgm_code = found.pop() if found and len(found) == 1 else None

    def _words(self) -> list[int]:
        self._context = self.engine.save_context(self._context)
        return list(self.engine.context_words(self._context))

    def _executed_svc(self) -> tuple[int, int]:
        """Number and length of a call by EX or EXRL: `int_svc_code`, `int_svc_ilen` follow `int_pgm_ilen`."""
        if self._pgm_code is None:
            return 0, 2
        words = self._words()
        return words[self._pgm_code + 2], words[self._pgm_code + 3]

    def exception(self, number: int, pc: int) -> Event:
        code, length = 1, 2
        if self._pgm_code is not None:
            words = self._words()
            code, length = words[self._pgm_code] & 0xFF, words[self._pgm_code + 1]
        self.engine.write(_REGISTERS["pc"], pc + length)
        if code == 1:
            return Event(_operation(self.supervisor.code(pc, 2)), code, pc)
        return Event(_EXCEPTIONS.get(code, "illegal"), code, pc)

    def invalid(self, pc: int) -> Event | None:
        """An illegal instruction that begins a page is seen before it is executed, without its code."""
        from compat.cpu.s390x_selected import selected_test

        code = self.supervisor.code(pc, 6)
        if (test := selected_test(code)) is not None:
            mask = self.engine.read(_REGISTERS["pswm"]) & ~_CONDITION
            values = (self.engine.read(_REGISTERS[f"r{number}"]) for number in (test.first, test.second))
            self.engine.write(_REGISTERS["pswm"], mask | (_CONDITION_ONE if test.any_bit(*values) else 0))
            self.engine.write(_REGISTERS["pc"], pc + 6)
            return None
        self.engine.write(_REGISTERS["pc"], pc + (2, 4, 4, 6)[code[0] >> 6])
        return Event(_operation(code[:2]), 1, pc)

    def fetching(self, page: int, code: memoryview) -> None:
        if _SQUARE_ROOT.search(code):
            self.changing(page)

    def changing(self, page: int) -> None:
        """The page may come to hold a square root, if it doesn't already."""
        from compat.cpu.s390x_root import mend_square_root

        self.engine.mend(mend_square_root)

    def made(self, code: bytes) -> Wrong | None:
        inserts = without_half_inserts(code)
        readers = without_clock_readers(code if inserts is None or inserts.better is None else inserts.better)
        if inserts is None or readers is None:
            return inserts or readers
        first = inserts if inserts.before < readers.before else readers
        return Wrong(first.offset, first.before, readers.better)

    def syscall_number(self) -> int:
        """The 8-bit number in the instruction; 0 means that it is in r1."""
        return self._number

    def set_tls(self, value: int) -> None:
        """Set access registers 0 and 1, high and low half."""
        self.engine.write(_REGISTERS["a0"], value >> 32)
        self.engine.write(_REGISTERS["a1"], value)
