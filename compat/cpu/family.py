"""What a CPU family tells the machine: its registers, how it is set up, and what its exceptions mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import ClassVar, Protocol

from compat.cpu.engine import Engine
from compat.cpu.registers import Register
from compat.data import dataclass

__all__ = ["Event", "Family", "Supervisor", "Wrong", "numbered"]


@dataclass(frozen=True)
class Event:
    """A CPU exception in the guest's terms: *address* is the instruction's, *number* the CPU's own."""

    name: str
    number: int
    address: int


@dataclass(frozen=True)
class Wrong:
    """An instruction that Unicorn gets wrong: its offset in a block, and how many are before it.

    *better* is the whole block in instructions that Unicorn gets right; None means that it must not run.
    """

    offset: int
    before: int
    better: bytes | None = None


class Supervisor(Protocol):
    """What the machine lends to a family that must run, keep or look at something above user mode."""

    own_page: memoryview
    """Frame 0 of guest RAM, which no guest page is ever given."""

    def run_own(self, code: bytes) -> None:
        """Run *code*, at most 2040 bytes, at `OWN_CODE` until it jumps to address `OUTSIDE` or traps."""

    def code(self, address: int, size: int) -> bytes:
        """Return *size* bytes of guest code; fewer where the guest may not execute."""


OWN_PAGE = 0x7FFFF000
"""Where frame 0 is seen, readable, writable and executable, while the machine runs code of its own."""

OWN_CODE = OWN_PAGE + 0x800
OUTSIDE = 0x5B3E7A14
"""An address that is not mapped while the machine runs code of its own; a multiple of 4."""


def numbered(prefix: str, count: int, first: int, size: int, start: int = 0) -> dict[str, Register]:
    """Return registers *prefix*start… whose Unicorn numbers count up from *first*."""
    return {f"{prefix}{start + i}": Register(first + i, size) for i in range(count)}


class Family:
    """One CPU variant. An instance belongs to one machine and keeps what it learned about its engine."""

    arch: ClassVar[int]
    mode: ClassVar[int]
    model: ClassVar[int | None] = None
    page_size: ClassVar[int | None] = None

    registers: ClassVar[Mapping[str, Register]]
    """The user-visible registers by name, in the order in which they must be set."""

    settable: ClassVar[Mapping[str, int]] = {}
    """The bits that a user program can set, for registers that have others too."""

    pc: ClassVar[str]
    tls: ClassVar[str]
    syscall: ClassVar[int]
    """The exception number of the system-call instruction."""

    suspicious: ClassVar[re.Pattern[bytes] | None] = None
    """What a block's code must match for `made` to be asked about it; None: no block is looked at."""

    own_address: ClassVar[int | None] = None
    """Guest page at which the CPU, and so the guest, always reads frame 0 (x86's descriptor table)."""

    def __init__(self, engine: Engine, supervisor: Supervisor) -> None:
        self.engine = engine
        self.supervisor = supervisor

    def prepare(self) -> None:
        """Bring the new engine into user mode with everything on that a user program may use."""
        raise NotImplementedError

    def hook(self, on_syscall: Callable[[], None], on_exception: Callable[[int], None]) -> None:
        """Add the hooks that bring system calls and exceptions."""
        self.engine.on_interrupt(self.syscall, on_syscall, on_exception)

    def exception(self, number: int, pc: int) -> Event | None:
        """Say what exception *number* is, which Unicorn reported with the program counter at *pc*.

        Leaves the PC where the guest's operating system would see it. None means that the family did what the
        instruction asks for, and the guest goes on.
        """
        raise NotImplementedError

    def invalid(self, pc: int) -> Event | None:
        """Say what it means that Unicorn ended the run at *pc* with UC_ERR_INSN_INVALID; None: the guest goes on."""
        return Event("illegal", 0, pc)

    def settle(self, event: Event | None) -> None:
        """Undo what Unicorn leaves behind after a run, so that the registers alone tell the CPU's state."""

    def resume_address(self) -> int:
        """Return what `uc_emu_start` must be told so that the guest goes on where it stands."""
        return self.engine.read(self.registers[self.pc])

    def syscall_number(self) -> int | None:
        """Return the number inside the system-call instruction that just trapped, where the CPU has one."""
        return None

    def set_tls(self, value: int) -> None:
        """Set the thread pointer."""
        self.engine.write(self.registers[self.tls], value)

    endings: ClassVar[Collection[int] | None] = None
    """The exceptions that end a run with INVALID_INSTRUCTION, for a CPU with atomic instructions that only a process on
    its own can do; None for one without."""

    def linked_load(self) -> tuple[str, bytes] | None:
        """A load-linked instruction for `Reservation`: the register that holds its address, and code that runs it,
        clears that register and ends. None for a CPU that has no such instruction."""
        return None

    def read_more(self) -> dict[str, int]:
        """Return user-visible state that has no Unicorn register."""
        return {}

    def write_more(self, values: Mapping[str, int]) -> None:
        """Set what `read_more` returns; called before the registers are set."""

    def read_tables(self) -> dict[str, int]:
        """Return the part of the thread's state that is in frame 0."""
        return {}

    def write_tables(self, values: Mapping[str, int]) -> None:
        """Set what `read_tables` returned."""

    def fetching(self, page: int, code: memoryview) -> None:
        """Look at a page of code before any of it is translated."""

    def stop_between_blocks(self) -> bool:
        """Let runs stop only where a block begins, so that no instruction runs twice; say whether it can be had."""
        return self.engine.stop_between_blocks()

    def changing(self, page: int) -> None:
        """A page is about to be written to whose code has run."""

    def pc_to_write(self, value: int) -> int:
        """What Unicorn must be told so that the PC becomes *value* and nothing else changes."""
        return value

    def forgotten(self) -> None:
        """All pages were forgotten: some may be no code any more, and each is fetched anew before it runs."""

    def filled(self) -> None:
        """A page of data was found in the middle of an instruction, which now goes on."""

    def made(self, code: bytes) -> Wrong | None:
        """Say what is wrong in the *code* of a new block."""
        return None
