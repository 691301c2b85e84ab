"""inotify: news of files. Only Linux has it: elsewhere every call is OSError(ENOSYS)."""

from __future__ import annotations

import os

from compat.host.libc import WithLibc

_IN_CLOEXEC = 0o2000000  # include/uapi/linux/inotify.h


class Watches(WithLibc):
    """Event masks are the kernel's, the same on every CPU."""

    def inotify_init(self, *, nonblock: bool) -> int:
        return self._libc.call("inotify_init1", "i", _IN_CLOEXEC | (os.O_NONBLOCK if nonblock else 0))

    def inotify_add_watch(self, fd: int, path: bytes, mask: int) -> int:
        return self._libc.call("inotify_add_watch", "isu", fd, path, mask)

    def inotify_rm_watch(self, fd: int, watch: int) -> None:
        self._libc.call("inotify_rm_watch", "ii", fd, watch)
