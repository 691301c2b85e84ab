"""The watcher: a host thread that stops guest code when the host has news for the process or a time slice ends.

Neither Python nor this thread's news reach the CPU's emu_start by themselves. The thread exists only once someone
needs it, and no host signal is ever delivered to it.
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
_IDLE = 5  # ticks that nobody wanted before the thread stops ticking
_TICK = b"t"  # no number of a signal, which is what Python writes


class Watcher:
    """Calls *interrupt*, which stops guest code, from its own host thread; before that *notice*, if there is news."""

    def __init__(self, interrupt: Callable[[], None], notice: Callable[[], None]) -> None:
        self._interrupt = interrupt
        self._notice = notice
        self._thread: threading.Thread | None = None
        self._slicing = False
        self._ticking = False
        self._closed = False
        self.at_rest = False
        self._news = -1
        self._polled: tuple[dict[int, int], select.poll] = {}, select.poll()
        self._control: tuple[int, int] = (-1, -1)
        self._wake: tuple[int, int] = (-1, -1)

    def listen(self, news: int) -> None:
        """Heed from now on alarms, the descriptor *news* (-1: none), and signals that Python handles."""
        if self._wake[0] < 0:
            self._wake = _pipe()
        self._start()
        if news >= 0 and news != self._news:
            self._news = news
            _nudge(self._control[1])

    def slice(self, wanted: bool) -> None:
        """End turns of `_SLICE` seconds from now on, or no longer. Cheap to change often: the thread goes on ticking
        for a while when nobody wants it."""
        self._slicing = wanted
        if wanted and not self._ticking:
            self._ticking = True
            self._start()
            _nudge(self._control[1], _TICK)

    def alarm(self) -> None:
        """Something needs attention: stop guest code, and end a `poll` that is under way or begins next."""
        _nudge(self._wake[1])
        _nudge(self._control[1])

    def poll(self, descriptors: Mapping[int, int], timeout: float | None) -> dict[int, int]:
        """poll(2) on host descriptors for *timeout* seconds; an alarm or news end it early, which is noticed.

        Returns descriptor → events.
        """
        self.at_rest = True
        try:
            ready = dict(self._poller(descriptors).poll(None if timeout is None else timeout * 1000))
        finally:
            self.at_rest = False
        if ready.pop(self._wake[0], 0):
            _drain(self._wake[0])
        if ready.pop(self._news, 0):
            self._notice()
        return ready

    def _poller(self, descriptors: Mapping[int, int]) -> select.poll:
        """A poll object for *descriptors*, the wake-up pipe and the news; the last one's is kept."""
        wanted = {self._wake[0]: select.POLLIN, self._news: select.POLLIN, **descriptors}
        if wanted != self._polled[0]:
            poller = select.poll()
            for fd, mask in wanted.items():
                if fd >= 0:
                    poller.register(fd, mask)
            self._polled = wanted, poller
        return self._polled[1]

    def close(self) -> None:
        """End the host thread and release the descriptors."""
        self._closed = True
        if self._thread is not None:
            signal.set_wakeup_fd(-1)
            _nudge(self._control[1])
            self._thread.join(1)
        self._release()

    def renew(self) -> None:
        """End the host thread; another one goes on, with the rights that the calling thread has now."""
        if self._thread is not None:
            self._closed = True
            _nudge(self._control[1])
            self._thread.join()
            self._closed, self._thread = False, None
            self._start()

    def forked(self) -> None:
        """This is a child of fork, in which the thread does not exist."""
        if self._thread is not None:
            signal.set_wakeup_fd(-1)
        self._release()

    def _release(self) -> None:
        for fd in (*self._control, *self._wake):
            if fd >= 0:
                os.close(fd)
        self._control = self._wake = (-1, -1)

    def _start(self) -> None:
        if self._thread is None:
            self._control = self._control if self._control[0] >= 0 else _pipe()
            import threading  # only here: most guests never need it

            self._thread = threading.Thread(target=self._watch, name="compat-watcher", daemon=True)
            held = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            self._thread.start()
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
            signal.set_wakeup_fd(self._control[1], warn_on_full_buffer=False)

    def _watch(self) -> None:
        insist, told, idle = 0, False, 0
        reader = self._control[0]
        while not self._closed:
            poller = select.poll()
            poller.register(reader, select.POLLIN)
            if self._news >= 0 and not told:
                poller.register(self._news, select.POLLIN)
            ready = dict(poller.poll(_INSIST * 1000 if insist or told else _SLICE * 1000 if self._ticking else None))
            told = self._news in ready
            if told:
                self._notice()
            insist = _TIMES + 1 if told or (reader in ready and _drain(reader).strip(_TICK)) else max(0, insist - 1)
            idle = 0 if self._slicing else idle + 1
            if idle > _IDLE:
                self._ticking = False
                self._ticking = self._slicing  # which may have changed meanwhile
            if not self._closed and (insist or self._slicing):
                self._interrupt()


def _pipe() -> tuple[int, int]:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    return reader, writer


def _nudge(fd: int, what: bytes = b".") -> None:
    if fd >= 0:
        try:
            os.write(fd, what)
        except BlockingIOError:
            pass  # full: the reader wakes up anyway


def _drain(fd: int) -> bytes:
    found = b""
    try:
        while more := os.read(fd, 4096):
            found += more
    except BlockingIOError:
        pass
    return found
