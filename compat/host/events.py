"""Descriptors that stand for events. Only Linux has them: elsewhere every call is OSError(ENOSYS)."""

from __future__ import annotations

import os
import struct

from compat.host.libc import WithLibc, member

_EVENT = struct.Struct("=I8s" if os.uname().machine == "x86_64" else "=Ixxxx8s")  # packed on x86-64 (linux/eventpoll.h)
_TIMES = struct.Struct("@4l")  # struct itimerspec: interval, value

TFD_CLOEXEC, TFD_NONBLOCK, TFD_ABSTIME = 0o2000000, 0o4000, 1  # include/uapi/linux/timerfd.h, asm-generic/fcntl.h
_EPOLL_CLOEXEC = 0o2000000


class Events(WithLibc):
    """epoll, eventfd and timerfd; times in nanoseconds."""

    def eventfd(self, count: int, flags: int) -> int:
        fd: int = member(os, "eventfd")(count, flags | member(os, "EFD_CLOEXEC"))
        return fd

    def epoll_create(self) -> int:
        return self._libc.call("epoll_create1", "i", _EPOLL_CLOEXEC)

    def epoll_ctl(self, epoll: int, op: int, fd: int, events: int, data: bytes) -> None:
        """*data* are the 8 bytes that come back with each event."""
        self._libc.call("epoll_ctl", "iiis", epoll, op, fd, _EVENT.pack(events, data))

    def epoll_wait(self, epoll: int, most: int) -> list[tuple[int, bytes]]:
        """(events, data) of what has happened, without waiting."""
        room = self._libc.buffer(_EVENT.size * most)
        count = self._libc.call("epoll_wait", "ipii", epoll, room, most, 0)
        return list(_EVENT.iter_unpack(memoryview(room)[: count * _EVENT.size]))

    def timerfd_create(self, clock: int, flags: int) -> int:
        return self._libc.call("timerfd_create", "ii", clock, flags | TFD_CLOEXEC)

    def timerfd_settime(self, fd: int, flags: int, interval: int, value: int) -> tuple[int, int]:
        """Returns the old (interval, value)."""
        room = self._libc.buffer(_TIMES.size)
        wanted = _TIMES.pack(*divmod(interval, 10**9), *divmod(value, 10**9))
        self._libc.call("timerfd_settime", "iisp", fd, flags, wanted, room)
        return _pair(room.raw)

    def timerfd_gettime(self, fd: int) -> tuple[int, int]:
        """(interval, time left)."""
        room = self._libc.buffer(_TIMES.size)
        self._libc.call("timerfd_gettime", "ip", fd, room)
        return _pair(room.raw)


def _pair(raw: bytes) -> tuple[int, int]:
    a, b, c, d = _TIMES.unpack(raw)
    return a * 10**9 + b, c * 10**9 + d
