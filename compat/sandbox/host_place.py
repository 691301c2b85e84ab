"""A name in a folder of the host that a mount shows."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from typing import Final

from compat.data import replace
from compat.host import AT_EACCESS, AT_SYMLINK_NOFOLLOW, O_PATH, Dirent, Statfs
from compat.sandbox.mounts import HostMount
from compat.sandbox.paths import refuse
from compat.sandbox.place import Opened, Place, Site, Tree, special

TMPFILE: Final[int] = getattr(os, "O_TMPFILE", 0)
ST_RDONLY: Final = 1


class HostPlace(Place):
    """*name* in the directory *dir_fd*, which is closed with the place if *owned*.

    The name itself is never followed. When the path was resolved to what a link leads to, *again* resolves
    it once more: it is asked when a link has taken the file's place meanwhile. *seen* is what resolution
    found there.
    """

    mount: HostMount

    def __init__(
        self,
        tree: Tree,
        mount: HostMount,
        site: Site,
        dir_fd: int,
        name: bytes,
        *,
        owned: bool = False,
        seen: os.stat_result | None = None,
        again: Callable[[], Place] | None = None,
    ) -> None:
        super().__init__(tree, mount, site)
        self._dir_fd = dir_fd
        self._name = name
        self._owned = owned
        self._seen = seen
        self._again = again

    def close(self) -> None:
        if self._owned:
            self._owned = False
            self._host.close(self._dir_fd)

    def open(self, flags: int, mode: int = 0o666) -> Opened:
        if flags & os.O_CREAT and (self.slash or self.last != "name"):
            exclusive = flags & os.O_EXCL and self.last != "name"
            raise refuse(errno.EEXIST if exclusive else errno.EISDIR)
        if self.slash:
            flags |= os.O_DIRECTORY
        if self.mount.read_only and _changes(flags):
            flags = self._open_read_only(flags)
        if self._seen is not None:
            self._refuse_device(self._seen.st_mode, flags)
        try:
            fd = self._host.openat(self._dir_fd, self._name, flags | os.O_NOFOLLOW, mode)
        except OSError as error:
            if error.errno == errno.ELOOP and self._again is not None:
                return self._open_again(flags, mode)
            raise
        return self._admit(fd, flags, mode)

    def _open_again(self, flags: int, mode: int) -> Opened:
        assert self._again is not None
        with self._again() as place:
            return place.open(flags, mode)

    def _open_read_only(self, flags: int) -> int:
        """Opening for a change on a read-only mount: only special files allow it (may_open,
        do_dentry_open).
        """
        try:
            kind = self.stat().st_mode
        except FileNotFoundError:
            raise refuse(errno.EROFS if flags & os.O_CREAT else errno.ENOENT) from None
        if flags & (os.O_CREAT | os.O_EXCL) == os.O_CREAT | os.O_EXCL:
            raise refuse(errno.EEXIST)
        temporary = TMPFILE and flags & TMPFILE == TMPFILE
        if stat.S_ISDIR(kind):
            raise refuse(errno.EROFS if temporary else errno.EISDIR)
        if flags & os.O_DIRECTORY:
            raise refuse(errno.ENOTDIR)
        if stat.S_ISREG(kind) and (_writes(flags) or flags & os.O_TRUNC):
            self._host_access(os.W_OK, effective=True)
            raise refuse(errno.EROFS)
        return flags & ~(os.O_CREAT | os.O_TRUNC)

    def _refuse_device(self, mode: int, flags: int) -> None:
        """A mount without devices is one with `nodev`."""
        if (stat.S_ISCHR(mode) or stat.S_ISBLK(mode)) and not self.mount.devices and not flags & O_PATH:
            raise refuse(errno.EACCES)

    def _admit(self, fd: int, flags: int, mode: int) -> Opened:
        """Look at what was really opened: another file may have taken the name since resolution."""
        try:
            kind = self._host.fstat(fd).st_mode
            self._refuse_device(kind, flags)
            if self.mount.read_only and stat.S_ISREG(kind) and _writes(flags):
                raise refuse(errno.EROFS)
        except BaseException:
            self._host.close(fd)
            raise
        if stat.S_ISLNK(kind) and self._again is not None:  # O_PATH opens even a link
            self._host.close(fd)
            return self._open_again(flags, mode)
        return Opened(fd, None, self.guest_path, self.mount)

    def stat(self) -> os.stat_result:
        found, self._seen = self._seen, None
        if found is None:
            found = self._host.fstatat(self._dir_fd, self._name)
        return found

    def readlink(self) -> bytes:
        return self._host.readlinkat(self._dir_fd, self._name)

    def access(self, mode: int, *, effective: bool = False) -> None:
        self._host_access(mode, effective=effective)
        if mode & os.W_OK and self.mount.read_only and not special(self.stat().st_mode):
            raise refuse(errno.EROFS)

    def _host_access(self, mode: int, *, effective: bool) -> None:
        flags = AT_SYMLINK_NOFOLLOW | (AT_EACCESS if effective else 0)
        self._host.faccessat(self._dir_fd, self._name, mode, flags)

    def statfs(self) -> Statfs:
        with Pinned(self) as fd:
            found = self._host.fstatfs(fd)
        return replace(found, flags=found.flags | ST_RDONLY) if self.mount.read_only else found

    def getxattr(self, attribute: bytes) -> bytes:
        with Pinned(self) as fd:
            return self._host.getxattr(b"/proc/self/fd/%d" % fd, attribute, follow=True)

    def listxattr(self) -> list[bytes]:
        with Pinned(self) as fd:
            return self._host.listxattr(b"/proc/self/fd/%d" % fd, follow=True)

    def listdir(self) -> list[Dirent]:
        opened = self.open(os.O_RDONLY | os.O_DIRECTORY)
        try:
            return self._tree.listdir(opened)
        finally:
            self._host.close(opened.fd)


class Pinned:
    """The file at a place held by an O_PATH descriptor, so that several calls meet the same one."""

    def __init__(self, place: HostPlace) -> None:
        self._place = place

    def __enter__(self) -> int:
        self._opened = self._place.open(O_PATH | os.O_NONBLOCK)
        return self._opened.fd

    def __exit__(self, *_: object) -> None:
        self._place._host.close(self._opened.fd)


def _writes(flags: int) -> bool:
    return flags & os.O_ACCMODE != os.O_RDONLY and not flags & getattr(os, "O_PATH", 0)


def _changes(flags: int) -> bool:
    """Whether these flags can change a file system."""
    return _writes(flags) or bool(flags & (os.O_CREAT | os.O_TRUNC))
