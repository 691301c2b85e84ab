"""Trap → row → shim → register: serves system calls inside the CPU's hook, without leaving guest code."""

from __future__ import annotations

import errno
import select
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from compat.abi.rows import Row
from compat.bind import Binder, Call
from compat.cpu.machine import Machine
from compat.errors import Interrupted, MemoryFault, ThreadExit, Wait
from compat.process import Process, Registers, Thread

if TYPE_CHECKING:
    from compat.scheduler import Scheduler

__all__ = ["Dispatcher", "Tracer"]


_SUMMARY_OVERFLOW = 0x1000_0000  # CR0.SO


class Tracer(Protocol):
    """Wraps a row's function so that it prints; see compat.trace."""

    def wrap(self, row: Row | None, number: int, call: Call, binder: Binder | None = None) -> Call: ...


class Dispatcher:
    """One process's calls: number → composed function, bound on first use. *missing* counts calls not written."""

    def __init__(self, process: Process, machine: Machine, tracer: Tracer | None = None) -> None:
        self.process = process
        self.machine = machine
        self.binder = Binder(process.abi)
        self.missing: Counter[str] = Counter()
        self.scheduler: Scheduler | None = None
        self.tracer = tracer
        self._calls: dict[int, Call] = {}
        convention = process.abi.convention
        names = [convention.number, *convention.registers]
        if convention.stack:
            names.append(process.abi.cpu.sp)
        self._arguments = machine.batch(names)
        self._mask = process.abi.cpu.mask
        self._write = self._result_writer(convention.error, convention.result, convention.flag)
        self._glance: Callable[[int], object] | None = None
        self._in_instruction = convention.trap == "svc" and process.abi.cpu.family == "s390x"

    # --- the hook ---

    def on_syscall(self, values: list[int] | None = None) -> None:
        """Serve the system call at which guest code stands, or enter one with *values* again, outside of guest code."""
        scheduler = self.scheduler
        assert scheduler is not None
        thread = scheduler.current
        if values is None:
            values = self._arguments.read()
            if self._in_instruction:
                values[0] = self.machine.syscall_number or values[0]
        call = self._calls.get(values[0]) or self._bind(values[0])
        try:
            result = call(thread, values)
        except Exception as error:
            self._end(thread, call, values, error)
        else:
            if thread.jump is None:
                self._write(result or 0, 0)
            if thread.entered:
                thread.leave()
        memory = self.process.memory
        if memory.flush or memory.stale:
            self.settle()
        if self._glance is not None and self._glance(0):
            self.process.gather()  # what came before the call ended must be seen before guest code goes on
        if self.process.attention or thread.jump:
            self.machine.stop()

    def listen(self) -> None:
        """Look after every call whether there is news for the process."""
        if self._glance is None:
            poller = select.poll()
            poller.register(self.process.notices, select.POLLIN)
            self._glance = poller.poll

    def settle(self) -> None:
        """Make the CPU forget translations and code that the last edits of memory outdated."""
        memory = self.process.memory
        for address, size in memory.stale:
            self.machine.invalidate_code(address, size)
        memory.stale.clear()
        if memory.flush:
            self.machine.flush_tlb()
            memory.flush = False
        if memory.shares and not self.machine.shared_atomics.begun:
            self.machine.stop()  # it begins outside of guest code

    def _end(self, thread: Thread, call: Call, values: list[int], error: Exception) -> None:
        """The call did not return a value: an error, a wait, or the end of the thread."""
        scheduler = self.scheduler
        assert scheduler is not None
        while isinstance(error, Wait):
            if not scheduler.wait_here(thread, error):
                thread.values = values
                return
            try:
                result = call(thread, values)
            except Exception as again:
                error = again
            else:
                if thread.jump is None:
                    self._write(result or 0, 0)
                thread.leave()
                return
        if isinstance(error, Interrupted):
            thread.restart, thread.paused = error.restart, thread.resume
            self.machine.stop()
        elif isinstance(error, ThreadExit):
            scheduler.retire(thread)
        else:
            self._write(0, self._error_number(error))
        thread.leave()

    def _error_number(self, error: Exception) -> int:
        """The guest's number for a host error; unknown ones become EIO. Anything else is a defect of ours and rises."""
        errors = self.process.abi.host_errors
        if isinstance(error, MemoryFault):
            return errors[errno.EFAULT]
        if isinstance(error, OSError):
            return errors.get(error.errno or errno.EIO, errors[errno.EIO])
        raise error

    # --- results ---

    def _result_writer(self, style: str, result: str, flag: str) -> Callable[[int, int], None]:
        """write(result, error): error 0 means success (syscall(2), "Architecture calling conventions")."""
        mask = self._mask
        if style == "flag":
            pair = self.machine.batch([result, flag])
            return lambda value, error: pair.write([(error or value) & mask, 1 if error else 0])
        if style == "summary":
            return self._summary_writer(result)
        single = self.machine.batch([result])
        return lambda value, error: single.write([(-error if error else value) & mask])

    def _summary_writer(self, result: str) -> Callable[[int, int], None]:
        """PowerPC: CR0.SO (bit 28 of CR) tells an error."""
        pair, condition = self.machine.batch([result, "cr"]), self.machine.batch(["cr"])
        mask = self._mask

        def write(value: int, error: int) -> None:
            (cr,) = condition.read()
            cr = cr | _SUMMARY_OVERFLOW if error else cr & ~_SUMMARY_OVERFLOW
            pair.write([(error or value) & mask, cr])

        return write

    def trap_size(self) -> int:
        """Bytes of the system call instruction that the machine just ran."""
        if self.process.abi.cpu.kind == "arm":
            return 2 if self.machine.read("cpsr") & 0x20 else 4
        family = self.process.abi.cpu.family
        return 2 if family in ("x86", "s390x") else 4

    def behind_trap(self) -> int:
        """Where guest code goes on, asked in the hook: there the PC is still at the instruction on x86-64 and MIPS."""
        cpu = self.process.abi.cpu
        pc = self.machine.read(cpu.pc)
        return pc + self.trap_size() if cpu.name == "x86-64" or cpu.family == "mips" else pc

    def write_elsewhere(self, registers: Registers, value: int) -> None:
        """Give a copy of the running thread's registers the call's result."""
        convention = self.process.abi.convention
        registers.write(convention.result, value & self._mask)
        if convention.error == "flag":
            registers.write(convention.flag, 0)
        elif convention.error == "summary":
            registers.write("cr", registers.read("cr") & ~_SUMMARY_OVERFLOW)

    def write_error(self, number: int) -> None:
        """Give the running thread's call this error, a number of the host's errno."""
        self._write(0, self.process.abi.host_errors[number])

    # --- binding ---

    def _bind(self, number: int) -> Call:
        abi = self.process.abi
        row = abi.tables.rows.get(abi.names.get(number, ""))
        foreign = None if row else self.process.foreign(number)
        if foreign:
            from compat.foreign import bind_foreign  # only here: most processes have one system

            call = bind_foreign(self, foreign, number)
            self._calls[number] = call
            return call
        call = self._bind_row(row) if row else self._screened(self._unknown(number))
        if row and row.name in abi.tables.cases and (slot := self.binder.case_slot(row)):
            call = self._choose_case(row, call, *slot)
        elif self.tracer:
            call = self.tracer.wrap(row, number, call)
        if len(self._calls) < 4096:  # a guest may try every number there is
            self._calls[number] = call
        return call

    def rebind(self) -> None:
        """Bind every call anew at its next use."""
        self._calls.clear()

    def _bind_row(self, row: Row) -> Call:
        if row.state in ("done", "partly"):
            return self._screened(self.binder.call(row))
        if row.state == "refused":
            return self._screened(_refuse(getattr(errno, row.target)))
        return self._screened(self._not_written(row))

    def _screened(self, call: Call) -> Call:
        """*call* behind the process's screen, if it has one."""
        screen = self.process.screen
        if screen is None:
            return call

        def screened(thread: Thread, a: Sequence[int]) -> int | None:
            if thread.entered:  # it was let pass
                return call(thread, a)
            verdict = screen(thread, a[0], lambda: self.binder.first(thread, a, 6), self.behind_trap())
            return call(thread, a) if verdict is None else verdict

        return screened

    def _choose_case(self, row: Row, base: Call, slot: int, kind: object) -> Call:
        """Pick the `name/CASE` row by the constant in *slot*; the plain row serves the rest."""
        names = kind.values  # type: ignore[attr-defined]
        cases: dict[int, Call] = {}
        for case, variant in self.process.abi.tables.cases[row.name].items():
            if case in names:
                call = self._bind_row(variant)
                cases[names[case] & 0xFFFFFFFF] = self.tracer.wrap(variant, -1, call) if self.tracer else call
        index = slot + 1
        rest = self.tracer.wrap(row, -1, base) if self.tracer else base
        return lambda thread, a: cases.get(a[index] & 0xFFFFFFFF, rest)(thread, a)

    def _not_written(self, row: Row) -> Call:
        def answer(thread: Thread, a: Sequence[int]) -> int | None:
            self.missing[row.key] += 1
            raise OSError(errno.ENOSYS, row.key)

        return answer

    def _unknown(self, number: int) -> Call:
        def answer(thread: Thread, a: Sequence[int]) -> int | None:
            self.missing[f"number {number}"] += 1
            raise OSError(errno.ENOSYS, f"number {number}")

        return answer


def _refuse(number: int) -> Call:
    def answer(thread: Thread, a: Sequence[int]) -> int | None:
        raise OSError(number, "refused")

    return answer
