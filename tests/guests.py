"""A guest without a CPU: calls go from a row's registers through its decoder to the shim, as in a real trap."""

from __future__ import annotations

import errno
import os
import select
import time
from pathlib import Path

from compat.abi.abi import Abi
from compat.abi.flags import ConstantType, FlagType
from compat.abi.rows import Row
from compat.abi.structs import Record
from compat.abi.types import FlagScalar, Type
from compat.bind import Binder, Call
from compat.errors import Interrupted, MemoryFault, Restart, Wait
from compat.host import Host
from compat.memory import AddressSpace, Ram
from compat.process import Options
from compat.sandbox.grants import Grant, open_grant
from compat.sandbox.mounts import MountTable
from compat.sandbox.private import PrivateFolder
from compat.sandbox.view import FileView
from shims.linux.state import LinuxProcess, LinuxThread

HEAP = 0x100_0000
HEAP_SIZE = 0x40_0000
STACK = 0x200_0000
PATIENCE = 5.0  # seconds that a call may wait before the test fails


class FakeRegisters:
    """Registers as a mapping."""

    def __init__(self) -> None:
        self.values: dict[str, int] = {}

    def read(self, name: str) -> int:
        return self.values.get(name, 0)

    def write(self, name: str, value: int) -> None:
        self.values[name] = value


class FakeGuest:
    """One Linux process on *cpu* whose root is the host folder *root*; its memory is a heap from HEAP on."""

    def __init__(self, cpu: str, root: Path) -> None:
        self.abi = Abi("linux", cpu)
        self.root = root
        self.host = Host()
        memory = AddressSpace(Ram(64 << 20), top=self.abi.cpu.top)
        memory.map(HEAP_SIZE, 3, address=HEAP, fixed=True)
        memory.map(0x1000, 3, address=STACK, fixed=True)
        self.memory = memory
        self.process = LinuxProcess(self.abi, memory, self.host, Options())
        self.view = FileView(self.host, MountTable(open_grant(self.host, Grant(os.fsencode(root), b"/"))))
        self.view.private = PrivateFolder(self.host, os.fsencode(root))
        self.process.view = self.view
        self.process.directory = self.view.root()
        self.registers = FakeRegisters()
        self.thread = LinuxThread(self.process, 1, self.registers)
        self.binder = Binder(self.abi)
        self._next = HEAP

    # --- memory ---

    def room(self, size: int) -> int:
        """The address of *size* zero bytes."""
        address = self._next
        self._next += -(-max(size, 1) // 16) * 16
        assert self._next <= HEAP + HEAP_SIZE
        self.memory.write(address, bytes(size))
        return address

    def put(self, data: bytes) -> int:
        """The address of a copy of *data*."""
        address = self.room(len(data))
        self.memory.write(address, data)
        return address

    def read(self, address: int, size: int) -> bytes:
        return self.memory.read(address, size)

    def pack(self, name: str, **fields: object) -> int:
        """The address of a new struct *name*; a dot in a field's name is written as two underscores."""
        values = {key.replace("__", "."): value for key, value in fields.items()}
        return self.put(self.abi.layout(name).pack(values))

    def struct(self, name: str, address: int) -> Record:
        layout = self.abi.layout(name)
        return layout.unpack(self.memory.read(address, layout.size))

    def iovec(self, *buffers: tuple[int, int]) -> int:
        layout = self.abi.layout("Iovec")
        return self.put(b"".join(layout.pack({"base": base, "len": size}) for base, size in buffers))

    # --- calls ---

    def call(self, name: str, *arguments: int | str | bytes) -> int:
        """What *name* returns. Bytes become NUL-terminated strings, names of flags and constants their numbers.

        Raises OSError as the guest would see it; a call that waits is entered again when its condition holds.
        """
        return self._enter(*self._prepare(name, arguments))

    def _prepare(self, name: str, arguments: tuple[int | str | bytes, ...]) -> tuple[Call, list[int]]:
        row = self._row(name, arguments)
        types = self.binder.types(row)
        raw = [self._raw(kind, value) for kind, value in zip(types, arguments, strict=True)]
        return self._bind(row), self._spread(types, self.binder._slots(row, types), raw)

    def _row(self, name: str, arguments: tuple[int | str | bytes, ...]) -> Row:
        for case, row in self.abi.tables.cases.get(name, {}).items():
            if case in arguments:
                return row
        return self.abi.tables.rows[name]

    def _raw(self, kind: Type, value: int | str | bytes) -> int:
        if isinstance(value, bytes):
            return self.put(value + b"\0")
        if isinstance(value, int):
            return value
        if not isinstance(kind, FlagScalar):
            return self.abi.constants(kind.name).encode(value)
        if isinstance(kind.values, ConstantType):
            return kind.values.encode(value)
        assert isinstance(kind.values, FlagType)
        return kind.values.encode(part for part in value.split("|") if part)

    def _spread(self, types: list[Type], places: list[int], raw: list[int]) -> list[int]:
        cpu, registers = self.abi.cpu, len(self.abi.convention.registers)
        words: dict[int, int] = {}
        for kind, place, value in zip(types, places, raw, strict=True):
            value &= (1 << cpu.bits * kind.slots) - 1
            parts = [value] if kind.slots == 1 else [value & 0xFFFF_FFFF, value >> 32]
            if cpu.endian == "big":
                parts.reverse()
            words.update(enumerate(parts, place))
        for place, word in words.items():
            if place >= registers:
                address = STACK + self.abi.convention.stack[place - registers]
                self.memory.write(address, self.abi.word_codec().pack(word))
        return [0, *(words.get(place, 0) for place in range(registers)), STACK]

    def _bind(self, row: Row) -> Call:
        if row.state != "refused":
            return self.binder.call(row)
        number: int = getattr(errno, row.target)

        def refuse(thread: object, slots: object) -> int | None:
            raise OSError(number, "refused")

        return refuse

    def _enter(self, call: Call, slots: list[int]) -> int:
        give_up = time.monotonic() + PATIENCE
        self.thread.leave()
        while True:
            try:
                result = call(self.thread, slots)
                return result if isinstance(result, int) else 0
            except MemoryFault:
                raise OSError(errno.EFAULT, "bad address") from None
            except Wait as wait:
                assert time.monotonic() < give_up, f"{call} waits for ever"
                self._wait(wait, give_up)
                self.thread.resume, self.thread.entered = wait.resume, True

    def _wait(self, wait: Wait, give_up: float) -> None:
        poller = select.poll()
        for fd, mask in wait.descriptors.items():
            poller.register(fd, mask)
        until = give_up if wait.until is None else min(wait.until, give_up)
        poller.poll(max(0.0, until - time.monotonic()) * 1000)

    def waits(self, name: str, *arguments: int | str | bytes) -> Wait:
        """The Wait that *name* raises when it is entered."""
        call, slots = self._prepare(name, arguments)
        self.thread.leave()
        try:
            call(self.thread, slots)
        except Wait as wait:
            return wait
        raise AssertionError(f"{name} did not wait")

    def resumed(self, name: str, wait: Wait, *arguments: int | str | bytes) -> int:
        """What *name*, waiting as *wait*, returns when a signal ends the wait; raises Interrupted."""
        call, slots = self._prepare(name, arguments)
        self.thread.resume, self.thread.interrupted = wait.resume, True
        try:
            return call(self.thread, slots) or 0
        finally:
            self.thread.leave()

    def interrupted(self, name: str, wait: Wait, *arguments: int | str | bytes) -> Restart:
        """How *name*, which waits as *wait*, goes on after a signal."""
        try:
            self.resumed(name, wait, *arguments)
        except Interrupted as interrupted:
            return interrupted.restart
        raise AssertionError(f"{name} was not interrupted")

    def fails(self, name: str, *arguments: int | str | bytes) -> str:
        """The guest's name of the error that *name* ends with, "" for none."""
        try:
            self.call(name, *arguments)
        except OSError as error:
            number = self.abi.host_errors[error.errno or 0]
            return self.abi.error_names[number]
        return ""

    def open(self, path: bytes, flags: str = "O_RDONLY", mode: int = 0o666) -> int:
        return self.call("open", path, flags, mode)

    def host_fd(self, fd: int) -> int:
        return self.process.files.get(fd).fd

    def close(self) -> None:
        for fd, _ in list(self.process.files):
            self.process.files.close(fd)
        os.close(self.process.directory.fd)
        self.process.view.close()
