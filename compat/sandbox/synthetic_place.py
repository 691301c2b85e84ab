"""A name in a synthetic tree: a node, or the lack of one. No name here can be changed."""

from __future__ import annotations

import errno
import os
import stat
from typing import NoReturn

from compat.host import O_PATH, Dirent, Statfs, Times
from compat.sandbox.mounts import Mount
from compat.sandbox.paths import MAX_NAME, refuse
from compat.sandbox.place import Opened, Place, Site, Tree
from compat.sandbox.rules import may_create, may_link, may_rename, may_rmdir, may_unlink
from compat.sandbox.synthetic import Device, Directory, File, Link, Node, node_stat, path_only

PROC_SUPER_MAGIC = 0x9FA0
MAGIC = {b"devtmpfs": 0x01021994, b"sysfs": 0x62656572}  # include/uapi/linux/magic.h


class SyntheticPlace(Place):
    """*node* at its guest path; None when the name does not exist. *device* is the st_dev of its tree."""

    def __init__(self, tree: Tree, mount: Mount, site: Site, node: Node | None, *, device: int) -> None:
        super().__init__(tree, mount, site)
        self._node = node
        self._device = device

    @property
    def node(self) -> Node:
        if self._node is None:
            raise refuse(errno.ENOENT)
        return self._node

    def open(self, flags: int, mode: int = 0o666) -> Opened:
        self._check_open(flags)
        node = self.node
        if flags & O_PATH:
            fd = path_only(self._host)
        else:
            wants = {os.O_RDONLY: os.R_OK, os.O_WRONLY: os.W_OK}.get(flags & os.O_ACCMODE, os.R_OK | os.W_OK)
            self.access(wants, effective=True)
            fd = node.open(self._host, flags & ~(os.O_CREAT | os.O_EXCL))
        return Opened(fd, node, self.guest_path, self.mount)

    def _check_open(self, flags: int) -> None:
        creates = flags & os.O_CREAT
        if creates and self.slash and self.last == "name":
            self._fail(errno.EISDIR)
        if self._node is None:
            self._fail(errno.EROFS if creates else errno.ENOENT)
        if creates and flags & os.O_EXCL:
            self._fail(errno.EEXIST)
        if isinstance(self._node, Link) and not flags & O_PATH:
            self._fail(errno.ELOOP)
        if isinstance(self._node, Directory):
            if creates or flags & os.O_ACCMODE != os.O_RDONLY:
                self._fail(errno.EISDIR)
        elif flags & os.O_DIRECTORY or self.slash:
            self._fail(errno.ENOTDIR)

    def stat(self) -> os.stat_result:
        return self.node.stat(self._host) or node_stat(self.node, self.guest_path, self._device, self._tree.started)

    def readlink(self) -> bytes:
        if not isinstance(self.node, Link):
            self._fail(errno.EINVAL)
        return self.node.target()

    def access(self, mode: int, *, effective: bool = False) -> None:
        user, groups = (os.geteuid(), os.getegid()) if effective else (os.getuid(), os.getgid())
        if mode & ~allowed(self.node, user, {groups, *os.getgroups()}):
            self._fail(errno.EACCES)
        if mode & os.W_OK and isinstance(self.node, Directory):
            self._fail(errno.EROFS)

    def statfs(self) -> Statfs:
        self.stat()
        magic = MAGIC.get(self.mount.kind, PROC_SUPER_MAGIC) if self.mount is not None else PROC_SUPER_MAGIC
        return Statfs(magic, 4096, 0, 0, 0, 0, 0, self._device, MAX_NAME, 4096, 0)

    def getxattr(self, attribute: bytes) -> bytes:
        self.stat()
        self._fail(errno.EOPNOTSUPP)

    def listxattr(self) -> list[bytes]:
        self.stat()
        return []

    def listdir(self) -> list[Dirent]:
        if not isinstance(self.node, Directory):
            self._fail(errno.ENOTDIR)
        return self._tree.listdir(Opened(-1, self.node, self.guest_path, self.mount))

    def mkdir(self, mode: int) -> None:
        may_create(self, directory=True)
        self._fail(errno.EROFS)

    def mknod(self, mode: int, device: int = 0) -> None:
        may_create(self)
        self._fail(errno.EROFS)

    def symlink(self, target: bytes) -> None:
        may_create(self)
        self._fail(errno.EROFS)

    def link(self, source: Place) -> None:
        may_link(self, source)
        self._fail(errno.EROFS)

    def unlink(self) -> None:
        may_unlink(self)
        self._fail(errno.EROFS)

    def rmdir(self) -> None:
        may_rmdir(self)
        self._fail(errno.EROFS)

    def rename(self, to: Place, flags: int = 0) -> None:
        may_rename(self, to, flags)
        if self.guest_path != to.guest_path:
            self._fail(errno.EROFS)

    def chmod(self, mode: int) -> None:
        self.node.chmod(self._host, mode)

    def chown(self, owner: int, group: int) -> None:
        self.node.chown(self._host, owner, group)

    def utime(self, times: Times | None) -> None:
        """Allowed and without effect on what can be written, as `touch /dev/null` is used."""
        if isinstance(self.node, Device):
            return
        self._unchangeable()

    def truncate(self, length: int) -> None:
        if length < 0:
            self._fail(errno.EINVAL)
        if not isinstance(self.node, File):
            self._fail(errno.EISDIR if stat.S_ISDIR(self.node.mode) else errno.EINVAL)
        self.access(os.W_OK, effective=True)

    def setxattr(self, attribute: bytes, value: bytes, flags: int = 0) -> None:
        self._unchangeable()

    def removexattr(self, attribute: bytes) -> None:
        self._unchangeable()

    def _unchangeable(self) -> NoReturn:
        self.stat()
        self._fail(errno.EPERM)


def allowed(node: Node, user: int, groups: set[int]) -> int:
    """The mask of R_OK, W_OK, X_OK that *node*'s mode gives to *user*; the superuser reads and writes
    everything.
    """
    mode = node.mode
    if user == 0:
        executable = stat.S_ISDIR(mode) or mode & 0o111
        return os.R_OK | os.W_OK | (os.X_OK if executable else 0)
    owner, group = node.owner
    if user == owner:
        return mode >> 6 & 7
    return mode >> 3 & 7 if group in groups else mode & 7
