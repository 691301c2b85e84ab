"""The watcher: a host thread that stops guest code when a host signal arrives or a time slice ends.

Python's signal handlers don't run inside the CPU's emu_start, but the C half of a handler writes to the wake-up
descriptor at once; the watcher reads it. The thread exists only once someone needs it.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading

__all__ = ["Watcher"]

_SLICE = 0.01  # seconds of one turn
_INSIST = 0.002  # a stop that falls between two runs of guest code is lost, so it is asked for more than once
_TIMES = 3


class Watcher:
    """Calls *interrupt*, which stops guest code, from its own host thread."""

    def __init__(self, interrupt: Callable[[], None]) -> None:
        self._interrupt = interrupt
        self._thread: threading.Thread | None = None
        self._slicing = False
        self._closed = False
        self._control: tuple[int, int] = (-1, -1)
        self._wake: tuple[int, int] = (-1, -1)

    def listen(self) -> None:
        """Wake up for host signals from now on."""
        if self._wake[0] < 0:
            self._wake = _pipe()
        self._start()
        signal.set_wakeup_fd(self._control[1], warn_on_full_buffer=False)

    def slice(self, wanted: bool) -> None:
        """End turns of `_SLICE` seconds from now on, or no longer."""
        if wanted != self._slicing:
            self._slicing = wanted
            if wanted:
                self._start()
                _nudge(self._control[1])

    def alarm(self) -> None:
        """Something needs attention: stop guest code, and end a `poll` that is under way or begins next."""
        _nudge(self._wake[1])
        _nudge(self._control[1])

    def poll(self, descriptors: Mapping[int, int], timeout: float | None) -> dict[int, int]:
        """poll(2) on host descriptors for *timeout* seconds; an alarm ends it early. Returns descriptor → events."""
        poller = select.poll()
        for fd, mask in descriptors.items():
            poller.register(fd, mask)
        if self._wake[0] >= 0:
            poller.register(self._wake[0], select.POLLIN)
        ready = dict(poller.poll(None if timeout is None else timeout * 1000))
        if ready.pop(self._wake[0], 0):
            _drain(self._wake[0])
        return ready

    def close(self) -> None:
        """End the host thread and release the descriptors."""
        self._closed = True
        if self._thread is not None:
            signal.set_wakeup_fd(-1)
            _nudge(self._control[1])
            self._thread.join(1)
        for fd in (*self._control, *self._wake):
            if fd >= 0:
                os.close(fd)
        self._control = self._wake = (-1, -1)

    def _start(self) -> None:
        if self._thread is None:
            self._control = _pipe()
            import threading  # only here: most guests never need it

            self._thread = threading.Thread(target=self._watch, name="compat-watcher", daemon=True)
            self._thread.start()

    def _watch(self) -> None:
        insist = 0
        reader = self._control[0]
        while not self._closed:
            timeout = _INSIST if insist else _SLICE if self._slicing else None
            if select.select([reader], [], [], timeout)[0]:
                _drain(reader)
                insist = _TIMES
            elif insist:
                insist -= 1
            if not self._closed:
                self._interrupt()


def _pipe() -> tuple[int, int]:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    return reader, writer


def _nudge(fd: int) -> None:
    if fd >= 0:
        try:
            os.write(fd, b".")
        except BlockingIOError:
            pass  # full: the reader wakes up anyway


def _drain(fd: int) -> None:
    try:
        while os.read(fd, 4096):
            pass
    except BlockingIOError:
        pass
