"""`Tracing`: what the user asked to see of one run, and the hooks that the engine composes in."""

from __future__ import annotations

import os
import time

from compat.dispatch import Tracer
from compat.host import Host
from compat.process import Process
from compat.trace.calls import CallTracer
from compat.trace.events import EndEvent, Printer
from compat.trace.filters import Selection
from compat.trace.hostcalls import HostCalls
from compat.trace.hosts import TracedHost
from compat.trace.lines import Lines
from compat.trace.records import Records
from compat.trace.summary import Summary
from compat.trace.writer import Writer

__all__ = ["Tracing"]

_CORE = 0x80


class Tracing:
    """One traced run. See compat.trace for how it is used."""

    def __init__(
        self, output: str | None = None, *, json: bool = False, expression: str = "", summary: bool = False
    ) -> None:
        self._writer = Writer(output)
        self._printer: Printer = (Summary if summary else Records if json else Lines)(self._writer)
        self._expression = expression
        self._host = HostCalls()
        self._calls: CallTracer | None = None
        self._process: Process | None = None

    def host(self) -> Host:
        """The Host to give the guest: it reports each of its calls."""
        return TracedHost(self._host.report)

    def tracer(self, process: Process) -> Tracer:
        """What Guest takes as *tracer*; raises CompatError for an expression that names no call."""
        self._process = process
        selection = Selection(process.abi, self._expression, process.other_abi)
        self._calls = CallTracer(process, selection, self._host, self._printer)
        return self._calls

    def finish(self, status: int) -> None:
        """The process ended with this wait status word (wait(2)), its signal the guest's number."""
        if self._calls:
            self._calls.unfinished()
        number = status & 0x7F
        signal = str(self._process.abi.signals.decode(number)) if number and self._process else ""
        code = None if number else status >> 8 & 0xFF
        self._printer.end(EndEvent(time.time(), os.getpid(), code, signal, bool(number and status & _CORE)))
