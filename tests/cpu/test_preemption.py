"""Another host thread stops an endless loop, which then goes on."""

from __future__ import annotations

import threading

from tests.cpu.guest import CODE, Guest, program


def test_endless_loop_is_stopped_and_goes_on(guest: Guest) -> None:
    guest.load("loop")
    counts = []
    pc = CODE
    for _ in range(3):
        done = threading.Event()

        def preempt(done: threading.Event = done) -> None:
            while not done.wait(0.005):
                guest.machine.stop()

        watcher = threading.Thread(target=preempt)
        watcher.start()
        stop = guest.machine.run(pc)
        done.set()
        watcher.join()
        assert stop.kind == "requested"
        pc = guest.pc
        assert CODE <= pc < CODE + len(program(guest.cpu, "loop"))
        counts.append(guest["copy"])
    assert 0 < counts[0] < counts[1] < counts[2]
