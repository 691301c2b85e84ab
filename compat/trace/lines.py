"""The trace as text: a line per call, guest side first, host side after an arrow.

openat(AT_FDCWD, "/etc/hosts", O_RDONLY) = 3   → openat(…/sysroot/etc/hosts, O_RDONLY) = 7
--- SIGSEGV {si_code=SEGV_MAPERR, addr=0x10} ---
+++ exited with 0 +++
"""

from __future__ import annotations

import errno
import os

from compat.trace.events import CallEvent, EndEvent, SignalEvent
from compat.trace.hostcalls import served_by, show_host_call
from compat.trace.writer import Writer

__all__ = ["Lines", "show_call"]


class Lines:
    """Prints events for people. Once there are several, lines begin with `[pid N]`, or `[pid N tid T]` for a thread."""

    def __init__(self, writer: Writer) -> None:
        self._write = writer.line
        self._first = os.getpid()

    def call(self, event: CallEvent) -> None:
        self._write(self._prefix(event.pid, event.tid, event.many) + show_call(event))

    def signal(self, event: SignalEvent) -> None:
        fields = "".join(f", {name}={_show_field(name, value)}" for name, value in event.fields.items())
        text = f"--- {event.signal} {{si_code={event.code}{fields}}} ---"
        self._write(self._prefix(event.pid, event.tid, event.many) + text)

    def end(self, event: EndEvent) -> None:
        core = " (core dumped)" if event.core else ""
        how = f"killed by {event.signal}{core}" if event.signal else f"exited with {event.status}"
        self._write(self._prefix(event.pid, event.pid, False) + f"+++ {how} +++")

    def _prefix(self, pid: int, tid: int, many: bool) -> str:
        if many:
            return f"[pid {pid} tid {tid}] "
        return f"[pid {pid}] " if pid != self._first else ""


def show_call(event: CallEvent) -> str:
    """One line for one call, without a prefix."""
    text = f"{event.call}({', '.join(each.text for each in event.args if each.text)}) = {_show_result(event)}"
    if event.remark:
        text += f"   ({event.remark})"
    host = [show_host_call(call) for call in served_by(event.host)]
    return f"{text}   → {'; '.join(host)}" if host else text


def _show_result(event: CallEvent) -> str:
    if event.error:
        return f"-1 {event.error}" + (
            f" ({os.strerror(getattr(errno, event.error))})" if hasattr(errno, event.error) else ""
        )
    return f"? {event.restart}" if event.restart else event.text


def _show_field(name: str, value: object) -> str:
    return f"{value:#x}" if name in _POINTERS and isinstance(value, int) else str(value)


_POINTERS = ("addr", "value", "lower", "upper", "call_addr")
