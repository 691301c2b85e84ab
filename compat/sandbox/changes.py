"""A name in a writable folder of the host: the calls that change something."""

from __future__ import annotations

import errno
import os
import stat

from compat.host import AT_SYMLINK_FOLLOW, Times, unix_address
from compat.host.constants import AT_FDCWD, AT_REMOVEDIR
from compat.sandbox.held_place import HeldPlace
from compat.sandbox.host_place import HostPlace, Pinned
from compat.sandbox.place import Place
from compat.sandbox.rules import may_create, may_link, may_rename, may_rmdir, may_unlink, writable

MAKEABLE = (0, stat.S_IFREG, stat.S_IFIFO, stat.S_IFSOCK)


class ChangeablePlace(HostPlace):
    """What resolution gives for a host file. Each call checks in the kernel's order, then acts without
    following.
    """

    def mkdir(self, mode: int) -> None:
        may_create(self, directory=True)
        self._host.mkdirat(self._dir_fd, self._name, mode)

    def mknod(self, mode: int, device: int = 0) -> None:
        """EPERM for devices, unless the mount allows them: a guest's must not reach the host's."""
        if stat.S_IFMT(mode) not in MAKEABLE and not self.mount.devices:
            self._fail(errno.EPERM)
        may_create(self)
        self._host.mknodat(self._dir_fd, self._name, mode if stat.S_IFMT(mode) else mode | stat.S_IFREG, device)

    def bind(self, fd: int) -> None:
        """The kernel finds the folder by its descriptor and never follows the last name: unix_bind_bsd(). With the pid
        the socket's name on the host is one of its own."""
        may_create(self)
        self._host.bind(fd, unix_address(b"/proc/%d/fd/%d/%s" % (os.getpid(), self._dir_fd, self._name)))

    def symlink(self, target: bytes) -> None:
        if not target or b"\0" in target:
            self._fail(errno.ENOENT)
        may_create(self)
        self._host.symlinkat(target, self._dir_fd, self._name)

    def link(self, source: Place) -> None:
        may_link(self, source)
        if isinstance(source, HeldPlace):
            name = b"/proc/self/fd/%d" % source.opened.fd
            self._host.linkat(AT_FDCWD, name, self._dir_fd, self._name, AT_SYMLINK_FOLLOW)
        elif isinstance(source, HostPlace):
            self._host.linkat(source._dir_fd, source._name, self._dir_fd, self._name)
        else:
            self._fail(errno.EXDEV)

    def unlink(self) -> None:
        may_unlink(self)
        self._host.unlinkat(self._dir_fd, self._name)

    def rmdir(self) -> None:
        may_rmdir(self)
        self._host.unlinkat(self._dir_fd, self._name, AT_REMOVEDIR)

    def rename(self, to: Place, flags: int = 0) -> None:
        may_rename(self, to, flags)
        if not isinstance(to, HostPlace):
            self._fail(errno.EBUSY)
        if flags:
            self._host.renameat2(self._dir_fd, self._name, to._dir_fd, to._name, flags)
        else:
            self._host.renameat(self._dir_fd, self._name, to._dir_fd, to._name)

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
        writable(self)
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
        writable(self)
