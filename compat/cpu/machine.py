"""A user-mode CPU: runs guest code until a system call, a fault, an exception or a request to stop.

The protocol of a trap. *on_syscall* is called inside the run. There registers may be read and set through
`batch` (except the PC), guest memory and its permissions changed (`flush_tlb` included). When it returns, the
guest goes on behind the system-call instruction. Whatever else must happen (another PC, another thread's
registers, a signal handler, execve) calls `stop()`, returns, and does it outside, before the next `run`.
After such a stop the PC is behind the instruction; `syscall_length` before it is where a call is restarted.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence

from compat.cpu.blocks import BlockWatch
from compat.cpu.engine import EXCEPTION, IMPOSSIBLE, INVALID_INSTRUCTION, OK, REFUSED, Engine, EngineError
from compat.cpu.family import OUTSIDE, OWN_CODE, OWN_PAGE, Event, Family, Wrong
from compat.cpu.paging import FETCH, READ, WRITE, PageSource, Paging
from compat.cpu.registers import Batch
from compat.cpu.reservation import Reservation
from compat.cpu.shared_atomics import SharedAtomics
from compat.cpu.stop import Access, Snapshot, Stop
from compat.errors import Unsupported

__all__ = ["FETCH", "READ", "WRITE", "Machine", "PageSource", "Snapshot", "Stop"]

_BLOCK_INSTRUCTIONS, _LONGEST_INSTRUCTION = 512, 16
"""How many instructions are in a block at most (TCG_MAX_INSNS of qemu/include/tcg/tcg.h), and bytes in one."""

_ACCESS_NAMES: dict[int, Access] = {READ: "read", WRITE: "write", FETCH: "fetch"}

_REQUESTED = Stop("requested")

_FAMILIES = {
    "x86": ("x86", "X86"),
    "x86-64": ("x86", "X8664"),
    "arm": ("arm", "Arm"),
    "aarch64": ("aarch64", "AArch64"),
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


class Machine:
    """One CPU of the variant *cpu*, in user mode, all general registers zero. *stopping* tells that `stop` was called.

    Raises:
        Unsupported: there is no such CPU, or the Unicorn library is missing.
    """

    def __init__(self, cpu: str, pages: PageSource, on_syscall: Callable[[], None]) -> None:
        if cpu not in _FAMILIES:
            raise Unsupported(f"there is no CPU named {cpu!r}")
        module, name = _FAMILIES[cpu]
        kind: type[Family] = getattr(importlib.import_module(f"compat.cpu.{module}"), name)
        self._engine = engine = Engine(cpu, kind.arch, kind.mode, kind.model, kind.page_size)
        self.own_page = memoryview(pages.ram)[:4096]
        self.family = family = kind(engine, self)
        self._paging = Paging(engine, family, pages)
        self._pages = pages
        self._pc = family.registers[family.pc]
        self._event: Event | None = None
        self.stopping = self._own_trapped = False
        self._saved = engine.wide_batch(list(family.registers.values()))
        self._reservation = Reservation(engine, family)
        self.shared_atomics = SharedAtomics(engine, family.endings)
        family.hook(on_syscall, self._exception)
        self._watch = BlockWatch(engine, family, self._paging)
        family.prepare()
        engine.find_fault_field((OUTSIDE, 0x2C91D638))
        self.stops_exactly = family.stop_between_blocks()
        self._paging.own = False
        engine.flush_tlb()
        engine.write(self._pc, 0)

    # --- running ------------------------------------------------------------------------------------------

    def run(self, pc: int | None = None) -> Stop:
        """Run from *pc*, or from where the CPU stands, until something needs the caller.

        On ARM an odd *pc* means Thumb. Exceptions raised by `on_syscall` or by the page source come out of
        here. Never call this from a hook.
        """
        self.stopping = False
        family = self.family
        while True:
            self._event = None
            self._paging.refused = 0
            try:
                code = self._engine.start(family.resume_address() if pc is None else pc)
            finally:
                self._watch.restore()
            pc = None
            stop = self._reason(code)
            if self._watch.held is not None:
                stop = self._meet_held(stop)
            family.settle(self._event)
            if stop is not None:
                return stop

    def _reason(self, code: int) -> Stop | None:
        """Why the engine came back; None if it should simply go on (it ends a run for WFI and its like)."""
        if code == OK and self._event is None:
            return _REQUESTED if self.stopping else None
        if code == IMPOSSIBLE:
            return self._meet_impossible()
        if code == EXCEPTION and self._paging.refused:
            address, pc = self._engine.fault_address(), self._engine.read(self._pc)
            if self._paging.refused != FETCH or address >= pc:
                return Stop("fault", address, _ACCESS_NAMES[self._paging.refused])
            # Unicorn looks one byte before a block that has none, which is one that begins with an illegal
            # instruction.
            self._event = self.family.invalid(pc)
        elif code == INVALID_INSTRUCTION and self.shared_atomics.give_up():
            return None
        elif code in (INVALID_INSTRUCTION, REFUSED) and self._event is None:
            self._event = self.family.invalid(self._engine.read(self._pc))
        elif self._event is None:
            raise EngineError(f"unicorn: error {code} at {self._engine.read(self._pc):#x}")
        return None if self._event is None else self._raised(self._event)

    def _meet_impossible(self) -> Stop | None:
        """Unicorn can't translate the block at the PC: run it up to the instruction at fault, which is illegal.

        Each instruction becomes a block of its own, for runs end at every address that may be behind it.
        """
        engine, code = self._engine, IMPOSSIBLE
        for _ in range(_BLOCK_INSTRUCTIONS):
            pc = engine.read(self._pc)
            engine.end_runs_at(range(pc + 1, pc + _LONGEST_INSTRUCTION + 1))
            code = engine.start(self.family.resume_address())
            if code != OK or self._event is not None or self.stopping:
                break
        engine.end_runs_at(())
        engine.flush_code()
        self.flush_tlb()
        if code != IMPOSSIBLE:
            return self._reason(code)
        self._event = self.family.invalid(engine.read(self._pc))
        return None if self._event is None else self._raised(self._event)

    @staticmethod
    def _raised(event: Event) -> Stop:
        return Stop("exception", event.address, None, event.name, event.number)

    def _meet_held(self, stop: Stop | None) -> Stop | None:
        """A block was held back: have it translated anew, or step to its forbidden instruction and refuse it.

        Steps by count are slow and drop all translated code, so the block is looked at again the next time.
        """
        watch, engine = self._watch, self._engine
        held = watch.held
        assert held is not None
        if stop is not None or engine.read(self._pc) != held.pc:
            engine.flush_code()
        elif held.wrong.better is not None and self._pages.changeable(held.pc, len(held.code)):
            watch.replace(held)
        else:
            engine.flush_code()
            stop = self._step_to(held.pc, held.wrong)
        watch.held = None
        return stop

    def _step_to(self, pc: int, wrong: Wrong) -> Stop | None:
        stop = self._reason(self._engine.start(pc, wrong.before)) if wrong.before else None
        if stop is None and self._engine.read(self._pc) == pc + wrong.offset:
            self._event = self.family.invalid(pc + wrong.offset)
            stop = None if self._event is None else self._raised(self._event)
        return stop

    def stop(self) -> None:
        """End the run soon: behind the current instruction from a hook, between blocks from another thread.

        The latter takes about 0.2 ms. A stop that comes while nothing runs is forgotten, so a thread that
        preempts must ask again.
        """
        self.stopping = True
        self._engine.stop()

    def close(self) -> None:
        """Release the CPU; the machine is of no use after it."""
        self._engine.close()

    def _exception(self, number: int) -> None:
        if self._paging.own:
            self._own_trapped = True
        else:
            self._event = self.family.exception(number, self._engine.read(self._pc))
            if self._event is None:
                return
        self._engine.stop()

    @property
    def syscall_number(self) -> int | None:
        """The number inside the instruction that just trapped: s390x `svc N`, OABI ARM `swi N`."""
        return self.family.syscall_number()

    # --- registers ----------------------------------------------------------------------------------------

    def read(self, name: str) -> int:
        """Return one register's value, unsigned; also what a family keeps beside registers (x86's `gdt12`)."""
        register = self.family.registers.get(name)
        return self.family.read_more()[name] if register is None else self._engine.read(register)

    def has(self, name: str) -> bool:
        """Whether this CPU has a register *name*."""
        return name in self.family.registers

    def write(self, name: str, value: int) -> None:
        """Set one register; *value* is cut to its width and to the bits that a user program can set."""
        register = self.family.registers.get(name)
        if register is None:
            self.family.write_more({name: value})
            return
        if register is self._pc:
            value = self.family.pc_to_write(value)
        bits = self.family.settable.get(name)
        if bits is not None:
            value = value & bits | self._engine.read(register) & ~bits
        self._engine.write(register, value)

    def batch(self, names: Sequence[str]) -> Batch:
        """Prepare to read and write the registers *names*, none wider than 64 bits, together."""
        return self._engine.batch([self.family.registers[name] for name in names])

    def save(self) -> dict[str, int]:
        """Return the whole user-visible state by name, portable between machines of one variant."""
        more = self.family.read_more()
        return dict(zip(self.family.registers, self._saved.read(), strict=True)) | more

    def restore(self, registers: Mapping[str, int]) -> None:
        """Set the state that `save` returned, possibly changed by a guest: only user-settable bits count.

        Registers that are not named keep their value.
        """
        self.family.write_more(registers)
        now = self._saved.read()
        bits = self.family.settable
        self._saved.write(
            [
                registers.get(name, old) & bits.get(name, -1) | old & ~bits.get(name, -1)
                for name, old in zip(self.family.registers, now, strict=True)
            ]
        )

    def snapshot(self, spare: Snapshot | None = None) -> Snapshot:
        """Copy the CPU state, to switch threads within this process, cheaply into one that nobody needs any longer."""
        context = self._engine.save_context(None if spare is None else spare.context)
        return Snapshot(context, self.family.read_tables())

    def resume(self, snapshot: Snapshot) -> None:
        """Set the CPU state from a snapshot of this machine, any number of times; what was reserved is lost."""
        self._reservation.clear(snapshot.context)
        self._engine.restore_context(snapshot.context)
        self.family.write_tables(snapshot.tables)

    def set_tls(self, value: int) -> None:
        """Set the thread pointer."""
        self.family.set_tls(value)

    # --- memory -------------------------------------------------------------------------------------------

    def flush_tlb(self) -> None:
        """Forget every page: needed when a page loses a permission or its frame."""
        self._paging.flush_tlb()

    def invalidate_code(self, physical: int, size: int) -> None:
        """See `Paging.invalidate_code`."""
        self._paging.invalidate_code(physical, size)

    def code(self, address: int, size: int) -> bytes:
        """Return *size* bytes of guest code; fewer where the guest may not execute."""
        return self._paging.code(address, size)

    # --- for the families ---------------------------------------------------------------------------------

    def run_own(self, code: bytes) -> None:
        """Run *code* from frame 0; see `family.Supervisor`."""
        self.own_page[OWN_CODE - OWN_PAGE : OWN_CODE - OWN_PAGE + len(code)] = code
        before, self._paging.own = self._paging.own, True
        self._engine.flush_tlb()
        self._engine.remove_code(OWN_CODE, OWN_PAGE + 4096)
        self._own_trapped, pc = False, OWN_CODE
        # A stop that another thread asks for must not end it.
        while self._engine.start(pc) == OK and not self._own_trapped:
            pc = self._engine.read(self._pc)
        self._paging.own = before
        self._engine.flush_tlb()
