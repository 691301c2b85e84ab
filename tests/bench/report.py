"""The bench's table, for a terminal and as Markdown, and its sums."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import prod

from rich.table import Table

from tests.bench.programs import PROGRAMS, Program

WAYS = ("native", "qemu-user", "bare", "compat")
RATIOS = ("native", "qemu-user", "bare")


@dataclass(frozen=True)
class Row:
    """One program of one CPU: CPU seconds per way, and why a way has none."""

    cpu: str
    name: str
    program: Program
    costs: dict[str, float]
    problems: dict[str, str] = field(default_factory=dict)
    python: float = 0

    def ratio(self, to: str, of: str = "compat") -> float | None:
        """How many times as much *of* costs; None where one of both is missing."""
        return self.costs[of] / self.costs[to] if of in self.costs and to in self.costs else None

    def cells(self) -> list[str]:
        """The row as text: guest, program, unit, each way's cost, compat's ratio to each other way."""
        costs = [self.program.show(self.costs[way]) if way in self.costs else "–" for way in WAYS]
        ratios = [f"{ratio:.2f}" if (ratio := self.ratio(way)) else "–" for way in RATIOS]
        return [self.cpu, self.name, self.program.unit, *costs, *ratios]


HEADER = ["guest", "program", "unit", *WAYS, *(f"compat/{way}" for way in RATIOS)]


def table(rows: Iterable[Row]) -> Table:
    """The rows side by side, a rule between two guests."""
    made, last = Table(), None
    for number, title in enumerate(HEADER):
        made.add_column(title, justify="left" if number < 3 else "right")
    for row in rows:
        if last not in (None, row.cpu):
            made.add_section()
        last = row.cpu
        made.add_row(*row.cells())
    return made


def mean(values: Sequence[float]) -> float:
    """The geometric mean."""
    return float(prod(values) ** (1 / len(values)))


def summary(rows: Sequence[Row]) -> list[str]:
    """Sentences: start-up against Python's own, compute against the other ways, mean and worst."""
    lines = []
    for row in rows:
        if row.name == "startup" and "compat" in row.costs:
            times = row.costs["compat"] / row.python
            lines.append(
                f"{row.cpu}: starting a tiny program costs {times:.1f} × `python3 -c pass` ({row.python * 1000:.0f} ms)"
            )
    for of, to in (("compat", "qemu-user"), ("compat", "bare"), ("bare", "qemu-user")):
        for cpu in dict.fromkeys(row.cpu for row in rows):
            compute = [row for row in rows if row.cpu == cpu and row.program.compute]
            ratios = {row.name: ratio for row in compute if (ratio := row.ratio(to, of))}
            if ratios:
                worst = max(ratios, key=lambda name: ratios[name])
                told = (
                    f"{mean(list(ratios.values())):.2f} × as a geometric mean, {ratios[worst]:.2f} × at worst ({worst})"
                )
                lines.append(f"{cpu}: computing, {of} costs {told} of {to}")
    return lines


def problems(rows: Iterable[Row]) -> list[str]:
    """One sentence for each run that failed."""
    return [f"{row.cpu} {row.name}, {way}: {why}" for row in rows for way, why in row.problems.items()]


def markdown(header: Sequence[str], rows: Sequence[Row]) -> str:
    """The whole report as a Markdown file."""
    lines = ["# A recorded run of `python -m tests.bench`", "", *(f"- {line}" for line in header)]
    lines.append("- CPU time of the cheapest run, without start-up; native is the same source built for this machine")
    lines.append("- by the clock, not CPU time: " + ", ".join(name for name, each in PROGRAMS.items() if each.waits))
    lines += ["", "| " + " | ".join(HEADER) + " |", "|" + "---|" * 3 + "---:|" * (len(HEADER) - 3)]
    lines += ["| " + " | ".join(row.cells()) + " |" for row in rows]
    lines += ["", *(f"- {line}" for line in [*summary(rows), *problems(rows)])]
    return "\n".join(lines) + "\n"
