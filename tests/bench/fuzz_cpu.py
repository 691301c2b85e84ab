"""Run random instructions on each CPU: `python -m tests.bench.fuzz_cpu [CPU,CPU…|all] [COUNT] [SEED]`.

A case is one instruction, or now and then six, with random registers of which half point into memory. A child process
runs them. Those that kill it, never end or raise are printed, and whether they do so in a fresh process too.
Case N of a seed is always the same; `--case CPU N SEED` runs that one here.
"""

from __future__ import annotations

import mmap
import os
import random
import signal
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator

from tests.bench.fuzz_words import instruction
from tests.cpu.guest import CODE, DATA, EXEC, READ_WRITE, Guest, program
from tests.cpu.sources import CPUS

_SLOT, _SLOTS, _PAGES = 64, 60, 16
_SLICE, _PATIENCE = 0.005, 5.0
_STATE = struct.Struct("<Q")
_POINTERS = tuple(range(DATA, DATA + 0x1000 * _PAGES, 0x800))


class _Runner:
    """One guest in this process, which runs cases; *state*, 8 bytes shared with the parent, tells which."""

    def __init__(self, cpu: str, seed: int, state: mmap.mmap | None) -> None:
        self.cpu = cpu
        self.seed = seed
        self.state = state
        self.guest = guest = Guest("arm" if cpu == "thumb" else cpu)
        guest.pages.map(CODE, EXEC)
        guest.pages.map(DATA, READ_WRITE, _PAGES)
        self.names = {n: s for n, r in guest.machine.family.registers.items() if (s := r.size)}
        self.fixed = {name: guest.machine.read(name) for name in ("cs", "ss", "ds", "es") if guest.machine.has(name)}
        self.end = program(guest.cpu, "end")
        self.fresh = guest.machine.snapshot()
        threading.Thread(target=self._preempt, daemon=True).start()

    def _preempt(self) -> None:
        while True:
            time.sleep(_SLICE)
            self.guest.machine.stop()

    def run(self, first: int, last: int) -> None:
        for begin in range(first, last, _SLOTS):
            cases = range(begin, min(begin + _SLOTS, last))
            self._place(cases)
            self.guest.machine.resume(self.fresh)
            for case in cases:
                if self.state is not None:
                    _STATE.pack_into(self.state, 0, case)
                self._run(case, CODE + (case - begin) * _SLOT)

    def _place(self, cases: range) -> None:
        slots = [_code(self.cpu, self.seed, case) for case in cases]
        fill = self.end if self.cpu != "thumb" else b"\x00\xbe"
        code = b"".join((slot + fill * _SLOT)[:_SLOT] for slot in slots)
        pages = self.guest.pages
        pages.write(CODE, code.ljust(0x1000, b"\0"))
        self.guest.machine.invalidate_code(pages.physical(CODE), 0x1000)

    def _run(self, case: int, pc: int) -> None:
        rng = random.Random(f"registers {self.cpu} {self.seed} {case}")
        values = {
            name: rng.choice(_POINTERS) + rng.choice((0, 0, 8, 1)) if rng.random() < 0.5 else _number(rng, size)
            for name, size in self.names.items()
        }
        machine = self.guest.machine
        try:
            machine.restore(values | self.fixed)
            machine.run(pc | (self.cpu == "thumb"))
        except Exception as error:
            code = _code(self.cpu, self.seed, case).hex(" ", -4)
            print(f"{self.cpu} case {case} {code}: {type(error).__name__}: {error}", flush=True)


def _code(cpu: str, seed: int, case: int) -> bytes:
    """The instructions of a case."""
    rng = random.Random(f"{cpu} {seed} {case}")
    return b"".join(instruction(cpu, rng) for _ in range(rng.choice((1, 1, 1, 6))))[: _SLOT - 4]


def _number(rng: random.Random, size: int) -> int:
    return rng.choice((rng.getrandbits(8 * size), rng.randrange(64), -rng.randrange(64))) & (1 << 8 * size) - 1


class _Child:
    """A process that runs the cases from *first* to *last*, and how it ended."""

    def __init__(self, cpu: str, seed: int, first: int, last: int) -> None:
        state = mmap.mmap(-1, _STATE.size)
        _STATE.pack_into(state, 0, first)
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.dup2(write, 2)
            os.close(write)
            os.close(read)
            _Runner(cpu, seed, state).run(first, last)
            os._exit(0)
        os.close(write)
        self.hung = self._wait(pid, state)
        self.said = os.read(read, 4000).decode(errors="replace").strip()
        os.close(read)
        (self.case,) = _STATE.unpack_from(state, 0)

    def _wait(self, pid: int, state: mmap.mmap) -> bool:
        seen, since = bytes(state), time.monotonic()
        while True:
            ended, self.status = os.waitpid(pid, os.WNOHANG)
            if ended:
                return False
            if bytes(state) != seen:
                seen, since = bytes(state), time.monotonic()
            elif time.monotonic() - since > _PATIENCE:
                os.kill(pid, signal.SIGKILL)
                self.status = os.waitpid(pid, 0)[1]
                return True
            time.sleep(0.02)

    @property
    def reason(self) -> str:
        """Why the process ended before the end; nothing if it did not."""
        if self.hung:
            return "never ends"
        if not self.status:
            return ""
        code = os.waitstatus_to_exitcode(self.status)
        return signal.Signals(-code).name if code < 0 else f"exit {code}"


def _deaths(cpu: str, count: int, seed: int) -> Iterator[tuple[int, str]]:
    first = 0
    while first < count:
        child = _Child(cpu, seed, first, count)
        if not child.reason:
            return
        alone = _Child(cpu, seed, child.case, child.case + 1)
        again = "alone too" if alone.reason else "not alone"
        lines = (alone.said or child.said).splitlines()
        yield child.case, f"{child.reason}, {again}: {lines[-1] if lines else ''}"
        first = child.case + 1


def main(cpus: str = "all", count: int = 20_000, seed: int = 1) -> None:
    for cpu in (*CPUS, "thumb") if cpus == "all" else cpus.split(","):
        begin, kinds = time.perf_counter(), Counter[str]()
        for case, reason in _deaths(cpu, count, seed):
            kinds[reason] += 1
            print(f"{cpu} case {case} {_code(cpu, seed, case).hex(' ', -4)}: {reason}", flush=True)
        seconds = time.perf_counter() - begin
        print(f"{cpu}: {count} in {seconds:.0f} s, {kinds.total()} killed the process", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--case"]:
        _Runner(sys.argv[2], int(sys.argv[4]), None).run(int(sys.argv[3]), int(sys.argv[3]) + 1)
    else:
        main(*sys.argv[1:2], *map(int, sys.argv[2:]))
