"""`-c`: instead of lines, a table of calls, errors and time at the end."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass

from compat.trace.events import CallEvent, EndEvent, SignalEvent
from compat.trace.writer import Writer

__all__ = ["Count", "Summary", "table"]


@dataclass
class Count:
    """How often a call was made and refused, and the seconds it took."""

    calls: int = 0
    errors: int = 0
    seconds: float = 0.0


class Summary:
    """Counts calls. Forked children leave their counts in a file that the first process reads when it ends."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._counts: dict[str, Count] = {}
        self._pid = self._first = os.getpid()
        self._children = tempfile.TemporaryFile("a+")  # noqa: SIM115, open as long as the run

    def call(self, event: CallEvent) -> None:
        count = self._here().setdefault(event.call, Count())
        count.calls += 1
        count.errors += bool(event.error)
        count.seconds += event.duration

    def signal(self, event: SignalEvent) -> None:
        """Signals are not counted."""

    def end(self, event: EndEvent) -> None:
        counts = self._here()
        if self._pid != self._first:
            self._children.write(json.dumps({n: (c.calls, c.errors, c.seconds) for n, c in counts.items()}) + "\n")
            self._children.flush()
            return
        self._children.seek(0)
        for line in self._children:
            for name, (calls, errors, seconds) in json.loads(line).items():
                count = counts.setdefault(name, Count())
                count.calls += calls
                count.errors += errors
                count.seconds += seconds
        for text in table(counts):
            self._writer.line(text)

    def _here(self) -> dict[str, Count]:
        """This process's counts: a forked child begins with none."""
        if os.getpid() != self._pid:
            self._pid = os.getpid()
            self._counts = {}
        return self._counts


def table(counts: Mapping[str, Count]) -> list[str]:
    """The lines of the summary, the call that took longest first."""
    total = sum(count.seconds for count in counts.values())
    lines = ["% time     seconds   µs/call     calls    errors call", _RULE]
    for name, count in sorted(counts.items(), key=lambda item: (-item[1].seconds, item[0])):
        lines.append(_line(name, count, total))
    whole = Count(sum(c.calls for c in counts.values()), sum(c.errors for c in counts.values()), total)
    return [*lines, _RULE, _line("total", whole, total)]


_RULE = " ".join("-" * width for width in (6, 11, 9, 9, 9, 16))


def _line(name: str, count: Count, total: float) -> str:
    share = 100 * count.seconds / total if total else 0.0
    each = round(count.seconds / count.calls * 1e6) if count.calls else 0
    return f"{share:6.2f} {count.seconds:11.6f} {each:9} {count.calls:9} {count.errors or '':9} {name}"
