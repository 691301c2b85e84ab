"""`-c`: the counts are those of the lines, children's included."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from compat.trace.summary import Count, table
from tests.trace.traced import trace


def counts(lines: list[str]) -> dict[str, tuple[int, int]]:
    """call → (calls, errors) of a summary."""
    found = {}
    for line in lines[2:-2]:
        words = line.split()
        found[words[-1]] = int(words[3]), int(words[4]) if len(words) == 6 else 0
    return found


def test_the_table() -> None:
    lines = table({"read": Count(4, 1, 0.001), "write": Count(1, 0, 0.003)})
    assert lines[0].split() == ["%", "time", "seconds", "µs/call", "calls", "errors", "call"]
    assert lines[2].split() == ["75.00", "0.003000", "3000", "1", "write"]
    assert lines[3].split() == ["25.00", "0.001000", "250", "4", "1", "read"]
    assert lines[5].split() == ["100.00", "0.004000", "800", "5", "1", "total"]
    assert table({})[-1].split() == ["0.00", "0.000000", "0", "0", "total"]


def test_a_run_counts_what_it_would_show(tmp_path: Path) -> None:
    lines, _ = trace(tmp_path, "mips/files")
    calls = Counter(line.partition("(")[0] for line in lines[:-1])
    errors = Counter(line.partition("(")[0] for line in lines if " = -1 E" in line)
    summary, _ = trace(tmp_path, "mips/files", "-c")
    assert counts(summary) == {name: (count, errors[name]) for name, count in calls.items()}


def test_children_are_counted(tmp_path: Path) -> None:
    """All but those that SIGKILL took unawares."""
    lines, _ = trace(tmp_path, "x86-64/processes", "-e", "fork")
    ended = {line.partition("+++")[0] for line in lines if "+++ " in line}
    forks = sum(line.partition("fork()")[0] in ended for line in lines if "fork() = " in line)
    assert forks > 2
    summary, _ = trace(tmp_path, "x86-64/processes", "-e", "fork", "-c")
    assert counts(summary) == {"fork": (forks, 0)}
