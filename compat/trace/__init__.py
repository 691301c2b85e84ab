"""Printing calls: text for people, JSON Lines for tools.

For the command line:

    tracing = Tracing(output="trace.txt" | None for stderr, json=False, expression="openat,%memory" | "", summary=False)
    guest = Guest(image.guest, image.cpu, options, host=tracing.host(), tracer=tracing.tracer)
    status = guest.run(program)
    tracing.finish(status)          # in every process: a forked child comes back from `run` too

`Tracing(…)` raises CompatError if the file can't be written; `tracing.tracer` (called by Guest) raises CompatError for
an expression that names no call. `finish` prints `+++ exited with 0 +++` and, in the first process, the summary.
"""

from compat.trace.tracing import Tracing

__all__ = ["Tracing"]
