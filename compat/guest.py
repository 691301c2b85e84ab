"""`Guest`: one operating system on one CPU, its parts found by name; the two axes meet only here."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Sequence

from compat.abi.abi import Abi
from compat.abi.grids import StrPath
from compat.check import check_once
from compat.cpu.machine import Machine
from compat.dispatch import Dispatcher, Tracer
from compat.errors import CompatError
from compat.host import Host
from compat.image import Image, Script
from compat.memory import AddressSpace, Ram
from compat.process import Options, Personality, Process, Program
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
    """Runs one program. *tables* are folders with rows and shims that come before compat's own; *tracer* makes a
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
        self.personality_module = importlib.import_module(f"shims.{name}.personality")
        memory = AddressSpace(Ram(_RAM[self.abi.cpu.bits]), top=self.abi.cpu.top, limit=options.memory)
        self.process: Process = self.personality_module.make_process(self.abi, memory, host or Host(), options)
        self.process.load_image = load_image
        self._tracer = tracer(self.process) if tracer else None

    def run(self, program: Program) -> int:
        """Run *program* until it ends; returns its wait status word. Raises CompatError if it can't start."""
        process = self.process
        serve: list[Callable[[], None]] = []
        machine = Machine(self.abi.cpu.name, Pages(process.memory), lambda: serve[0]())
        dispatcher = Dispatcher(process, machine, self._tracer)
        self.missing = dispatcher.missing
        personality: Personality = self.personality_module.make_personality(process)
        scheduler = Scheduler(process, machine, dispatcher, personality)
        serve.append(dispatcher.on_syscall)
        thread = personality.start(program, machine)
        try:
            return scheduler.run(thread)
        finally:
            personality.finish()


def load_image(fd: int, name: bytes) -> Image | Script:
    """What the host descriptor *fd* holds, called *name* in sentences; raises CompatError."""
    return detect(Source.of_descriptor(fd, name), cache=Cache.of_user(os.environ))


def open_host_file(path: bytes) -> int:
    """A descriptor for reading a program file; raises CompatError with a sentence."""
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise CompatError(f"{os.fsdecode(path)}: {error.strerror}") from None
