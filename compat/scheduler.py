"""Whose turn it is: guest threads share one CPU; the scheduler owns all waiting (descriptors, deadlines, keys)."""

from __future__ import annotations

import select
import time
from collections import deque
from collections.abc import Iterable

from compat.cpu.machine import Machine, Snapshot
from compat.dispatch import Dispatcher
from compat.errors import Wait
from compat.process import CpuFault, Personality, Process, Registers, Thread
from compat.registers import SavedRegisters
from compat.watcher import Watcher

__all__ = ["Scheduler"]

_EDGES = select.POLLERR | select.POLLHUP | select.POLLNVAL


class Scheduler:
    """Runs the threads of one process in turn until it ends. It is the `Engine` that shims see."""

    def __init__(self, process: Process, machine: Machine, dispatcher: Dispatcher, personality: Personality) -> None:
        self.process = process
        self.machine = machine
        self.dispatcher = dispatcher
        self.personality = personality
        self.watcher = Watcher(self.machine.stop)
        self.ready: deque[Thread] = deque()
        self.blocked: list[Thread] = []
        self.current: Thread = Thread(process, 0, machine)
        self._fresh = machine.snapshot()
        self._saved: dict[int, Snapshot | SavedRegisters] = {}
        dispatcher.scheduler = self
        process.engine = self

    # --- the loop ---

    def run(self, first: Thread) -> int:
        """Run until the process has a status; returns it (a wait status word). Raises OtherCpu."""
        self.current = first
        self.process.threads[first.id] = first
        try:
            while self.process.status is None:
                self._turn()
        finally:
            self.watcher.close()
        return self.process.status

    def _turn(self) -> None:
        """Let the current thread run until something needs us; then serve it, and maybe give the CPU to another."""
        thread, process = self.current, self.process
        self.dispatcher.settle()
        stop = self.machine.run()
        if process.status is not None:
            return
        if thread.jump:
            jump, thread.jump = thread.jump, None
            jump()
        if stop.kind == "fault":
            assert stop.access is not None
            self.personality.fault(thread, process.memory.explain(stop.address, stop.access))
        elif stop.kind == "exception":
            self.personality.fault(thread, CpuFault(stop.name, stop.number))
        if thread.waiting:
            self.retry(thread)
        elif process.attention or thread.restart:
            self.personality.attend(thread)
        if process.status is None and (self.ready or thread.waiting or thread.id not in process.threads):
            self._switch()

    def _switch(self) -> None:
        """Give the CPU to the next thread that can run, waiting for one if there is none."""
        thread = self.current
        if thread.id in self.process.threads:
            self._saved[thread.id] = self.machine.snapshot()
            (self.blocked if thread.waiting else self.ready).append(thread)
        while True:
            self._collect(0.0 if self.ready else None)
            if self.process.attention:
                self._rouse()
            if self.ready:
                break
            if not self.blocked:
                return
        following = self.ready.popleft()
        saved = self._saved.pop(following.id)
        if isinstance(saved, SavedRegisters):
            saved.load(self.machine)
        else:
            self.machine.resume(saved)
        following.registers = self.machine
        self.current = following
        self.watcher.slice(bool(self.ready))
        if self.process.attention and not following.entered:  # else its call ends first, maybe interrupted
            self.personality.attend(following)

    def _rouse(self) -> None:
        """Enter the calls of blocked threads that a signal ends."""
        for thread in list(self.blocked):
            if self.process.deliverable(thread):
                thread.interrupted = True
                self._make_ready(thread)

    def _make_ready(self, thread: Thread) -> None:
        self.blocked.remove(thread)
        thread.waiting = None
        self.ready.append(thread)

    # --- waiting ---

    def wait_here(self, thread: Thread, wait: Wait) -> bool:
        """Block the only thread on the host; True when its call shall be entered again at once.

        With other threads, its call is entered again later by running the instruction once more: then False.
        """
        thread.resume = wait.resume
        thread.entered = True
        if self.ready or self.blocked:
            thread.waiting = wait  # `run` puts it back to the instruction: in the hook the PC can't be set
            self.machine.stop()
            return False
        while True:
            if self.process.attention and self.process.deliverable(thread):
                thread.interrupted = True
                return True
            if self._poll(wait.descriptors, wait.until):
                return True

    def _poll(self, descriptors: dict[int, int], until: float | None) -> bool:
        """Wait for one condition or a host signal; True if a condition holds."""
        timeout = None if until is None else max(0.0, until - time.monotonic())
        ready = self.watcher.poll(descriptors, timeout)
        return bool(ready) or (until is not None and time.monotonic() >= until)

    def _collect(self, timeout: float | None) -> None:
        """Move threads whose condition holds from blocked to ready."""
        if not self.blocked:
            return
        descriptors, until = _union(thread.waiting for thread in self.blocked)
        if timeout is None and until is not None:
            timeout = max(0.0, until - time.monotonic())
        ready = self.watcher.poll(descriptors, timeout)
        now = time.monotonic()
        for thread in list(self.blocked):
            wait = thread.waiting
            if wait is None or _holds(wait, ready, now):
                self._make_ready(thread)

    # --- the Engine protocol ---

    def wake(self, key: object, most: int) -> int:
        count = 0
        for thread in list(self.blocked):
            if count < most and thread.waiting is not None and thread.waiting.key == key:
                thread.woken = True
                self._make_ready(thread)
                count += 1
        return count

    def spawn(self, thread: Thread) -> None:
        assert isinstance(thread.registers, SavedRegisters)
        self._saved[thread.id] = thread.registers
        self.process.threads[thread.id] = thread
        self.ready.append(thread)
        self.watcher.slice(True)

    def copy_registers(self) -> SavedRegisters:
        registers = SavedRegisters(self.machine.save())
        registers.write(self.process.abi.cpu.pc, self.dispatcher.behind_trap())
        return registers

    def set_result(self, registers: Registers, value: int) -> None:
        self.dispatcher.write_elsewhere(registers, value)

    def set_tls(self, registers: Registers, value: int) -> None:
        if isinstance(registers, SavedRegisters):
            registers.tls = value
        else:
            self.machine.set_tls(value)

    def retry(self, thread: Thread) -> None:
        pc = self.process.abi.cpu.pc
        self.machine.write(pc, self.machine.read(pc) - self.dispatcher.trap_size())

    def finish(self, thread: Thread, error: int) -> None:
        self.dispatcher.write_error(error)

    def listen(self) -> None:
        self.watcher.listen()

    def retire(self, thread: Thread) -> None:
        """A thread has ended; the machine leaves guest code."""
        self.process.threads.pop(thread.id, None)
        self.machine.stop()

    def attend(self) -> None:
        self.process.attention = True
        self.watcher.alarm()

    def alone(self, thread: Thread) -> None:
        self._drop_others()
        self.machine.resume(self._fresh)
        self.machine.set_tls(0)

    def _drop_others(self) -> None:
        self.ready.clear()
        self.blocked.clear()
        self._saved.clear()
        self.process.threads = {self.current.id: self.current}

    def forked(self) -> None:
        self._drop_others()
        self.watcher = Watcher(self.machine.stop)

    def rebind(self) -> None:
        self.dispatcher.rebind()

    def invalidate(self, address: int, size: int) -> None:
        self.process.memory.outdate(address, size)


def _union(waits: Iterable[Wait | None]) -> tuple[dict[int, int], float | None]:
    descriptors: dict[int, int] = {}
    until: float | None = None
    for wait in waits:
        if wait is None:
            continue
        for fd, mask in wait.descriptors.items():
            descriptors[fd] = descriptors.get(fd, 0) | mask
        if wait.until is not None:
            until = wait.until if until is None else min(until, wait.until)
    return descriptors, until


def _holds(wait: Wait, ready: dict[int, int], now: float) -> bool:
    if wait.until is not None and now >= wait.until:
        return True
    return any(ready.get(fd, 0) & (mask | _EDGES) for fd, mask in wait.descriptors.items())
