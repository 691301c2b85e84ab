"""The bench programs: which file, with what arguments, and in which unit their cost is told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Program:
    """*times* is how often the measured thing happens in a run; *unit* is of one such thing.

    One that *waits* for another process or thread is measured by the clock instead of by the CPU time it took, and not
    on the bare CPU, which has neither. A *pinned* one gets one CPU of the host for all: what two CPUs need to wake each
    other varies more than all the rest.
    """

    file: str
    arguments: tuple[str, ...] = ()
    times: int = 1
    unit: str = "ms"
    compute: bool = False
    waits: bool = False
    pinned: bool = False

    def show(self, seconds: float) -> str:
        """The cost of one in the program's unit."""
        value = seconds * (1e6 if self.unit == "µs" else 1e3)
        return f"{value:.2f}" if value < 100 else f"{value:,.0f}"


PROGRAMS = {
    "startup": Program("startup"),
    "system call": Program("syscall", ("200000",), 200_000, "µs"),
    "4 KiB write or read": Program("blocks", ("20000", "4096"), 40_000, "µs"),
    "1 byte write or read": Program("blocks", ("40000", "1"), 80_000, "µs"),
    "fork, exit and wait": Program("fork", ("200",), 200, waits=True),
    "execve": Program("execute", ("100",), 100, waits=True),
    "pipe there and back": Program("pingpong", ("5000",), 5000, "µs", waits=True),
    "the same on one CPU": Program("pingpong", ("5000",), 5000, "µs", waits=True, pinned=True),
    "futex wake-up": Program("wake", ("5000",), 10_000, "µs", waits=True),
    "integer": Program("integer", compute=True),
    "sort": Program("sort", compute=True),
    "floating": Program("floating", compute=True),
    "memory": Program("memory", compute=True),
    "branches": Program("branches", compute=True),
    "chase": Program("chase", compute=True),
}
