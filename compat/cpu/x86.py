"""x86 and x86-64: registers, descriptor table, user mode.

User mode (CPL 3) is entered by running SYSRET once at CPL 0: writing CS through Unicorn does not change the privilege
level. Frame 0 holds the descriptor table (GDT), which the CPU itself reads when the guest loads a segment register.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from compat.cpu.engine import Engine, Register
from compat.cpu.family import ExceptionInfo, Family, Supervisor, numbered

__all__ = ["X86", "X8664"]

_SYSCALL_INSTRUCTION, _SYSENTER_INSTRUCTION = 699, 700
_GDTR, _MSR = 243, 248
_MSR_EFER, _MSR_STAR = 0xC0000080, 0xC0000081
_NEHALEM = 15

_EXCEPTIONS = {
    0: "divide",
    1: "trap",
    3: "breakpoint",
    4: "overflow",
    5: "bounds",
    6: "illegal",
    7: "illegal",
    11: "privileged",
    12: "privileged",
    13: "privileged",
    16: "float",
    17: "alignment",
    19: "float",
}

_COMMON = {
    **numbered("xmm", 8, 122, 16),
    **numbered("st", 8, 114, 10),
    "fpcw": Register(246, 2),
    "fpsw": Register(31, 2),
    "fptag": Register(247, 2),
    "fip": Register(254, 8),
    "fdp": Register(256, 8),
    "fop": Register(258, 2),
    "mxcsr": Register(249, 4),
    "cs": Register(11, 2),
    "ds": Register(17, 2),
    "es": Register(28, 2),
    "fs": Register(32, 2),
    "gs": Register(33, 2),
    "ss": Register(49, 2),
}

_X86_64 = {
    name: Register(identity, 8)
    for name, identity in {
        "rax": 35, "rbx": 37, "rcx": 38, "rdx": 40, "rsi": 43, "rdi": 39, "rbp": 36, "rsp": 44,
        "r8": 106, "r9": 107, "r10": 108, "r11": 109, "r12": 110, "r13": 111, "r14": 112, "r15": 113,
        "rip": 41, "rflags": 253,
    }.items()
}  # fmt: skip

_X86_32 = {
    name: Register(identity, 4)
    for name, identity in {
        "eax": 19, "ebx": 21, "ecx": 22, "edx": 24, "esi": 29, "edi": 23, "ebp": 20, "esp": 30,
        "eip": 26, "eflags": 25,
    }.items()
}  # fmt: skip

# The floating-point status holds the stack's top, so it must be set before the stack registers, which count from it.
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
_SELECTORS = {
    "cs": Register(11, 2), "ss": Register(49, 2), "ds": Register(17, 2),
    "es": Register(28, 2), "fs": Register(32, 2), "gs": Register(33, 2),
}  # fmt: skip

_CODE_OFFSET = 0x800
"""Where in frame 0 the machine runs code of its own; the descriptor table is before it."""

_GDT_ENTRIES = 16


def _descriptor(*, code: bool, long: bool = False) -> int:
    """A flat ring-3 segment, present and already accessed, so that loading it writes nothing (Intel SDM 3A 3.4.5)."""
    access = 0xFB if code else 0xF3
    flags = 0xA if long else 0xC
    return 0xFFFF | access << 40 | 0xF << 48 | flags << 52


class _Intel(Family):
    arch = 4
    model = _NEHALEM
    syscall = 0x80

    def exception(self, engine: Engine, number: int, pc: int) -> ExceptionInfo:
        return _EXCEPTIONS.get(number, "privileged"), pc

    def _enter_user_mode(self, engine: Engine, supervisor: Supervisor, star: int, code: bytes) -> None:
        assert self.own_address is not None
        engine.write_structure(_GDTR, struct.pack("=HxxxxxxQII", 0, self.own_address, _GDT_ENTRIES * 8 - 1, 0))
        for msr, value in ((_MSR_EFER, 1), (_MSR_STAR, star << 48)):
            engine.write_structure(_MSR, struct.pack("=IxxxxQ", msr, value))
        supervisor.run_own(code)
        engine.write(_FLOAT["fpcw"], 0x37F)
        engine.write(_FLOAT["fptag"], 0xFFFF)
        engine.write(_FLOAT["mxcsr"], 0x1F80)


class X8664(_Intel):
    """x86-64. Both `syscall` and `int 0x80` trap; neither changes RCX or R11."""

    mode = 1 << 3
    own_address = 0xFFFFFE0000001000
    registers = {
        **_X86_64,
        **_FLOAT,
        **numbered("xmm", 16, 122, 16),
        **_SELECTORS,
        "fs_base": Register(250, 8),
        "gs_base": Register(251, 8),
    }
    pc = "rip"
    tls = "fs_base"

    def prepare(self, engine: Engine, supervisor: Supervisor) -> None:
        # Linux' selectors: 0x23 and 0x33 code (32 and 64 bits), 0x2b data.
        table = {4: _descriptor(code=True), 5: _descriptor(code=False), 6: _descriptor(code=True, long=True)}
        for index, descriptor in table.items():
            struct.pack_into("<Q", supervisor.own_page, index * 8, descriptor)
        self._enter_user_mode(engine, supervisor, 0x23, b"\x48\x0f\x07")

    def hook(self, engine: Engine, on_syscall: Callable[[], None]) -> None:
        engine.on_instruction(_SYSCALL_INSTRUCTION, on_syscall)
