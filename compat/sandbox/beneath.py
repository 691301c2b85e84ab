"""Opening a directory beneath a descriptor, never through a symbolic link: the step that keeps a guest
inside.
"""

from __future__ import annotations

import errno
import os
from typing import Final

from compat.host import (
    O_PATH,
    RESOLVE_BENEATH,
    RESOLVE_NO_MAGICLINKS,
    RESOLVE_NO_SYMLINKS,
    Host,
)
from compat.sandbox.paths import MAX_PATH, refuse

# with O_NOFOLLOW, openat2 would say ENOTDIR of a link as the last name, not ELOOP
DIRECTORY: Final = O_PATH | os.O_DIRECTORY
CONFINED: Final = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS

SWAPS: Final = 3
"""How often a name is looked at that is neither folder nor link: it may just have changed from one to the
other.
"""


class LinkMet(Exception):
    """A symbolic link stands at names[index]; its text is *target*."""

    def __init__(self, index: int, target: bytes) -> None:
        super().__init__(index, target)
        self.index = index
        self.target = target


class Beneath:
    """Opens directories by openat2(2) where the host has it, else name by name."""

    def __init__(self, host: Host, *, openat2: bool = True) -> None:
        self._host = host
        self._openat2 = openat2

    def open(self, root_fd: int, names: list[bytes]) -> int:
        """An O_PATH descriptor of the directory *names* (none of them "..") below *root_fd*; the caller
        closes it.

        Raises:
            LinkMet: when a symbolic link is on the way.
            OSError: what the host says: ENOENT, ENOTDIR, EACCES, ENAMETOOLONG ...
        """
        path = b"/".join(names)
        if self._openat2 and len(path) <= MAX_PATH:
            try:
                return self._host.openat2(root_fd, path, DIRECTORY, 0, CONFINED)
            except OSError as error:
                if error.errno in (
                    errno.ENOSYS,
                    errno.EPERM,
                ):  # an old kernel, or a filter that knows no openat2
                    self._openat2 = False
                elif error.errno != errno.ELOOP:
                    raise
        return self._walk(root_fd, names)

    def _walk(self, root_fd: int, names: list[bytes]) -> int:
        current = root_fd
        try:
            for index, name in enumerate(names):
                below = self._step(current, name, index)
                previous, current = current, below
                if previous != root_fd:
                    self._host.close(previous)
        except BaseException:
            if current != root_fd:
                self._host.close(current)
            raise
        return current

    def _step(self, fd: int, name: bytes, index: int) -> int:
        for _ in range(SWAPS):
            try:
                return self._host.openat(fd, name, DIRECTORY | os.O_NOFOLLOW)
            except OSError as error:
                if error.errno not in (errno.ENOTDIR, errno.ELOOP):  # Linux and macOS for a symbolic link
                    raise
            try:
                target = self._host.readlinkat(fd, name)
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
            else:
                raise LinkMet(index, target)
        raise refuse(errno.ENOTDIR)
