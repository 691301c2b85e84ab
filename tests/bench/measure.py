"""Run a command and tell what it cost: CPU time of the process and its children, the best of several runs."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GUESTS = Path(__file__).parent / "guest"

QEMU = {"x86-64": "x86_64", "x86": "i386"}
"""What qemu-user calls our CPUs, where it differs."""


class Wrong(Exception):
    """A run that failed, or that printed another checksum than the others."""


@dataclass(frozen=True)
class Cost:
    """Seconds: *cpu* is user and system time, *wall* is what a person waits."""

    cpu: float
    wall: float

    def of(self, *, waits: bool) -> float:
        """The one of both that counts for a program that *waits*, or does not."""
        return self.wall if waits else self.cpu


@dataclass(frozen=True)
class Way:
    """One way to run a guest program: its name in the table, and the words before the program's own."""

    name: str
    prefix: tuple[str, ...]

    def command(self, cpu: str, host: str, program: str, arguments: tuple[str, ...]) -> list[str]:
        """The command for *program*; natively, the build for the host's CPU stands for every guest CPU."""
        build = host if self.name == "native" else cpu
        return [*self.prefix, str(GUESTS / build / program), *arguments]


def ways(cpu: str, host: str | None) -> list[Way]:
    """The ways to run guests of *cpu* that this machine has."""
    found = [Way("native", ())] if host and (GUESTS / host).is_dir() else []
    if qemu := shutil.which(f"qemu-{QEMU.get(cpu, cpu)}"):
        found.append(Way("qemu-user", (qemu,)))
    if cpu in ("x86-64", "aarch64"):
        found.append(Way("bare", (sys.executable, "-m", "tests.bench.bare")))
    return [*found, Way("compat", (sys.executable, "-m", "compat", "run"))]


def cost(command: list[str], repeat: int, timeout: float, *, pinned: bool = False) -> tuple[Cost, bytes]:
    """The cheapest of *repeat* runs in a folder of its own, on one CPU if *pinned*, and what it printed; or Wrong."""
    best = Cost(float("inf"), float("inf"))
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(repeat):
            before, started = children(), time.perf_counter()
            try:
                done = subprocess.run(
                    command,
                    cwd=folder,
                    env=environment(),
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=timeout,
                    check=False,
                    preexec_fn=_stay_on_one_cpu if pinned else None,
                )
            except subprocess.TimeoutExpired:
                raise Wrong(f"no end within {timeout:.0f} s") from None
            spent = Cost(children() - before, time.perf_counter() - started)
            if done.returncode:
                last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
                raise Wrong(f"exit status {done.returncode}: {''.join(last)[:120]}")
            best = Cost(min(best.cpu, spent.cpu), min(best.wall, spent.wall))
    return best, done.stdout


def _stay_on_one_cpu() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def environment() -> dict[str, str]:
    """The caller's, with this repository to import from; byte code is kept, since starting warm is what is measured."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPATH": str(ROOT)}


def children() -> float:
    """CPU seconds that all children that have ended have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
