"""The host's signals with all that they tell: they are held back (blocked), and read from a descriptor.

Python's own handlers learn a signal's number only. Elsewhere than on Linux, where there is no such descriptor, the
calls here are OSError(ENOSYS).
"""

from __future__ import annotations

import errno
import os
import signal
import struct
from collections.abc import Iterable
from typing import Any, Final

from compat.data import dataclass
from compat.host.constants import LINUX
from compat.host.libc import WithLibc, raise_errno

__all__ = ["Arrived", "Signals"]

_ALL_BUT_KILL: Final = (1 << 64) - 1 & ~(1 << signal.SIGKILL - 1 | 1 << signal.SIGSTOP - 1)
_SFD_FLAGS: Final = os.O_NONBLOCK | os.O_CLOEXEC
_SET_BYTES: Final = 128  # sizeof(sigset_t) of the C libraries
# struct signalfd_siginfo (linux/signalfd.h): signo, errno, code, pid, uid, fd, tid, band, overrun, trapno, status, int,
# ptr, utime, stime
_TOLD: Final = struct.Struct("=IiiIIiIIIIiiQQQ56x")
_SI_TIMER: Final = -2  # asm-generic/siginfo.h
_MOST: Final = 32  # taken at once
_INFO: Final = struct.Struct("@iii4xiIQ96x")  # siginfo_t of a queued signal: signo, errno, code, pid, uid, value
_ACTION: Final = struct.Struct("@P128xi4xP")  # struct sigaction: handler, mask of 1024 bits, flags, restorer
_SA_NOCLDSTOP, _SA_NOCLDWAIT = 1, 2
_QUEUE_CALL: Final = {"x86_64": 129, "aarch64": 138, "riscv64": 138, "ppc64le": 177, "s390x": 178}
_PIDFD_CALL: Final = 424  # pidfd_send_signal, on every CPU


@dataclass(frozen=True)
class Arrived:
    """A host signal: what its siginfo_t said, in the host's numbers; *value* is sival_ptr, *number* is sival_int."""

    signal: int
    error: int
    code: int
    pid: int
    uid: int
    fd: int
    timer: int
    band: int
    overrun: int
    status: int
    number: int
    value: int
    user_ticks: int
    system_ticks: int


class Signals(WithLibc):
    """Holding back, taking and sending signals; all numbers are the host's."""

    def signalfd(self) -> int:
        """A descriptor that tells of every signal that is held back."""
        if not LINUX:
            raise_errno(errno.ENOSYS)
        return self._libc.call("signalfd", "isi", -1, _ALL_BUT_KILL.to_bytes(_SET_BYTES, "little"), _SFD_FLAGS)

    def take_signals(self, fd: int) -> list[Arrived]:
        """The signals that are held back for this process and thread: they are no longer."""
        found = list[Arrived]()
        while True:
            try:
                data = os.read(fd, _MOST * _TOLD.size)
            except BlockingIOError:
                return found
            taken = [Arrived(*each[:9], *each[10:]) for each in _TOLD.iter_unpack(data)]
            found += taken
            if len(taken) < _MOST or all(each.code == _SI_TIMER for each in taken):
                return found  # a timer may fire faster than its signals can be taken

    def hold_signals(self, numbers: Iterable[int]) -> None:
        """Block them for the calling thread."""
        signal.pthread_sigmask(signal.SIG_BLOCK, numbers)

    def release_signals(self, numbers: Iterable[int]) -> None:
        """Let the host act on them again."""
        signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)

    def held_signals(self) -> set[int]:
        """Those that the calling thread blocks."""
        return set(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, ())))

    def set_disposition(self, number: int, *, ignored: bool, no_stops: bool = False, no_zombies: bool = False) -> None:
        """SIG_IGN or SIG_DFL, for SIGCHLD with SA_NOCLDSTOP and SA_NOCLDWAIT where the host has them."""
        if not LINUX:
            signal.signal(number, signal.SIG_IGN if ignored else signal.SIG_DFL)
            return
        flags = (_SA_NOCLDSTOP if no_stops else 0) | (_SA_NOCLDWAIT if no_zombies else 0)
        self._libc.call("sigaction", "isp", number, _ACTION.pack(int(ignored), flags, 0), None)

    def act_by_default(self, number: int) -> None:
        """Let a signal that is held back do to this process what it does to any."""
        if number != signal.SIGSTOP:  # which has no other disposition, and sigaction refuses to set it
            self.set_disposition(number, ignored=False)
        os.kill(os.getpid(), number)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
        signal.pthread_sigmask(signal.SIG_BLOCK, [number])

    def sigqueue(self, pid: int, number: int, code: int, uid: int, value: int, error: int = 0) -> None:
        """rt_sigqueueinfo(2): *code* must be negative, but not SI_TKILL."""
        call = _QUEUE_CALL.get(os.uname().machine) if LINUX else None
        if call is None:
            raise_errno(errno.ENOSYS)
        info = self._queued(number, code, uid, value, error)
        self._libc.call("syscall", "liis", call, pid, number, info)

    def pidfd_send_signal(self, fd: int, number: int, info: tuple[int, int, int] | None) -> None:
        """pidfd_send_signal(2); *info* is (code, uid, value) of a queued signal, None is as kill(2)."""
        packed = None if info is None else self._queued(number, *info, 0)
        self._libc.call("syscall", "liisi", _PIDFD_CALL, fd, number, packed, 0)

    def _queued(self, number: int, code: int, uid: int, value: int, error: int) -> Any:
        return _INFO.pack(number, error, code, os.getpid(), uid, value)
