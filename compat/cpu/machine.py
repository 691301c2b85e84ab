"""A user-mode CPU: runs guest code until a system call, a fault, an exception or a request to stop."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from compat.cpu.engine import EXCEPTION, INVALID_INSTRUCTION, OK, Batch, Engine, EngineError
from compat.cpu.family import Family
from compat.errors import Unsupported

__all__ = ["Machine", "PageSource", "Stop"]

READ, WRITE, FETCH = 1, 2, 4
_ACCESS_NAMES: dict[int, Literal["read", "write", "fetch"]] = {READ: "read", WRITE: "write", FETCH: "fetch"}

_FAMILIES = {
    "x86-64": ("x86", "X8664"),
    "aarch64": ("arm", "AArch64"),
    "arm": ("arm", "Arm"),
    "riscv64": ("riscv", "RiscV64"),
    "mips": ("mips", "Mips"),
    "mipsel": ("mips", "MipsEl"),
    "mips64": ("mips", "Mips64"),
    "mips64el": ("mips", "Mips64El"),
    "ppc": ("ppc", "Ppc"),
    "ppc64": ("ppc", "Ppc64"),
    "ppc64le": ("ppc", "Ppc64Le"),
    "s390x": ("s390x", "S390X"),
}

_OWN_CODE = 0x800
_OWN_CODE_PAGE = 0x7FFFF000
"""Where frame 0 is seen while the machine runs code of its own, before any guest page exists."""

_PROBES = (0x5B3E7A14, 0x2C91D638)


class PageSource(Protocol):
    """Guest memory as the machine sees it.

    Frame 0 (the first 4096 bytes of *ram*) belongs to the machine and must never be given to a guest page.
    """

    ram: Any

    def fill(self, page: int, access: int) -> tuple[int, int] | None:
        """Return (physical address, permissions R=1 W=2 X=4) of the guest *page*, or None if *access* is a fault."""


class Stop(NamedTuple):
    """Why a run ended. The PC register is exact: at the instruction that faulted, which may simply be run again."""

    kind: Literal["requested", "fault", "exception"]
    address: int = 0
    access: Literal["read", "write", "fetch"] | None = None
    name: str = ""
    number: int = 0


_REQUESTED = Stop("requested")


class Machine:
    """One CPU of the variant *cpu*, in user mode, all registers zero.

    *on_syscall* is called inside the run for each system-call instruction; see `run`.

    Raises:
        Unsupported: there is no such CPU, or the Unicorn library is missing.
    """

    def __init__(self, cpu: str, pages: PageSource, on_syscall: Callable[[], None]) -> None:
        if cpu not in _FAMILIES:
            raise Unsupported(f"there is no CPU named {cpu!r}")
        module, name = _FAMILIES[cpu]
        family: Family = getattr(importlib.import_module(f"compat.cpu.{module}"), name)()
        self.family = family
        self.own_page = memoryview(pages.ram)[:4096]
        self._engine = engine = Engine(family.arch, family.mode, family.model, family.page_size)
        self._on_syscall = on_syscall
        self._fill = pages.fill
        self._refused = 0
        self._event: Stop | None = None
        self._own_code = True
        engine.map_ram(pages.ram)
        engine.on_fill(self._fill_page)
        engine.on_interrupt(self._interrupt)
        family.hook(engine, on_syscall)
        family.prepare(engine, self)
        engine.find_fault_field(lambda address: engine.start(address) and None, _PROBES)
        self._own_code = False
        engine.flush_tlb()

    # --- running ----------------------------------------------------------------------------------------------

    def run(self, pc: int) -> Stop:
        """Run from *pc* until something needs the caller.

        Inside *on_syscall* registers may be read and written (not the PC), and memory and permissions changed; then the
        guest goes on behind the instruction, or the run ends there with "requested" if `stop` was called. Never call
        `run` from a hook.
        """
        self._event = None
        self._refused = 0
        engine = self._engine
        code = engine.start(self.family.resume_address(pc))
        if code == OK:
            return self._event or _REQUESTED
        if code == EXCEPTION and self._refused:
            access = _ACCESS_NAMES[self._refused]
            return Stop("fault", address=engine.fault_address(), access=access)
        if code == INVALID_INSTRUCTION:
            return Stop("exception", name=self.family.invalid_instruction)
        raise EngineError(f"unicorn: error {code} at pc {self.read(self.family.pc):#x}")

    def stop(self) -> None:
        """End the run soon, from a hook or from another host thread (then between blocks, within about 0.2 ms).

        A stop that comes while nothing runs is forgotten.
        """
        self._engine.stop()

    def run_own(self, code: bytes) -> None:
        """Run *code* from frame 0 (for the family's setup)."""
        self.own_page[_OWN_CODE : _OWN_CODE + len(code)] = code
        self._engine.start(_OWN_CODE_PAGE + _OWN_CODE)

    def _fill_page(self, page: int, access: int) -> tuple[int, int] | None:
        if self._own_code:
            found = (0, 7) if page in (_OWN_CODE_PAGE, self.family.own_address) else None
        else:
            found = self._fill(page, access)
            if found is None and page == self.family.own_address and access == READ:
                found = (0, READ)
        if found is None or not found[1] & access:
            self._refused = access
        return found

    def _interrupt(self, number: int) -> None:
        family = self.family
        if number == family.syscall:
            self._on_syscall()
            return
        engine = self._engine
        pc_register = family.registers[family.pc]
        pc = engine.read(pc_register)
        name, address = family.exception(engine, number, pc)
        self._event = Stop("exception", name=name, number=number)
        if address != pc:
            engine.write(pc_register, address)
        engine.stop()

    # --- registers --------------------------------------------------------------------------------------------

    def read(self, name: str) -> int:
        """Return one register's value, unsigned."""
        return self._engine.read(self.family.registers[name])

    def write(self, name: str, value: int) -> None:
        """Set one register; *value* is cut to its width."""
        self._engine.write(self.family.registers[name], value)

    def batch(self, names: Sequence[str]) -> Batch:
        """Prepare to read and write the registers *names*, none wider than 64 bits, together."""
        return self._engine.batch([self.family.registers[name] for name in names])

    def set_tls(self, value: int) -> None:
        """Set the thread pointer."""
        self.family.set_tls(self._engine, value)

    # --- memory -----------------------------------------------------------------------------------------------

    def flush_tlb(self) -> None:
        """Forget every page, after any change that takes something away from a page."""
        self._engine.flush_tlb()
