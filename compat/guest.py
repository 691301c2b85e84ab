"""`Guest`: one operating system on one CPU, its parts found by name; the two axes meet only here."""

from __future__ import annotations

import importlib
import os
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from compat.abi.abi import Abi
from compat.abi.grids import Grid, StrPath
from compat.abi.tables import PARENTS
from compat.check import check_once
from compat.cpu.machine import Machine
from compat.dispatch import Dispatcher, Tracer
from compat.errors import CompatError
from compat.host import Host
from compat.image import Image, Script
from compat.memory import AddressSpace, Ram
from compat.process import Options, OtherCpu, Personality, Process, Program, Registers, Thread
from compat.scheduler import Scheduler
from loaders.cache import Cache
from loaders.detect import detect
from loaders.source import Source

__all__ = ["Guest", "load_image"]

_RAM = {32: 8 << 30, 64: 64 << 30}
"""Bytes of sparse RAM by the CPU's bits: untouched pages cost nothing."""


class Pages:
    """What the machine sees of an address space."""

    def __init__(self, memory: AddressSpace) -> None:
        self.ram = memory.ram.map
        self.fill = memory.fill
        self.changeable = memory.changeable


class Guest:
    """Runs one program. *abi* are the guest's own tables; its process may be built on another system's, and then has
    that one's. *tables* are folders with rows and shims that come before compat's own; *tracer* makes a
    Tracer for the process, or is None."""

    def __init__(
        self,
        name: str,
        cpu: str,
        options: Options,
        *,
        host: Host | None = None,
        tables: Sequence[StrPath] = (),
        tracer: Callable[[Process], Tracer] | None = None,
    ) -> None:
        importlib.import_module(f"shims.{name}").__path__.extend(map(str, tables))
        self.abi = Abi(name, cpu, tables)
        check_once(self.abi)
        self.missing: Counter[str] = Counter()
        self.personality_module = importlib.import_module(f"shims.{name}.personality")
        memory = _memory(self.abi, options)
        self.process: Process = self.personality_module.make_process(self.abi, memory, host or Host(), options)
        if self.process.abi is not self.abi:
            check_once(self.process.abi)
        self.process.load_image = partial(load_image, cpus=self.abi.tables.grids["cpus"])
        self.process.preload = self._preload
        self.process.traced = tracer is not None
        self._make_tracer = tracer
        self._tracer = tracer(self.process) if tracer else None

    def run(self, program: Program) -> int:
        """Run *program* until it ends; returns its wait status word. Raises CompatError if it can't start."""
        personality: Personality = self.personality_module.make_personality(self.process)
        begin: Callable[[Registers], Thread] = partial(personality.start, program)
        try:
            while True:
                scheduler = self._scheduler(personality)
                try:
                    return scheduler.run(begin(scheduler.machine))
                except OtherCpu as other:
                    scheduler.machine.close()
                    self._move(other.cpu)
                    begin = other.begin
        finally:
            personality.finish()

    def _scheduler(self, personality: Personality) -> Scheduler:
        """A machine for the process's CPU with everything that serves it."""
        process = self.process
        serve: list[Callable[[], None]] = []
        machine = Machine(process.abi.cpu.name, Pages(process.memory), lambda: serve[0]())
        dispatcher = Dispatcher(process, machine, self._tracer)
        dispatcher.missing = self.missing
        serve.append(dispatcher.on_syscall)
        return Scheduler(process, machine, dispatcher, personality)

    def _preload(self) -> None:
        from compat.preload import preload  # only for those who give up privileges

        families = {*PARENTS[self.abi.guest], *PARENTS[self.process.abi.guest]}
        preload(["compat", "loaders", *(f"shims.{family}" for family in families)])

    def _move(self, cpu: str) -> None:
        """Give the process the tables of *cpu* and an empty address space."""
        process = self.process
        process.memory.clear()
        process.memory.ram.close()
        abi = Abi(process.abi.guest, cpu, process.abi.folders)
        check_once(abi)
        process.move(abi, _memory(abi, process.options))
        self._tracer = self._make_tracer(process) if self._make_tracer else None


def _memory(abi: Abi, options: Options) -> AddressSpace:
    return AddressSpace(Ram(_RAM[abi.cpu.bits]), top=abi.cpu.top, limit=options.memory)


def load_image(fd: int, name: bytes, *, cpus: Grid | None = None) -> Image | Script:
    """What the host descriptor *fd* holds, called *name* in sentences; *cpus* as for `detect`. Raises CompatError."""
    return detect(Source.of_descriptor(fd, name), cache=Cache.of_user(os.environ), cpus=cpus)


def open_host_file(path: bytes) -> int:
    """A descriptor for reading a program file; raises CompatError with a sentence."""
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise CompatError(f"{os.fsdecode(path)}: {error.strerror}") from None
