"""Whose turn it is: guest threads share one CPU; the scheduler owns all waiting (descriptors, deadlines, keys)."""

from __future__ import annotations

import time
from collections import deque

from compat.blocked import Blocked
from compat.cpu.machine import Machine, Snapshot, Stop
from compat.dispatch import Dispatcher
from compat.errors import Wait
from compat.process import CpuFault, Personality, Process, Registers, Thread
from compat.registers import SavedRegisters
from compat.watcher import Watcher

__all__ = ["Scheduler"]

_LOOK_AGAIN = 0.001
"""Seconds that pass at least between two looks at what blocked threads wait for, while another can run."""


class Scheduler:
    """Runs the threads of one process in turn until it ends. It is the `Engine` that shims see."""

    def __init__(self, process: Process, machine: Machine, dispatcher: Dispatcher, personality: Personality) -> None:
        self.process = process
        self.machine = machine
        self.dispatcher = dispatcher
        self.personality = personality
        self.watcher = Watcher(self.machine.stop, self._notice)
        self.ready: deque[Thread] = deque()
        self.blocked = Blocked()
        self._next_look = 0.0
        self.current: Thread = Thread(process, 0, machine)
        self._fresh = machine.snapshot()
        self._spare: Snapshot | None = None
        self._saved: dict[int, Snapshot | SavedRegisters] = {}
        dispatcher.scheduler = self
        process.engine = self
        self._hear()

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
        if process.memory.shares:
            self.machine.shared_atomics.begin()
        self.dispatcher.settle()
        stop = self._run(thread)
        if process.status is not None:
            return
        if thread.jump:
            jump, thread.jump = thread.jump, None
            jump()
        if stop is None:
            pass
        elif stop.kind == "fault":
            assert stop.access is not None
            self.personality.fault(thread, process.memory.explain(stop.address, stop.access))
        elif stop.kind == "exception":
            self.personality.fault(thread, CpuFault(stop.name, stop.number))
        if not thread.waiting and (process.attention or thread.restart):
            self.personality.attend(thread)
        if process.attention and self.blocked:
            self._rouse()
        if process.status is None and (thread.waiting or self._others or thread.id not in process.threads):
            self._switch()

    def _run(self, thread: Thread) -> Stop | None:
        """Run guest code, after a call that is to be entered again; None if that needs us first."""
        if thread.values is not None:
            values, thread.values = thread.values, None
            self.machine.stopping = False
            self.dispatcher.on_syscall(values)
            if self.machine.stopping:
                return None
        return self.machine.run()

    @property
    def _others(self) -> bool:
        """Whether another thread can run, or could after a look at what it waits for."""
        return bool(self.ready) or self.blocked.must_look

    def _switch(self) -> None:
        """Give the CPU to the next thread that can run, waiting for one if there is none."""
        thread = self.current
        if thread.id in self.process.threads:
            self._saved[thread.id] = self.machine.snapshot(self._spare)
            self._spare = None
            if thread.waiting:
                self.blocked.add(thread)
            else:
                self._collect(0.0)
                self.ready.append(thread)
        while True:
            self._collect(0.0 if self.ready else None)
            if self.process.attention:
                self.process.gather()
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
            self._spare = saved
        following.registers = self.machine
        self.current = following
        self.watcher.slice(self._others)
        if self.process.attention and not following.entered:  # else its call ends first, maybe interrupted
            self.personality.attend(following)

    def _rouse(self) -> None:
        """Enter the calls of blocked threads that a signal ends."""
        for thread in self.blocked:
            if self.process.deliverable(thread):
                thread.interrupted = True
                self._make_ready(thread)

    def _make_ready(self, thread: Thread) -> None:
        self.blocked.remove(thread)
        self.ready.append(thread)

    # --- waiting ---

    def wait_here(self, thread: Thread, wait: Wait) -> bool:
        """Block the only thread on the host; True when its call shall be entered again at once.

        With other threads, its call is entered again later: then False.
        """
        thread.resume = wait.resume
        thread.entered = True
        if self.ready or self.blocked:
            thread.waiting = wait
            self.machine.stop()
            return False
        while True:
            if self.process.attention:
                self.process.gather()
                if self.process.deliverable(thread):
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
        """Move threads whose condition holds from blocked to ready; *timeout* 0 looks only if that was long ago."""
        if timeout is not None and (not self.blocked.must_look or time.monotonic() < self._next_look):
            return
        descriptors, until = self.blocked.conditions()
        if timeout is None and until is not None:
            timeout = max(0.0, until - time.monotonic())
        ready = self.watcher.poll(descriptors, timeout)
        now = time.monotonic()
        self._next_look = now + _LOOK_AGAIN
        for thread in self.blocked.over(ready, now):
            self._make_ready(thread)

    # --- the Engine protocol ---

    def wake(self, key: object, most: int) -> int:
        found = self.blocked.waiting_for(key, most)
        for thread in found:
            thread.woken = True
            self._make_ready(thread)
        if found:
            self.watcher.slice(True)  # who was woken gets a turn, even if the running thread never makes a call
        return len(found)

    def give_way(self) -> bool:
        if self.ready:
            self.machine.stop()
        return bool(self.ready)

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
        self.watcher.listen(self.process.notices)
        if self.process.notices >= 0:
            self.dispatcher.listen()

    def _hear(self) -> None:
        if self.process.notices >= 0:
            self.listen()

    def _notice(self) -> None:
        self.process.attention = True

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
        self.watcher.forked()
        self.watcher = Watcher(self.machine.stop, self._notice)
        self._hear()

    def at_rest(self) -> bool:
        return self.watcher.at_rest

    def renew_helpers(self) -> None:
        self.watcher.renew()

    def rebind(self) -> None:
        self.dispatcher.rebind()

    def invalidate(self, address: int, size: int) -> None:
        self.process.memory.outdate(address, size)
