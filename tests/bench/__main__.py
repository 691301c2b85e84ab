"""`python -m tests.bench`: what compat costs, beside native, qemu-user and a bare Unicorn, in one run."""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.console import Console

from tests.bench import measure, report
from tests.bench.programs import PROGRAMS
from tests.bench.report import Row

HOSTS = {"x86_64": "x86-64", "aarch64": "aarch64", "arm64": "aarch64"}
RESULTS = Path(__file__).parent / "RESULTS.md"


def host() -> str | None:
    """The CPU whose guests run here natively."""
    return HOSTS.get(platform.machine()) if sys.platform == "linux" else None


def rows(cpu: str, names: list[str], repeat: int, timeout: float) -> list[Row]:
    """Measure the programs *names* of *cpu* in every way; each row without what starting up costs that way."""
    found, here = [], host()
    ways = measure.ways(cpu, here)
    python, _ = measure.cost([sys.executable, "-c", "pass"], repeat + 2, timeout)
    starts: dict[str, measure.Cost] = {}
    for name in dict.fromkeys(["startup", *names]):
        program = PROGRAMS[name]
        costs: dict[str, float] = {}
        problems, output = {}, None
        for way in ways:
            if program.waits and way.name == "bare":
                continue
            command = way.command(cpu, here or "", program.file, program.arguments)
            try:
                spent, printed = measure.cost(command, repeat, timeout, pinned=program.pinned)
                if output not in (None, printed):
                    raise measure.Wrong(f"checksum {printed.decode().strip()} instead of {output!r}")
                output = printed
            except measure.Wrong as wrong:
                problems[way.name] = str(wrong)
                continue
            start = starts.get(way.name, measure.Cost(0, 0)).of(waits=program.waits)
            costs[way.name] = max(spent.of(waits=program.waits) - start, 1e-4) / program.times
            if name == "startup":
                starts[way.name] = spent
        if name in names:
            found.append(Row(cpu, name, program, costs, problems, python.cpu))
    return found


def header() -> list[str]:
    """What the machine is, without naming it."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), model)
    except OSError:
        pass
    packages = []
    for package in ("unicorn", "cffi", "pyelftools"):
        try:
            packages.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            packages.append(f"no {package}")
    today = datetime.datetime.now(datetime.UTC).date()
    system = f"{platform.system()}, Python {platform.python_version()}, {', '.join(packages)}"
    return [f"{today}, {os.cpu_count()} × {model}", system]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help=f"of {', '.join(PROGRAMS)}; all by default")
    parser.add_argument("--cpu", action="append", help="guest CPU; x86-64 and aarch64 by default")
    parser.add_argument("--repeat", type=int, default=3, help="runs of which the cheapest counts (3)")
    parser.add_argument("--timeout", type=float, default=120, help="seconds for one run (120)")
    parser.add_argument("--record", action="store_true", help=f"write {RESULTS.name} too")
    options = parser.parse_args()
    if unknown := set(options.programs) - set(PROGRAMS):
        parser.error(f"no such program: {', '.join(sorted(unknown))}")
    cpus = options.cpu or ["x86-64", "aarch64"]
    for cpu in cpus:
        if not (measure.GUESTS / cpu).is_dir():
            parser.error(f"no guests for {cpu}: build them with `python -m tests.bench.build --cpu {cpu}`")
    names = options.programs or list(PROGRAMS)
    console = Console()
    if not console.is_terminal:
        console = Console(width=140)
    with console.status("measuring"):
        found = [row for cpu in cpus for row in rows(cpu, names, options.repeat, options.timeout)]
    for line in header():
        console.print(line)
    console.print(report.table(found))
    for line in [*report.summary(found), *report.problems(found)]:
        console.print(line)
    if options.record:
        RESULTS.write_text(report.markdown(header(), found))


if __name__ == "__main__":
    main()
