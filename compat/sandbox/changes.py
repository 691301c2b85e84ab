"""A name in a writable folder of the host: the calls that change something."""

from __future__ import annotations

import errno
import os
import stat
from typing import NoReturn

from compat.host import AT_SYMLINK_FOLLOW, RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT, Times
from compat.host.constants import AT_FDCWD, AT_REMOVEDIR
from compat.sandbox.held_place import HeldPlace
from compat.sandbox.host_place import HostPlace, Pinned
from compat.sandbox.place import REMOVE_DOTS, Place

MAKEABLE = (0, stat.S_IFREG, stat.S_IFIFO, stat.S_IFSOCK)


class ChangeablePlace(HostPlace):
    """What resolution gives for a host file. Each call checks in the kernel's order, then acts without
    following.
    """

    def mkdir(self, mode: int) -> None:
        self._may_create(directory=True)
        self._host.mkdirat(self._dir_fd, self._name, mode)

    def mknod(self, mode: int, device: int = 0) -> None:
        """EPERM for devices, unless the mount allows them: a guest's must not reach the host's."""
        if stat.S_IFMT(mode) not in MAKEABLE and not self.mount.devices:
            self._fail(errno.EPERM)
        self._may_create()
        self._host.mknodat(self._dir_fd, self._name, mode if stat.S_IFMT(mode) else mode | stat.S_IFREG, device)

    def symlink(self, target: bytes) -> None:
        if not target or b"\0" in target:
            self._fail(errno.ENOENT)
        self._may_create()
        self._host.symlinkat(target, self._dir_fd, self._name)

    def link(self, source: Place) -> None:
        self._may_create()
        if source.mount is not self.mount:
            self._fail(errno.EXDEV)
        if isinstance(source, HeldPlace):
            name = b"/proc/self/fd/%d" % source.opened.fd
            self._host.linkat(AT_FDCWD, name, self._dir_fd, self._name, AT_SYMLINK_FOLLOW)
        elif isinstance(source, HostPlace):
            self._host.linkat(source._dir_fd, source._name, self._dir_fd, self._name)

    def unlink(self) -> None:
        if self.last != "name":
            self._fail(errno.EISDIR)
        self._writable()
        if self.slash:
            self._fail(errno.EISDIR if stat.S_ISDIR(self.stat().st_mode) else errno.ENOTDIR)
        if self.busy:
            self._refuse_busy(errno.EISDIR)
        self._host.unlinkat(self._dir_fd, self._name)

    def rmdir(self) -> None:
        if self.last != "name":
            self._fail(REMOVE_DOTS[self.last])
        self._writable()
        if self.busy:
            self._fail(errno.EBUSY if stat.S_ISDIR(self.stat().st_mode) else errno.ENOTDIR)
        self._host.unlinkat(self._dir_fd, self._name, AT_REMOVEDIR)

    def _refuse_busy(self, for_directory: int) -> NoReturn:
        self._fail(for_directory if stat.S_ISDIR(self.stat().st_mode) else errno.EBUSY)

    def rename(self, to: Place, flags: int = 0) -> None:
        """do_renameat2(): flags, mounts, dots, EROFS, then what the host says."""
        if flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE) or flags == RENAME_NOREPLACE | RENAME_EXCHANGE:
            self._fail(errno.EPERM if flags == RENAME_WHITEOUT else errno.EINVAL)
        if to.mount is not self.mount or not isinstance(to, HostPlace):
            self._fail(errno.EXDEV)
        if self.last != "name":
            self._fail(errno.EBUSY)
        if to.last != "name":
            self._fail(errno.EEXIST if flags & RENAME_NOREPLACE else errno.EBUSY)
        self._writable()
        self._check_renamed(to, flags)
        if flags:
            self._host.renameat2(self._dir_fd, self._name, to._dir_fd, to._name, flags)
        else:
            self._host.renameat(self._dir_fd, self._name, to._dir_fd, to._name)

    def _check_renamed(self, to: HostPlace, flags: int) -> None:
        old = self.stat()
        if flags & RENAME_NOREPLACE and to.exists():
            self._fail(errno.EEXIST)
        if not stat.S_ISDIR(old.st_mode) and (self.slash or (to.slash and not flags & RENAME_EXCHANGE)):
            self._fail(errno.ENOTDIR)
        if self.busy or to.busy:
            self._fail(errno.EBUSY)

    def chmod(self, mode: int) -> None:
        self._change_existing()
        with Pinned(self) as fd:
            if stat.S_ISLNK(self._host.fstat(fd).st_mode):
                self._fail(errno.EOPNOTSUPP)
            self._host.fchmodat(AT_FDCWD, b"/proc/self/fd/%d" % fd, mode, 0)

    def chown(self, owner: int, group: int) -> None:
        self._change_existing()
        self._host.fchownat(self._dir_fd, self._name, owner, group)

    def utime(self, times: Times | None) -> None:
        self._change_existing()
        self._host.utimensat(self._dir_fd, self._name, times)

    def truncate(self, length: int) -> None:
        if length < 0:
            self._fail(errno.EINVAL)
        kind = self.stat().st_mode
        if not stat.S_ISREG(kind):
            self._fail(errno.EISDIR if stat.S_ISDIR(kind) else errno.EINVAL)
        self._writable()
        opened = self.open(os.O_WRONLY | os.O_NONBLOCK)
        try:
            self._host.ftruncate(opened.fd, length)
        finally:
            self._host.close(opened.fd)

    def setxattr(self, attribute: bytes, value: bytes, flags: int = 0) -> None:
        self._change_existing()
        with Pinned(self) as fd:
            self._host.setxattr(b"/proc/self/fd/%d" % fd, attribute, value, flags, follow=True)

    def removexattr(self, attribute: bytes) -> None:
        self._change_existing()
        with Pinned(self) as fd:
            self._host.removexattr(b"/proc/self/fd/%d" % fd, attribute, follow=True)

    def _change_existing(self) -> None:
        """The file must be there, and its mount writable; what resolution saw of it is no longer true
        after.
        """
        self.stat()
        self._writable()
