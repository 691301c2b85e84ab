"""x86 and x86-64 at CPL 3.

User mode is entered by running SYSRET once: writing CS through Unicorn does not change the privilege level.
Frame 0 holds the descriptor table (GDT), which the CPU reads when the guest loads a segment register; it is
seen, read-only, at `own_address`. IN and OUT are not refused at CPL 3 as they should be: they read 0 and do
nothing. RDTSC, CPUID and XGETBV work; CPUID offers nothing that Unicorn lacks (no AVX).

Wrong, and not set right here: SSE arithmetic never sets the exception flags of MXCSR, the x87 not all of its own;
FSIN and its like compute in double precision; MOVAPS and its like do not mind a misaligned address.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from typing import ClassVar

from compat.cpu.engine import Engine
from compat.cpu.family import Event, Family, Supervisor, Wrong, numbered
from compat.cpu.registers import Register
from compat.cpu.x86_exchange import SUSPICIOUS, exchanged
from compat.cpu.x86_horizontal import added, same_register
from compat.cpu.x86_remainder import REMAINDERS, remainder
from compat.cpu.x86_vex import POSSIBLE_VEX, first_vector_instruction

__all__ = ["X86", "X8664", "user_descriptor"]

_SYSCALL_INSTRUCTION = 699
_GDTR, _MSR = 243, 248
_MSR_EFER, _MSR_STAR, _EFER_SCE = 0xC0000080, 0xC0000081, 1
_CR0, _CR0_NE = Register(50, 8), 1 << 5
"""NE: an x87 exception that is not masked is raised by the next instruction that waits for it."""
_CR4 = Register(54, 8)
_CR4_BITS = 1 << 9 | 1 << 10 | 1 << 16 | 1 << 18
"""OSFXSR, OSXMMEXCPT, FSGSBASE, OSXSAVE."""

_BROADWELL = 20
"""Its CPUID, cut to what Unicorn has: x86-64-v2, AES, BMI, ADX, RDRAND, XSAVE; no AVX, MPX, RTM."""

# mov eax,3; xor edx,edx; xor ecx,ecx; xsetbv; mov ecx,OUTSIDE: XSAVE keeps the x87 and SSE states.
_ENABLE_XSAVE = bytes.fromhex("b803000000 31d2 31c9 0f01d1 b9147a3e5b")

# Intel SDM volume 3A, table 6-1.
_EXCEPTIONS = {
    0: "divide",
    1: "trap",
    3: "breakpoint",
    4: "overflow",
    5: "bounds",
    16: "float",
    17: "alignment",
    19: "float",
}
_DIVIDE, _DOUBLE_FAULT, _PROTECTION = 0, 8, 13
_REMEMBERED = frozenset((0, 8, 10, 11, 12, 13))

# The floating-point status holds the stack's top, so it must be set before the stack registers, which count
# from it.
_FLOAT = {
    "fpcw": Register(246, 2),
    "fpsw": Register(31, 2),
    "fptag": Register(247, 2),
    **numbered("st", 8, 114, 10),
    "fip": Register(254, 8),
    "fdp": Register(256, 8),
    "fop": Register(258, 2),
    "mxcsr": Register(249, 4),
}
_CONDITIONS, _FLOAT_INVALID, _FLOAT_PENDING = 0x4700, 1, 0x8080
"""Of the floating-point status: C0 to C3; IE, at the place of its mask in the control word; ES and B."""
_SELECTORS = {
    name: Register(identity, 2)
    for name, identity in {"cs": 11, "ss": 49, "ds": 17, "es": 28, "fs": 32, "gs": 33}.items()
}
_USER_FLAGS = 0x240DD5
"""CF PF AF ZF SF TF DF OF NT AC ID; Linux' FIX_EFLAGS (arch/x86/include/asm/sighandling.h) and NT, ID."""

_STRING_COMPARE = rb"\x0f\x3a[\x60\x61]"
"""A pattern that PCMPESTRI and PCMPESTRM match, and few others."""

_GDT_ENTRIES = 16
_CODE_32, _DATA, _CODE_64 = 4, 5, 6
_TLS_ENTRIES = range(12, 15)
"""Where set_thread_area puts descriptors, as on a 64-bit Linux kernel: selectors 0x63, 0x6b, 0x73."""


def _flat(*, code: bool, long: bool = False) -> int:
    """A flat ring-3 segment (SDM 3A 3.4.5), already accessed, so that loading it writes nothing."""
    access = 0xFB if code else 0xF3
    flags = 0xA if long else 0xC
    return 0xFFFF | access << 40 | 0xF << 48 | flags << 52


def user_descriptor(base: int, limit: int, flags: int) -> int:
    """Return the 8-byte descriptor for a Linux `struct user_desc`; 0 for an empty one.

    The layout is that of fill_ldt in arch/x86/include/asm/desc.h; *flags* is the bit field, from bit 0 on:
    seg_32bit, contents (2 bits), read_exec_only, limit_in_pages, seg_not_present, useable, lm.
    """
    read_only, not_present = flags >> 3 & 1, flags >> 5 & 1
    if base == limit == 0 and flags & 0x7F == 0x28:
        return 0
    kind = (read_only ^ 1) << 1 | (flags >> 1 & 3) << 2 | 1
    access = kind | 1 << 4 | 3 << 5 | (not_present ^ 1) << 7
    high = flags >> 6 & 1 | (flags & 1) << 2 | (flags >> 4 & 1) << 3
    low_part = limit & 0xFFFF | (base & 0xFFFFFF) << 16 | access << 40
    return low_part | (limit >> 16 & 0xF) << 48 | high << 52 | (base >> 24 & 0xFF) << 56


class _Intel(Family):
    arch = 4
    model = _BROADWELL
    syscall = 0x80
    suspicious = re.compile(b"|".join((POSSIBLE_VEX, SUSPICIOUS, _STRING_COMPARE)), re.DOTALL)
    endings = (6,)
    star: ClassVar[int]
    sysret: ClassVar[bytes]
    long: ClassVar[bool]
    rex: ClassVar[bytes] = b""

    def __init__(self, engine: Engine, supervisor: Supervisor) -> None:
        super().__init__(engine, supervisor)
        self._all = engine.wide_batch(list(self.registers.values()))
        self._fresh: object = None

    def hook(self, on_syscall: Callable[[], None], on_exception: Callable[[int], None]) -> None:
        super().hook(on_syscall, on_exception)
        self.engine.on_instruction(_SYSCALL_INSTRUCTION, on_syscall)

    def prepare(self) -> None:
        engine = self.engine
        # Linux' selectors: 0x23 and 0x33 code (32 and 64 bits), 0x2b data.
        table = {_CODE_32: _flat(code=True), _DATA: _flat(code=False), _CODE_64: _flat(code=True, long=True)}
        for index, descriptor in table.items():
            self.set_descriptor(index, descriptor)
        assert self.own_address is not None
        engine.write_structure(_GDTR, struct.pack("=HxxxxxxQII", 0, self.own_address, _GDT_ENTRIES * 8 - 1, 0))
        for msr, value in ((_MSR_EFER, _EFER_SCE), (_MSR_STAR, self.star << 48)):
            engine.write_structure(_MSR, struct.pack("=IxxxxQ", msr, value))
        engine.write(_CR0, engine.read(_CR0) | _CR0_NE)
        engine.write(_CR4, _CR4_BITS)
        self.supervisor.run_own(_ENABLE_XSAVE + self.sysret)
        for name in ("eax", "ecx"):
            engine.write(self.registers.get(name, self.registers.get(name.replace("e", "r", 1), _CR4)), 0)
        for name, value in (("fpcw", 0x37F), ("fptag", 0xFFFF), ("mxcsr", 0x1F80)):
            engine.write(_FLOAT[name], value)
        self._fresh = engine.save_context()

    def exception(self, number: int, pc: int) -> Event:
        if number in _EXCEPTIONS:
            length = 1 if number in (3, 4) else 0
            return Event(_EXCEPTIONS[number], number, pc - length)
        if number > 31 or self._is_int(number, pc):
            self.engine.write(self.registers[self.pc], pc - 2)
            return Event("privileged", _PROTECTION, pc - 2)
        if number == _DOUBLE_FAULT:
            number = _DIVIDE if self._divides(pc) else _PROTECTION
        return Event(_EXCEPTIONS.get(number, "privileged"), number, pc)

    def settle(self, event: Event | None) -> None:
        """Make the CPU forget the exception: a second one would else be a double fault, a third the end.

        Nothing resets QEMU's `old_exception` when no handler of the guest's is entered, but a context has it.
        """
        if event is not None and event.number in _REMEMBERED:
            values = self._all.read()
            self.engine.restore_context(self._fresh)
            self._all.write(values)

    def made(self, code: bytes) -> Wrong | None:
        if re.search(_STRING_COMPARE, code):
            from compat.cpu.x86_string_compare import mend_string_compare

            self.engine.mend(mend_string_compare)
        found = first_vector_instruction(code, self.long)
        return exchanged(code, self.long) if found is None else Wrong(*found)

    def invalid(self, pc: int) -> Event | None:
        code = self.supervisor.code(pc, 6)
        if (nearest := REMAINDERS.get(code[:2])) is not None:
            self._remainder(nearest)
            length = 2
        elif (horizontal := same_register(code)) is not None:
            opcode, number = horizontal
            register = self.registers[f"xmm{number}"]
            self.engine.write(register, added(opcode, self.engine.read(register)))
            length = 6 if code[1] & 0xF0 == 0x40 else 5
        else:
            return super().invalid(pc)
        self.engine.write(self.registers[self.pc], pc + length)
        return None

    def _remainder(self, nearest: bool) -> None:
        done = remainder(self.engine.read(_FLOAT["st0"]), self.engine.read(_FLOAT["st1"]), nearest=nearest)
        status = self.engine.read(_FLOAT["fpsw"]) & ~_CONDITIONS | done.status
        masked = self.engine.read(_FLOAT["fpcw"]) & done.status & _FLOAT_INVALID == done.status & _FLOAT_INVALID
        self.engine.write(_FLOAT["fpsw"], status if masked else status | _FLOAT_PENDING)
        if masked:
            self.engine.write(_FLOAT["st0"], done.value)

    def _is_int(self, number: int, pc: int) -> bool:
        """Whether `int number` is before *pc*: the CPU does not tell it from the exception."""
        return self.supervisor.code(pc - 2, 2) == bytes((0xCD, number))

    def _divides(self, pc: int) -> bool:
        """Whether DIV or IDIV (F6, F7 /6, /7) is at *pc*, behind any prefixes."""
        code = self.supervisor.code(pc, 15).lstrip(b"\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3" + self.rex)
        return code[:1] in (b"\xf6", b"\xf7") and code[1] >> 3 & 7 >= 6

    def set_descriptor(self, index: int, descriptor: int) -> None:
        """Put an 8-byte descriptor into the table; the guest's next load of its selector sees it."""
        struct.pack_into("<Q", self.supervisor.own_page, index * 8, descriptor)

    def descriptor(self, index: int) -> int:
        """Return the descriptor that is in the table."""
        return int(struct.unpack_from("<Q", self.supervisor.own_page, index * 8)[0])


class X86(_Intel):
    """x86; `int 0x80` traps, and the PC in the hook is 2 behind it. TLS is by descriptors 12 to 14."""

    mode = 1 << 2
    long = False
    own_address = 0xFFFFF000
    star = 0x20
    sysret = b"\x0f\x07"
    registers = {  # noqa: RUF012
        **{
            name: Register(identity, 4)
            for name, identity in {
                "eax": 19, "ebx": 21, "ecx": 22, "edx": 24, "esi": 29, "edi": 23, "ebp": 20, "esp": 30,
                "eip": 26, "eflags": 25,
            }.items()
        },
        **_FLOAT,
        **numbered("xmm", 8, 122, 16),
        **_SELECTORS,
    }  # fmt: skip
    settable = {"eflags": _USER_FLAGS, "cs": 0, "ss": 0}  # noqa: RUF012
    pc = "eip"
    tls = "gs"

    def prepare(self) -> None:
        super().prepare()
        for name in ("ds", "es"):
            self.engine.write(_SELECTORS[name], 0x2B)
        self._fresh = self.engine.save_context()

    def set_tls(self, value: int) -> None:
        """Put a flat segment at *value* into the first TLS descriptor and load GS with it."""
        self.set_descriptor(_TLS_ENTRIES[0], user_descriptor(value, 0xFFFFF, 0b1010001))
        self.engine.write(_SELECTORS["gs"], _TLS_ENTRIES[0] << 3 | 3)

    def read_tables(self) -> dict[str, int]:
        return {f"gdt{index}": self.descriptor(index) for index in _TLS_ENTRIES}

    def write_tables(self, values: Mapping[str, int]) -> None:
        for index in _TLS_ENTRIES:
            if (descriptor := values.get(f"gdt{index}")) is not None:
                self.set_descriptor(index, descriptor)

    read_more = read_tables
    write_more = write_tables


class X8664(_Intel):
    """x86-64; in the hook the PC is AT a `syscall`, but 2 behind an `int 0x80`; after the hook behind both.

    Neither changes RCX or R11, which the real `syscall` overwrites.
    """

    mode = 1 << 3
    long = True
    own_address = 0xFFFFFE0000001000
    star = 0x23
    sysret = b"\x48\x0f\x07"
    rex = bytes(range(0x40, 0x50))
    registers = {  # noqa: RUF012
        **{
            name: Register(identity, 8)
            for name, identity in {
                "rax": 35, "rbx": 37, "rcx": 38, "rdx": 40, "rsi": 43, "rdi": 39, "rbp": 36, "rsp": 44,
                "r8": 106, "r9": 107, "r10": 108, "r11": 109, "r12": 110, "r13": 111, "r14": 112, "r15": 113,
                "rip": 41, "rflags": 253,
            }.items()
        },
        **_FLOAT,
        **numbered("xmm", 16, 122, 16),
        **_SELECTORS,
        "fs_base": Register(250, 8),
        "gs_base": Register(251, 8),
    }  # fmt: skip
    settable = {"rflags": _USER_FLAGS, "cs": 0, "ss": 0}  # noqa: RUF012
    pc = "rip"
    tls = "fs_base"
