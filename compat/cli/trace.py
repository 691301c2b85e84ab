"""`compat trace`: as `compat run`, with a line for each call."""

from __future__ import annotations

from typing import NoReturn

from compat.cli.granting import GRANTS
from compat.cli.options import Command, Option, Values
from compat.cli.run import run

__all__ = ["TRACE", "trace"]

TRACE = Command(
    "trace",
    "PROGRAM [ARGUMENTS…]",
    "Run a program and show each of its calls, and what the host was asked for it.",
    (
        Option(("-o", "--output"), "FILE", "write the trace to FILE, not to stderr"),
        Option(("--json",), "", "write JSON Lines, an object for each call"),
        Option(
            ("-e", "--calls"), "LIST", "only these calls: openat,read or a class such as %file; !LIST means all others"
        ),
        Option(("-c", "--summary"), "", "show no lines, but at the end a table of calls, errors and time"),
        *GRANTS,
    ),
    guest=True,
    notes="The other options are those of `compat run`, whose help explains what the guest sees.",
)


def trace(values: Values, words: list[str]) -> NoReturn:
    """Run PROGRAM traced, and end this process as it ends."""
    from compat.trace.tracing import Tracing

    tracing = Tracing(
        values["output"], json=values["json"], expression=values["calls"] or "", summary=values["summary"]
    )
    run(values, words, tracing=tracing)
