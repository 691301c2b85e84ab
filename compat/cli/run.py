"""`compat run`: find the program, run it, and end as it ended."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING, NoReturn

from compat.cli.granting import guest_environment, guest_options
from compat.cli.missing import Missing
from compat.cli.options import Values
from compat.cli.program import find_program
from compat.cli.refusals import USAGE, Refusal
from compat.cli.status import end
from compat.guest import Guest
from compat.host import Host
from compat.process import Program

if TYPE_CHECKING:
    from compat.trace.tracing import Tracing

__all__ = ["run"]

_GRACE = 1  # seconds between the soft and the hard limit of CPU time


def run(values: Values, words: list[str], tracing: Tracing | None = None) -> NoReturn:
    """Run the program *words*[0] with the arguments that follow, and end this process as it ends."""
    if not words:
        name = "trace" if tracing else "run"
        raise Refusal(f"{name}: PROGRAM is missing; see `compat {name} --help`", USAGE)
    options = guest_options(values)
    environment = guest_environment(options, os.environ)
    host = Host()
    found = find_program(words[0], options, environment.get("PATH", ""), host)
    guest = Guest(
        found.image.guest,
        found.image.cpu,
        options,
        host=tracing.host() if tracing else host,
        tables=values["tables"],
        tracer=tracing.tracer if tracing else None,
    )
    if options.cpu_time is not None:
        _limit_cpu(options.cpu_time)
    program = Program(
        found.path,
        [os.fsencode(word) for word in words],
        [os.fsencode(f"{name}={value}") for name, value in environment.items()],
        found.guest_path,
    )
    missing = None if values["quiet"] else Missing(guest)
    first = os.getpid()
    gc.freeze()  # nothing so far is garbage, nor shall a search for some in a forked child copy its pages
    gc.enable()
    status = guest.run(program)
    if tracing is not None:
        tracing.finish(status)
    if missing is not None:
        missing.tell()
    end(guest.process.abi, status, child=os.getpid() != first)


def _limit_cpu(seconds: int) -> None:
    """Let the host count: SIGXCPU after *seconds*, as setrlimit(2) has it, and SIGKILL soon after."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    most = seconds + _GRACE if hard == resource.RLIM_INFINITY else min(seconds + _GRACE, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (min(seconds, most), most))
