"""`Tracing`: what the user asked to see of one run, and the hooks that the engine composes in."""

from __future__ import annotations

from compat.dispatch import Tracer
from compat.host import Host
from compat.process import Process

__all__ = ["Tracing"]


class Tracing:
    """One traced run. See compat.trace for how it is used."""

    def __init__(
        self, output: str | None = None, *, json: bool = False, expression: str = "", summary: bool = False
    ) -> None:
        raise NotImplementedError

    def host(self) -> Host:
        """The Host to give the guest: it reports each of its calls."""
        raise NotImplementedError

    def tracer(self, process: Process) -> Tracer:
        """What Guest takes as *tracer*; raises CompatError for an expression that names no call."""
        raise NotImplementedError

    def finish(self, status: int) -> None:
        """The process ended with this wait status word."""
        raise NotImplementedError
