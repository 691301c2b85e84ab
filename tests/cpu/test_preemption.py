"""Another host thread stops an endless loop, which then goes on as if nothing had been."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from compat.cpu.machine import Stop
from tests.cpu.guest import CODE, DATA, Guest, program


def run_a_while(guest: Guest, pc: int) -> Stop:
    """Run from *pc* until another host thread asks for a stop."""
    done = threading.Event()

    def preempt() -> None:
        while not done.wait(0.005):
            guest.machine.stop()

    watcher = threading.Thread(target=preempt)
    watcher.start()
    try:
        return guest.machine.run(pc)
    finally:
        done.set()
        watcher.join()


def test_endless_loop_is_stopped_and_goes_on(guest: Guest) -> None:
    guest.load("loop")
    counts = []
    pc = CODE
    for _ in range(3):
        assert run_a_while(guest, pc).kind == "requested"
        pc = guest.pc
        assert CODE <= pc < CODE + len(program(guest.cpu, "loop"))
        counts.append(guest["copy"])
    assert 0 < counts[0] < counts[1] < counts[2]


def counts_truly(guest: Guest, name: str, pc: int) -> None:
    """Each round adds one to a register and one to memory: what runs twice, or not at all, shows."""
    guest.load(name)
    guest["address"] = DATA
    for _ in range(20):
        assert run_a_while(guest, pc).kind == "requested"
        in_memory = int.from_bytes(guest.pages.read(DATA, 4), guest.order)
        assert (guest.pc, in_memory) == (CODE, guest["copy"] & 0xFFFFFFFF)


def test_no_instruction_is_stopped_half_way(guest: Guest) -> None:
    assert guest.machine.stops_exactly
    counts_truly(guest, "count", CODE)


def test_no_thumb_instruction_is_stopped_half_way() -> None:
    counts_truly(Guest("arm"), "thumb_count", CODE | 1)


@pytest.mark.parametrize("cpu", ["ppc", "ppc64", "ppc64le"])
def test_the_machine_s_own_code_is_not_stopped(cpu: str) -> None:
    for _ in range(20):
        machine = Guest(cpu).machine
        done = threading.Event()

        def pester(stop: Callable[[], None] = machine.stop, done: threading.Event = done) -> None:
            while not done.is_set():
                stop()

        thread = threading.Thread(target=pester)
        thread.start()
        try:
            assert machine.read("xer") == 0
        finally:
            done.set()
            thread.join()
