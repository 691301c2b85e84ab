"""A file that is already open: what /proc/self/fd/N leads to, and what the f* calls (fchmod, fchown ...)
act on.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Callable

from compat.data import replace
from compat.host import AT_FDCWD, O_PATH, Dirent, Statfs, Times
from compat.sandbox.place import Opened, Place, Site, Tree, special
from compat.sandbox.rules import writable


class HeldPlace(Place):
    """The file behind *opened*. Its mount's rules hold, however the descriptor was come by.

    Opening it again never gives more access than the descriptor has, unless its mount would: a file given as
    standard input stays read-only.
    """

    def __init__(self, tree: Tree, opened: Opened) -> None:
        super().__init__(tree, opened.mount, Site(opened.guest_path, busy=True))
        self.opened = opened

    @property
    def _link(self) -> bytes:
        """The kernel's own link to the file; it leads there whatever became of the names."""
        return b"/proc/self/fd/%d" % self.opened.fd

    def open(self, flags: int, mode: int = 0o666) -> Opened:
        kind = self._host.fstat(self.opened.fd).st_mode
        if flags & os.O_CREAT and flags & os.O_EXCL:
            self._fail(errno.EEXIST)
        if flags & os.O_DIRECTORY and not stat.S_ISDIR(kind):
            self._fail(errno.ENOTDIR)
        flags &= ~(os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW)
        if not flags & O_PATH:
            self._check_access_mode(flags, kind)
        return replace(self.opened, fd=self._host.openat(AT_FDCWD, self._link, flags))

    def _check_access_mode(self, flags: int, kind: int) -> None:
        wants = flags & os.O_ACCMODE
        if self.mount is not None:
            if wants != os.O_RDONLY or flags & os.O_TRUNC:
                if stat.S_ISDIR(kind):
                    self._fail(errno.EISDIR)
                if stat.S_ISREG(kind):
                    writable(self)
            return
        has = self._host.fcntl(self.opened.fd, fcntl.F_GETFL) & os.O_ACCMODE
        readable_pipe = stat.S_ISFIFO(kind)  # the other end of a pipe is the guest's as well
        if has not in (os.O_RDWR, wants) and not readable_pipe:
            self._fail(errno.EACCES)
        if flags & os.O_TRUNC and has == os.O_RDONLY:
            self._fail(errno.EACCES)

    def stat(self) -> os.stat_result:
        return self._host.fstat(self.opened.fd)

    def readlink(self) -> bytes:
        self._fail(errno.EINVAL)

    def access(self, mode: int, *, effective: bool = False) -> None:
        self._host.faccessat(AT_FDCWD, self._link, mode, 0)
        if mode & os.W_OK and not special(self.stat().st_mode):
            writable(self)

    def statfs(self) -> Statfs:
        return self._host.fstatfs(self.opened.fd)

    def getxattr(self, attribute: bytes) -> bytes:
        return self._host.getxattr(self._link, attribute, follow=True)

    def listxattr(self) -> list[bytes]:
        return self._host.listxattr(self._link, follow=True)

    def listdir(self) -> list[Dirent]:
        return self._tree.listdir(self.opened)

    def chmod(self, mode: int) -> None:
        writable(self)
        self._by(
            lambda: self._host.fchmod(self.opened.fd, mode),
            lambda: self._host.fchmodat(AT_FDCWD, self._link, mode, 0),
        )

    def chown(self, owner: int, group: int) -> None:
        writable(self)
        self._by(
            lambda: self._host.fchown(self.opened.fd, owner, group),
            lambda: self._host.fchownat(AT_FDCWD, self._link, owner, group, 0),
        )

    def utime(self, times: Times | None) -> None:
        writable(self)
        self._by(
            lambda: self._host.futimens(self.opened.fd, times),
            lambda: self._host.utimensat(AT_FDCWD, self._link, times, 0),
        )

    def _by(self, descriptor: Callable[[], None], link: Callable[[], None]) -> None:
        """Act on the descriptor; one made with O_PATH refuses, and only its link leads to the file."""
        try:
            descriptor()
        except OSError as error:
            if error.errno != errno.EBADF:
                raise
            link()

    def truncate(self, length: int) -> None:
        if length < 0:
            self._fail(errno.EINVAL)
        kind = self.stat().st_mode
        if not stat.S_ISREG(kind):
            self._fail(errno.EISDIR if stat.S_ISDIR(kind) else errno.EINVAL)
        opened = self.open(os.O_WRONLY)
        try:
            self._host.ftruncate(opened.fd, length)
        finally:
            self._host.close(opened.fd)

    def setxattr(self, attribute: bytes, value: bytes, flags: int = 0) -> None:
        writable(self)
        self._host.setxattr(self._link, attribute, value, flags, follow=True)

    def removexattr(self, attribute: bytes) -> None:
        writable(self)
        self._host.removexattr(self._link, attribute, follow=True)

    # an open file has no name of its own to change

    def mkdir(self, mode: int) -> None:
        self._fail(errno.EEXIST)

    def mknod(self, mode: int, device: int = 0) -> None:
        self._fail(errno.EEXIST)

    def symlink(self, target: bytes) -> None:
        self._fail(errno.EEXIST)

    def link(self, source: Place) -> None:
        self._fail(errno.EEXIST)

    def unlink(self) -> None:
        self._fail(errno.EPERM)

    def rmdir(self) -> None:
        self._fail(errno.EBUSY)

    def rename(self, to: Place, flags: int = 0) -> None:
        self._fail(errno.EBUSY)
