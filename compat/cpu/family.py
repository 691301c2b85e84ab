"""What a CPU family tells the machine: its registers, how it is set up, and what its exceptions mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Protocol

from compat.cpu.engine import Engine, Register

__all__ = ["ExceptionInfo", "Family", "Supervisor", "numbered"]

ExceptionInfo = tuple[str, int]
"""What an exception is called, and the guest address where the PC must stand for the guest's operating system."""


class Supervisor(Protocol):
    """What the machine lends to a family that must run or keep something above user mode."""

    own_page: bytearray | memoryview
    """Frame 0 of guest RAM, which no guest page is ever given."""

    def run_own(self, code: bytes) -> None:
        """Run *code* from frame 0, all permissions granted, until it jumps to an unmapped page or traps."""


def numbered(prefix: str, count: int, first: int, size: int, start: int = 0) -> dict[str, Register]:
    """Return registers *prefix*start… whose Unicorn numbers count up from *first*."""
    return {f"{prefix}{start + i}": Register(first + i, size) for i in range(count)}


class Family:
    """One CPU variant. Instances hold no state but that of their own machine."""

    arch: ClassVar[int]
    model: ClassVar[int | None] = None
    page_size: ClassVar[int | None] = None
    own_address: ClassVar[int | None] = None
    """Guest-virtual page at which frame 0 stays visible to the CPU itself (x86's descriptor table)."""

    syscall: ClassVar[int]
    """The exception number of the system-call instruction."""

    invalid_instruction: ClassVar[str] = "illegal"
    """What it means when Unicorn ends a run with UC_ERR_INSN_INVALID, which it does before anything else is changed."""

    mode: int
    registers: Mapping[str, Register]
    """The user-visible registers by name, all that `Machine.save` keeps."""

    pc: str
    tls: str
    """The register that `set_tls` writes."""

    def prepare(self, engine: Engine, supervisor: Supervisor) -> None:
        """Bring a new engine into user mode with everything on that a user program may use."""
        raise NotImplementedError

    def hook(self, engine: Engine, on_syscall: Callable[[], None]) -> None:
        """Add the hooks that this CPU needs besides the one for exceptions."""

    def exception(self, engine: Engine, number: int, pc: int) -> ExceptionInfo:
        """Name exception *number*, which Unicorn reported with the program counter at *pc*."""
        raise NotImplementedError

    def set_tls(self, engine: Engine, value: int) -> None:
        """Set the thread pointer."""
        engine.write(self.registers[self.tls], value)

    def resume_address(self, pc: int) -> int:
        """Return what `uc_emu_start` must be told to go on at *pc*."""
        return pc
