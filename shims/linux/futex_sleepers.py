"""Host threads that wait at words in shared memory, each for one guest thread: so other host processes can wake it.

The host's kernel keeps the queues of such words. A sleeper whose guest thread gave up (a signal, a deadline) can't be
called back; it ends by itself soon, and passes on a wake-up that reaches it until then.
"""

from __future__ import annotations

import _thread
import errno
import os
import signal
import time

from compat.host import Host

__all__ = ["Sleeper", "Sleepers"]

_TURN = 0.25  # seconds after which a sleeper looks whether its guest thread gave up
_AGAIN = (errno.ETIMEDOUT, errno.EINTR)


class Sleeper:
    """Waits in a host thread of its own. *signal* is an eventfd that can be read when it was woken."""

    def __init__(self, pool: Sleepers) -> None:
        self.signal = pool.host.eventfd(0, 0)
        self._pool = pool
        self._work, self._mutex = _thread.allocate_lock(), _thread.allocate_lock()
        self._work.acquire()
        self._place = self._value = self._mask = 0
        self._gave_up = self._leaves = self._left = False
        self._error: int | None = errno.EINTR
        _thread.start_new_thread(self._run, ())

    def begin(self, place: int, value: int, mask: int) -> None:
        """Wait while the word at the host address *place* holds *value*, for a wake-up with a bit of *mask*."""
        self._place, self._value, self._mask = place, value, mask
        self._gave_up, self._error = False, None
        self._work.release()

    def result(self) -> int | None:
        """0 once it was woken, the error that ended its wait, None before."""
        return self._error

    def end(self) -> None:
        """Nobody waits for it any longer."""
        with self._mutex:
            self._gave_up = True
            running = self._error is None
        if not running:
            os.read(self.signal, 8)
            self._pool.idle.append(self)

    def leave(self) -> None:
        """Let the host thread end; it may take a turn."""
        self._leaves = True
        try:
            self._work.release()
        except RuntimeError:
            pass  # it begins just now

    def go_on(self) -> None:
        """Wait until the host thread has ended, and let a new one go on with what it did."""
        while not self._left:
            time.sleep(_TURN / 10)
        self._leaves = self._left = False
        self._work.acquire(blocking=False)
        _thread.start_new_thread(self._run, ())
        if self._error is None:
            self._work.release()

    def _run(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while True:
            self._work.acquire()
            error = None if self._leaves else self._wait()
            if error is None:
                self._left = True
                return
            with self._mutex:
                gave_up = self._gave_up
                self._error = error
                if not gave_up:
                    os.eventfd_write(self.signal, 1)
            if gave_up:
                if not error:
                    self._pool.host.futex_wake(self._place, 1, self._mask)
                self._pool.idle.append(self)

    def _wait(self) -> int | None:
        """0 or EAGAIN; another value counts as a wake-up once it has waited. EINTR after having given up, None to leave
        the wait to another host thread."""
        changed = errno.EAGAIN
        while not self._gave_up:
            if self._leaves:
                return None
            try:
                self._pool.host.futex_wait(self._place, self._value, self._mask, _TURN)
            except OSError as error:
                if error.errno not in _AGAIN:
                    return changed
                changed = 0
            else:
                return 0
        return errno.EINTR


class Sleepers:
    """The sleepers of one process; *host* is not the traced one, since its calls belong to no guest call."""

    def __init__(self) -> None:
        self.host = Host()
        self.idle: list[Sleeper] = []
        self._all: list[Sleeper] = []

    def take(self) -> Sleeper:
        """One that has nothing to do. Raises OSError where the host has no eventfd or no more descriptors."""
        if self.idle:
            return self.idle.pop()
        sleeper = Sleeper(self)
        self._all.append(sleeper)
        return sleeper

    def renew(self) -> None:
        """Exchange all host threads for others, which have the rights that the calling one has now."""
        for each in self._all:
            each.leave()
        for each in self._all:
            each.go_on()

    def close(self) -> None:
        """Release the descriptors, in a child of fork: the host threads are the parent's."""
        for each in self._all:
            os.close(each.signal)
