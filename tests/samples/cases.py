"""The samples and what each must print: read by the native and by the guest test."""

from __future__ import annotations

import difflib
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "samples" / "linux"
KNOWN_FAILURES = Path(__file__).parent / "known_failures.txt"

HOST_CPUS = {
    "x86_64": "x86-64",
    "aarch64": "aarch64",
    "riscv64": "riscv64",
    "s390x": "s390x",
    "ppc64le": "ppc64le",
}
"""platform.machine() of Linux hosts, and our name for that CPU."""


OPTIONS = {"inet": ("--net", "host")}
"""What a sample must be granted, beside what every guest has."""


@dataclass(frozen=True)
class Outcome:
    """What a program printed and its exit status as a shell shows it: 128 + n when signal n ended it."""

    output: str
    status: int

    def __str__(self) -> str:
        return f"{self.output}exit status {self.status}\n"


def names() -> list[str]:
    """All samples that have an expected outcome."""
    return sorted(file.stem for file in SAMPLES.glob("*.expected"))


def cpus() -> list[str]:
    """All CPUs that samples are built for."""
    return sorted(folder.name for folder in SAMPLES.iterdir() if folder.is_dir())


def host_cpu() -> str | None:
    """The CPU whose samples run here without help; None where there is none."""
    return HOST_CPUS.get(platform.machine()) if sys.platform == "linux" else None


def expected(name: str) -> str:
    """The outcome recorded for *name*, as str(Outcome) writes it."""
    return (SAMPLES / f"{name}.expected").read_text()


def run(command: Sequence[object], folder: Path, *, timeout: float = 60, unprivileged: bool = False) -> Outcome:
    """Run in *folder*, no terminal, empty input; standard error is passed on, so a failing test shows it.

    Raises subprocess.TimeoutExpired. *unprivileged*: as nobody when started by root.
    """
    user = 65534 if unprivileged and os.geteuid() == 0 else None
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout,
        user=user,
        check=False,
    )
    sys.stderr.write(done.stderr.decode(errors="replace"))
    status = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return Outcome(done.stdout.decode(errors="replace"), status)


def compare(name: str, outcome: Outcome) -> None:
    """Raise AssertionError with a diff when *outcome* is not what *name* must give."""
    wanted, got = expected(name).splitlines(), str(outcome).splitlines()
    if wanted != got:
        raise AssertionError("\n".join(difflib.unified_diff(wanted, got, "expected", "got", lineterm="", n=1)))


def known_failure(cpu: str, name: str) -> str | None:
    """The reason that known_failures.txt gives for this pair: lines of `CPU-NAME reason`, with * and ?."""
    for line in KNOWN_FAILURES.read_text().splitlines():
        pattern, _, reason = line.partition(" ")
        if pattern and not pattern.startswith("#") and fnmatch(f"{cpu}-{name}", pattern):
            return reason.strip()
    return None
