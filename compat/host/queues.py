"""POSIX message queues. Names begin with "/"; hosts without them answer OSError(ENOSYS)."""

from __future__ import annotations

import errno
import struct

from compat.data import dataclass
from compat.host.constants import SYS_MQ_NOTIFY
from compat.host.libc import WithLibc, raise_errno

_ATTRIBUTES = struct.Struct("@8l")  # struct mq_attr of 64-bit Linux
_TIME = struct.Struct("@ll")
_SIGEV_THREAD = 2  # include/uapi/asm-generic/siginfo.h
_EVENT = struct.Struct("@Pii48x")  # struct sigevent: value, signal, how to notify


@dataclass(frozen=True)
class QueueAttributes:
    """struct mq_attr: *flags* has O_NONBLOCK or nothing."""

    flags: int
    most: int
    size: int
    waiting: int


class Queues(WithLibc):
    """Calls on message queues; a queue's descriptor is a file descriptor."""

    def mq_open(self, name: bytes, flags: int, mode: int, limits: tuple[int, int] | None) -> int:
        """*limits* are the most messages and the size of the largest, for a queue that is made."""
        wanted = None if limits is None else _ATTRIBUTES.pack(0, *limits, 0, 0, 0, 0, 0)
        return self._libc.call("mq_open", "siis", name, flags, mode, wanted)

    def mq_unlink(self, name: bytes) -> None:
        self._libc.call("mq_unlink", "s", name)

    def mq_timedsend(self, fd: int, data: bytes, priority: int) -> None:
        """Send without waiting: ETIMEDOUT, or EAGAIN with O_NONBLOCK, where that can't be done."""
        self._libc.call("mq_timedsend", "iszus", fd, data, len(data), priority, _TIME.pack(0, 0))

    def mq_timedreceive(self, fd: int, count: int) -> tuple[bytes, int]:
        """Receive without waiting, as `mq_timedsend`: the message and its priority."""
        room, priority = self._libc.buffer(count), self._libc.buffer(4)
        got = self._libc.call("mq_timedreceive", "ipzps", fd, room, count, priority, _TIME.pack(0, 0))
        return room.raw[:got], struct.unpack("@I", priority.raw)[0]

    def mq_getattr(self, fd: int) -> QueueAttributes:
        room = self._libc.buffer(_ATTRIBUTES.size)
        self._libc.call("mq_getattr", "ip", fd, room)
        return QueueAttributes(*_ATTRIBUTES.unpack(room.raw)[:4])

    def mq_notify(self, fd: int, event: tuple[int, int, int] | None) -> None:
        """*event* is (value, signal, SIGEV_*); None takes the last request back."""
        self._libc.call("mq_notify", "is", fd, None if event is None else _EVENT.pack(*event))

    def mq_notify_socket(self, fd: int, socket: int, cookie: bytes) -> None:
        """Have the 32 bytes of *cookie* sent to *socket*, of AF_NETLINK, by the next message: SIGEV_THREAD as the
        kernel knows it (ipc/mqueue.c)."""
        if SYS_MQ_NOTIFY is None:
            raise_errno(errno.ENOSYS)
        room = self._libc.buffer(len(cookie))
        room.raw = cookie
        event = _EVENT.pack(self._libc.address(room), socket, _SIGEV_THREAD)
        self._libc.call("syscall", "lis", SYS_MQ_NOTIFY, fd, event)
