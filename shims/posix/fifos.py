"""Opening a named pipe waits for the other end; the host is only ever asked without blocking (fifo(7))."""

from __future__ import annotations

import errno
import os
import select
import time

from compat.data import dataclass
from compat.sandbox.place import Opened, Place
from shims.posix.state import PosixThread

__all__ = ["go_on", "open_waiting"]

_LOOK_AGAIN = 0.01  # seconds; no event tells that the other end was opened


@dataclass(frozen=True)
class Reader:
    """The end that is open while the call waits for a writer."""

    opened: Opened


def open_waiting(thread: PosixThread, place: Place, bits: int) -> Opened:
    """Open the pipe at *place* for reading or writing only; waits until somebody has the other end open."""
    if bits & os.O_ACCMODE == os.O_RDONLY:
        return _wait_for_writer(thread, place.open(bits | os.O_NONBLOCK))
    try:
        opened = place.open(bits | os.O_NONBLOCK)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        thread.wait(until=time.monotonic() + _LOOK_AGAIN)
    return _blocking(thread, opened)


def go_on(thread: PosixThread) -> Opened:
    """Enter again an open that waits for a writer."""
    assert isinstance(thread.resume, Reader)
    return _wait_for_writer(thread, thread.resume.opened)


def _wait_for_writer(thread: PosixThread, opened: Opened) -> Opened:
    if not _has_writer(thread, opened.fd):
        if thread.interrupted:
            thread.host.close(opened.fd)
        soon = time.monotonic() + _LOOK_AGAIN
        thread.wait(descriptors={opened.fd: select.POLLIN}, until=soon, resume=Reader(opened))
    return _blocking(thread, opened)


def _has_writer(thread: PosixThread, fd: int) -> bool:
    """tee(2) consumes nothing: an empty pipe answers 0 without a writer, EAGAIN with one."""
    if thread.host.poll([(fd, select.POLLIN)], 0):
        return True
    ends = thread.host.pipe2()
    try:
        return thread.host.tee(fd, ends[1], 1, nonblock=True) > 0
    except OSError:
        return True
    finally:
        for end in ends:
            thread.host.close(end)


def _blocking(thread: PosixThread, opened: Opened) -> Opened:
    thread.host.set_blocking(opened.fd, True)
    return opened
