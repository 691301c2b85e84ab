"""A guest without a CPU: one process whose system calls a test makes through the tables, as the dispatcher would."""

from __future__ import annotations

import select
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal

import pytest

from compat.abi.abi import Abi
from compat.abi.structs import Record
from compat.bind import Binder
from compat.errors import Wait
from compat.host import Host
from compat.memory import AddressSpace, Ram
from compat.process import Options
from shims.linux.state import LinuxProcess, LinuxThread

ROOM = 0x10_0000
"""Where the tests' guest memory begins; 16 pages of it."""


class Values(dict[str, int]):
    """Registers by name, all 0 at first."""

    def __missing__(self, name: str) -> int:
        return 0

    def read(self, name: str) -> int:
        return self[name]

    def write(self, name: str, value: int) -> None:
        self[name] = value

    def has(self, name: str) -> bool:
        return True


class FakeEngine:
    """Keeps what shims ask of the engine, and plays the scheduler for threads that the test calls in turn."""

    def __init__(self) -> None:
        self.current = Values()
        self.spawned: list[LinuxThread] = []
        self.waiting: list[LinuxThread] = []
        self.attended = 0
        self.forgotten: list[tuple[int, int]] = []

    def wake(self, key: object, most: int) -> int:
        woken = [t for t in self.waiting if t.waiting is not None and t.waiting.key == key][:most]
        for thread in woken:
            thread.woken = True
            self.waiting.remove(thread)
        return len(woken)

    def give_way(self) -> bool:
        return bool(self.spawned)

    def spawn(self, thread: LinuxThread) -> None:
        thread.process.threads[thread.id] = thread
        self.spawned.append(thread)

    def copy_registers(self) -> Values:
        return Values(self.current)

    def set_result(self, registers: Values, value: int) -> None:
        registers.write("result", value)

    def set_tls(self, registers: Values, value: int) -> None:
        registers.write("tls", value)

    def forked(self) -> None:
        self.waiting.clear()

    def listen(self) -> None:
        pass

    def attend(self) -> None:
        self.attended += 1

    def at_rest(self) -> bool:
        return False

    def renew_helpers(self) -> None:
        pass

    def rebind(self) -> None:
        pass

    def invalidate(self, address: int, size: int) -> None:
        self.forgotten.append((address, size))


class Guest:
    """*thread* is the first of *process*; `call` makes a system call of it, `allot` gives it memory."""

    def __init__(self, cpu: str, options: Options | None = None) -> None:
        self.abi = Abi("linux", cpu)
        self.binder = Binder(self.abi)
        memory = AddressSpace(Ram(1 << 26), top=self.abi.cpu.top)
        memory.map(0x10000, 3, address=ROOM, fixed=True)
        self.process = LinuxProcess(self.abi, memory, Host(), options or Options())
        self.engine = FakeEngine()
        self.process.engine = self.engine  # type: ignore[assignment]
        self.thread = LinuxThread(self.process, self.process.pid, self.engine.current)
        self.process.threads[self.thread.id] = self.thread
        self._next = ROOM

    # --- memory ---

    def allot(self, size: int) -> int:
        """The address of fresh zero bytes, aligned to 16."""
        address, self._next = self._next, self._next + (size + 15 & ~15)
        return address

    def bytes_at(self, address: int, size: int) -> bytes:
        return self.process.memory.read(address, size)

    def put(self, data: bytes) -> int:
        """The address of a copy of *data*."""
        address = self.allot(len(data))
        self.process.memory.write(address, data)
        return address

    def struct(self, name: str, values: Mapping[str, object] | None = None) -> int:
        """The address of a struct with these fields."""
        return self.put(self.abi.layout(name).pack(values or {}))

    def record(self, name: str, address: int) -> Record:
        layout = self.abi.layout(name)
        return layout.unpack(self.bytes_at(address, layout.size))

    def word(self, value: int = 0) -> int:
        """The address of a 32-bit number."""
        return self.put((value & 0xFFFFFFFF).to_bytes(4, self.order))

    def int_at(self, address: int) -> int:
        return int.from_bytes(self.bytes_at(address, 4), self.order, signed=True)

    def pointer_at(self, address: int) -> int:
        return int.from_bytes(self.bytes_at(address, self.abi.cpu.word), self.order)

    @property
    def order(self) -> Literal["little", "big"]:
        return "little" if self.abi.cpu.endian == "little" else "big"

    # --- calls ---

    def call(self, name: str, *arguments: int, thread: LinuxThread | None = None) -> int:
        """Make a call, waiting as the scheduler does with one thread. `name/CASE` names a variant."""
        thread = thread or self.thread
        try:
            while True:
                try:
                    return self.enter(name, *arguments, thread=thread)
                except Wait as wait:
                    self.settle(wait)
        finally:
            thread.leave()

    def enter(self, name: str, *arguments: int, thread: LinuxThread | None = None) -> int:
        """Enter a call once: raises Wait where it would have to wait, and keeps that in the thread."""
        thread = thread or self.thread
        base, _, case = name.partition("/")
        row = self.abi.tables.cases[base][case] if case else self.abi.tables.rows[base]
        assert row.state in ("done", "partly"), row.key
        values = [self.abi.numbers[base], *(a & self.abi.cpu.mask for a in arguments), *[0] * (6 - len(arguments))]
        try:
            return self.binder.call(row)(thread, values) or 0
        except Wait as wait:
            thread.resume, thread.entered, thread.waiting = wait.resume, True, wait
            raise

    def settle(self, wait: Wait) -> None:
        """Wait on the host for what *wait* tells."""
        poller = select.poll()
        for fd, mask in wait.descriptors.items():
            poller.register(fd, mask)
        assert wait.descriptors or wait.until is not None, "would wait for ever"
        poller.poll(None if wait.until is None else max(0.0, wait.until - time.monotonic()) * 1000)

    def block(self, name: str, *arguments: int, thread: LinuxThread) -> None:
        """Enter a call that must wait, and leave it waiting in the engine."""
        try:
            result = self.enter(name, *arguments, thread=thread)
        except Wait:
            self.engine.waiting.append(thread)
        else:
            raise AssertionError(f"{name} did not wait but returned {result}")


@contextmanager
def refused(expected: int) -> Iterator[None]:
    """What is done in here must end with OSError(*expected*)."""
    try:
        yield
    except OSError as error:
        assert error.errno == expected, error
    else:
        pytest.fail(f"not refused with errno {expected}")


def words(guest: Guest, values: Sequence[int]) -> int:
    """The address of an array of pointer-sized numbers."""
    return guest.put(b"".join(guest.abi.word_codec().pack(value) for value in values))
