"""The tracer of one process: wraps each row's function, so that a call that ends becomes an event."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from compat.abi.rows import Row
from compat.bind import Binder, Call
from compat.errors import Interrupted, MemoryFault, ThreadExit, Wait
from compat.process import Process, Thread
from compat.trace.events import Argument, CallEvent, Printer, SignalEvent
from compat.trace.filters import Selection
from compat.trace.hostcalls import HostCalls
from compat.trace.view import View

__all__ = ["CallTracer"]

_RESTARTS = {"sa_restart": "ERESTARTSYS", "no_handler": "ERESTARTNOHAND"}
"""How an interrupted call goes on, in the kernel's words (include/linux/errno.h); the third way is a plain EINTR."""


@dataclass
class _Open:
    """A call under way. *started* is a perf_counter() time; *given* are the arguments, *texts* as shown before it."""

    event: CallEvent
    view: View
    given: Sequence[object]
    texts: list[str]
    started: float


class CallTracer:
    """Wraps the calls that *selection* wants; *host* collects what serves them, *printer* gets the events."""

    def __init__(self, process: Process, selection: Selection, host: HostCalls, printer: Printer) -> None:
        self._process = process
        self._selection = selection
        self._host = host
        self._printer = printer
        self._binder = Binder(process.abi)
        self._waiting: dict[int, _Open] = {}
        self._pid = os.getpid()
        self._many = False
        process.on_signal = self._signal

    def wrap(self, row: Row | None, number: int, call: Call, binder: Binder | None = None) -> Call:
        """*call*, reported; or *call* itself where the user did not ask for it. *binder* is that of a row of another
        system than the process's."""
        view = View(binder or self._binder, row, number)
        if not self._selection.wants(view.name, row):
            return call

        def traced(thread: Thread, slots: Sequence[int]) -> int | None:
            opened = self._enter(thread, view, slots)
            try:
                result = call(thread, slots)
            except Wait:
                self._waiting[thread.id] = opened
                opened.event.host = [*opened.event.host, *self._host.take()]
                raise
            except Exception as error:
                self._fail(opened, error)
                self._leave(thread, opened)
                raise
            if thread.jump is None and self._process.status is None and not (row and row.in_runtime):
                opened.event.result = result or 0
                opened.event.text = view.show_result(thread, result or 0)
            self._leave(thread, opened)
            return result

        return traced

    def unfinished(self) -> None:
        """Report the calls that the end of the process cut short."""
        for opened in self._waiting.values():
            opened.event.remark = "unfinished"
            self._report(opened)
        self._waiting.clear()

    def _enter(self, thread: Thread, view: View, slots: Sequence[int]) -> _Open:
        self._host.collect()
        opened = self._waiting.pop(thread.id, None)
        if opened is not None and opened.view is view:
            return opened
        given = view.decode(thread, slots)
        event = CallEvent(
            time.time(), self._here(), thread.id, view.name, view.number, view.state, (), remark=view.remark()
        )
        return _Open(event, view, given, view.before(given), time.perf_counter())

    def _fail(self, opened: _Open, error: Exception) -> None:
        event = opened.event
        if isinstance(error, Interrupted):
            event.restart = _RESTARTS.get(error.restart, "")
            event.error = "" if event.restart else "EINTR"
        elif not isinstance(error, ThreadExit):
            event.error = self._error_name(error)

    def _error_name(self, error: Exception) -> str:
        """The guest's name for what the dispatcher makes of *error*."""
        abi = self._process.abi
        host = errno.EFAULT if isinstance(error, MemoryFault) else getattr(error, "errno", None) or errno.EIO
        number = abi.host_errors.get(host, abi.host_errors[errno.EIO])
        return abi.error_names[number]

    def _leave(self, thread: Thread, opened: _Open) -> None:
        opened.event.host = [*opened.event.host, *self._host.take()]
        opened.event.pid = self._here()
        opened.event.tid = thread.id
        self._report(opened)

    def _report(self, opened: _Open) -> None:
        event = opened.event
        event.duration = time.perf_counter() - opened.started
        texts = opened.view.after(opened.given, opened.texts, event.result)
        named = zip(opened.view.names, opened.given, texts, strict=True)
        event.args = [Argument(name, plain_value(value), text) for name, value, text in named]
        event.many = self._several()
        self._printer.call(event)

    def _signal(self, thread: Thread, name: str, code: str, fields: Mapping[str, object]) -> None:
        event = SignalEvent(time.time(), self._here(), thread.id, name, code, fields, self._several())
        self._printer.signal(event)

    def _here(self) -> int:
        """This process's pid; a forked child starts with one thread and no call under way."""
        pid = os.getpid()
        if pid != self._pid:
            self._pid, self._many = pid, False
            self._waiting.clear()
        return pid

    def _several(self) -> bool:
        self._many = self._many or len(self._process.threads) > 1
        return self._many


def plain_value(value: object) -> object:
    """A decoded argument as JSON can hold it: a number, the address behind a handle, None for NULL."""
    if isinstance(value, int) or value is None:
        return value
    for attribute in ("address", "value"):
        found = getattr(value, attribute, None)
        if isinstance(found, int):
            return found
    return str(value)
