"""`python -m tests.real.stress_ng`: each stressor of Debian's stress-ng (arm64) for a second, in compat and qemu-user.

It wants an ordinary user: some stressors change the machine where they may.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tests.real.debian import sysroot
from tests.real.running import Program

RECORD = Path(__file__).parent / "STRESS.md"
WAYS = ("qemu", "compat")
HEADER = ["stressor", *WAYS, "why"]
LONGEST = 100  # of what stress-ng says
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
NO_RESOURCE, NOT_IMPLEMENTED = 3, 4  # stress-ng(1), EXIT STATUS

SKIPPED = re.compile(r"will be skipped|\(built |not implemented|No stress workers|disabled '|skipping stressor")
NOISE = re.compile(r"setting to a|dispatching hogs|run completed|No stress workers|dispatching|unsuccessful run")


class Outcome(NamedTuple):
    """*state* is passed, skipped, failed, or no end; *why* is what stress-ng said."""

    state: str
    why: str = ""


def stress_ng() -> Program:
    """Debian's stress-ng for arm64, which has the host's network: its sockets are for loopback."""
    root = sysroot("arm64", "stress-ng")
    return Program(root / "usr/bin/stress-ng", "aarch64", root, ("--net", "host"))


def arguments(name: str) -> list[str]:
    """One worker of *name*, for a second."""
    return [f"--{name}", "1", "--timeout", "1", "--verify", "--temp-path", "."]


def stress(program: Program, name: str, way: str, folder: Path, limit: float) -> Outcome:
    """Run one stressor in *folder* for up to *limit* seconds."""
    with (folder / "said").open("w+b") as said:
        command = program.command(*arguments(name), way=way)
        started = subprocess.Popen(command, cwd=folder, stdout=said, stderr=said, env=program.environment())
        try:
            status = started.wait(limit)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()
            status = None
        said.seek(0)
        return judge(status, said.read().decode(errors="replace"))


def judge(status: int | None, said: str) -> Outcome:
    """What the exit status (None: it did not end) and the output of stress-ng mean."""
    wrong = "stress-ng: fail:" in said  # which some stressors say and go on, with an exit status of 0
    told = [re.sub(r"^.*?: +\[\d+\] ", "", line) for line in said.splitlines()]
    told = [line for line in told if not line.startswith("compat: not implemented")]
    skipped = [line for line in told if SKIPPED.search(line)]
    reasons = [line.removeprefix("stress-ng: ") for line in told if line and not NOISE.search(line)]
    if status is None:
        return Outcome("no end")
    if (skipped and not wrong) or status in (NO_RESOURCE, NOT_IMPLEMENTED):
        return Outcome("skipped", next(iter(skipped or reasons), f"exit status {status}")[:LONGEST])
    if wrong or status or "run completed" not in said or "unsuccessful" in said:
        return Outcome("failed", next(iter(reasons), f"exit status {status}")[:LONGEST])
    return Outcome("passed")


def adopt_orphans() -> None:
    """Become the parent of what our children leave behind (prctl(2))."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_children() -> None:
    """Kill our children, and theirs as they become ours, until there are none."""
    while True:
        for pid in Path("/proc/thread-self/children").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def stressors(program: Program) -> list[str]:
    """The names of all."""
    told = subprocess.run(program.command("--stressors", way="qemu"), capture_output=True, text=True, check=True)
    return told.stdout.split()


def cells(line: str) -> list[str]:
    """Those of a row of a Markdown table."""
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def row(name: str, outcomes: dict[str, Outcome]) -> list[str]:
    """The cells of a row; *why* once where all ways say the same."""
    whys = {way: told.why.removeprefix(f"{name}: ").replace("|", "/") for way, told in outcomes.items() if told.why}
    same = len(set(whys.values())) == 1 and len(whys) == len(outcomes)
    why = next(iter(whys.values())) if same else "; ".join(f"{way}: {why}" for way, why in whys.items())
    return [name, *(outcomes[way].state for way in WAYS), why]


def record(rows: Iterable[list[str]]) -> None:
    """Put *rows* into the record's table; its other rows, and the text around, stay."""
    old = RECORD.read_text().splitlines()
    first = old.index(line_of(HEADER))
    after = next((number for number in range(first, len(old)) if not old[number].startswith("|")), len(old))
    table = {row[0]: row for row in (*map(cells, old[first + 2 : after]), *rows)}
    lines = [line_of(row) for row in (HEADER, ["---"] * len(HEADER), *sorted(table.values()))]
    RECORD.write_text("\n".join([*old[:first], *lines, *old[after:]]) + "\n")


def line_of(row: list[str]) -> str:
    return "| " + " | ".join(row) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.real.stress_ng", description=__doc__)
    parser.add_argument("stressors", nargs="*", metavar="STRESSOR", help="all by default")
    parser.add_argument("--record", action="store_true", help=f"write {RECORD.name} too")
    parser.add_argument("--way", action="append", choices=WAYS, help="both by default")
    parser.add_argument("--limit", type=float, default=20, help="seconds for one run (20)")
    options = parser.parse_args()
    if os.geteuid() == 0:
        parser.error("not as root, who could harm the machine")
    program = stress_ng()
    adopt_orphans()
    with tempfile.TemporaryDirectory() as made:
        for name in options.stressors or stressors(program):
            outcomes = {}
            for way in options.way or WAYS:
                folder = Path(made) / "work"
                folder.mkdir()
                outcomes[way] = stress(program, name, way, folder, options.limit)
                end_children()
                shutil.rmtree(folder, ignore_errors=True)
            print(" | ".join([name, *(f"{way} {told.state} {told.why}" for way, told in outcomes.items())]), flush=True)
            if options.record and len(outcomes) == len(WAYS):
                record([row(name, outcomes)])


if __name__ == "__main__":
    main()
