"""The command line: `compat COMMAND …`. Each command's module is imported only when it is asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from compat.cli.refusals import Refusal, native, refusing, say

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command (default: the words of this process's command line) and return its exit status."""
    native()
    try:
        act, debug = _understand(list(sys.argv[1:] if arguments is None else arguments))
    except Refusal as error:
        say(str(error))
        return error.status
    return refusing(act, debug=debug)


def _understand(words: list[str]) -> tuple[Callable[[], int], bool]:
    """What to do, and whether `--debug` was given; raises Refusal for a wrong usage."""
    if words and words[0] == "run":
        from compat.cli.granting import RUN
        from compat.cli.options import parse

        values, rest = parse(RUN, words[1:])
        if not values["help"]:
            from compat.cli.run import run

            return (lambda: run(values, rest)), values["debug"]
    from compat.cli.commands import understand

    return understand(words)
