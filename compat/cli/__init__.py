"""The command line: `compat COMMAND …`. Each command's module is imported only when it is asked for."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence

from compat.cli.refusals import native, refusing

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command (default: the words of this process's command line) and return its exit status."""
    native()
    words = list(sys.argv[1:] if arguments is None else arguments)
    understood: list[tuple[Callable[[], int], bool]] = []
    status = refusing(lambda: _understand(words, understood), debug="--debug" in words)
    for act, debug in understood:
        status = refusing(act, debug=debug)
    gc.enable()  # for who called this function; a guest that ran has ended the process
    return status


def _understand(words: list[str], understood: list[tuple[Callable[[], int], bool]]) -> int:
    """Add what to do, and whether `--debug` was given; raises Refusal for a wrong usage."""
    if words and words[0] == "run":
        from compat.cli.granting import RUN
        from compat.cli.options import parse

        values, rest = parse(RUN, words[1:])
        if not values["help"]:
            gc.disable()  # until the guest runs: what a start makes stays
            from compat.cli.run import run

            understood.append((lambda: run(values, rest), values["debug"]))
            return 0
    from compat.cli.commands import understand

    understood.append(understand(words))
    return 0
