"""All the commands but the quick way to `compat run`; help and version."""

from __future__ import annotations

import sys
from collections.abc import Callable

from compat.cli.options import Command, Values, parse, usage
from compat.cli.refusals import USAGE, Refusal

__all__ = ["overview", "understand"]

_Act = Callable[[Values, list[str]], int]
_NAMES = ("run", "trace", "info", "calls")


def understand(words: list[str]) -> tuple[Callable[[], int], bool]:
    """What to do for a command line, and whether `--debug` was given; raises Refusal for a wrong usage."""
    name = words[0] if words else ""
    if name in ("-h", "--help", "help"):
        return lambda: _print(overview()), False
    if name in ("-V", "--version"):
        return lambda: _print(f"compat {_version()}\n"), False
    if name not in _NAMES:
        wrong = f"there is no command {name!r}" if name else "a command is missing"
        raise Refusal(f"{wrong}; there are {', '.join(_NAMES)} (see `compat --help`)", USAGE)
    command, act = _find(name)
    values, rest = parse(command, words[1:])
    if values["help"]:
        return lambda: _print(usage(command)), False
    return lambda: act(values, rest), values["debug"]


def _find(name: str) -> tuple[Command, _Act]:
    if name == "trace":
        from compat.cli.trace import TRACE, trace

        return TRACE, trace
    if name == "info":
        from compat.cli.info import INFO, info

        return INFO, info
    if name == "calls":
        from compat.cli.calls import CALLS, calls

        return CALLS, calls
    from compat.cli.granting import RUN
    from compat.cli.run import run

    return RUN, run


def overview() -> str:
    """The text of `compat --help`."""
    lines = ["usage: compat COMMAND …", "", "Programs made for other operating systems and other CPUs.", ""]
    for name in _NAMES:
        command, _ = _find(name)
        lines.append(f"  compat {name} [options] {command.rest}".ljust(50) + command.words)
    return "\n".join([*lines, "", "`compat COMMAND --help` shows the options of a command."]) + "\n"


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("compat-layer")
    except PackageNotFoundError:
        return "(not installed)"


def _print(text: str) -> int:
    sys.stdout.write(text)
    return 0
