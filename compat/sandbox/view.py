"""The guest's whole file tree: mounts and the way to them, as one view."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable
from typing import Final

from compat.data import replace
from compat.host import Dirent, Host
from compat.sandbox.adopted import adopt, find_shown
from compat.sandbox.mounts import HostMount, Mount, MountTable, Point, SyntheticMount
from compat.sandbox.paths import join, names_of, refuse
from compat.sandbox.place import Opened, Place
from compat.sandbox.preferred import Preferred
from compat.sandbox.present import Present
from compat.sandbox.private import PrivateFolder
from compat.sandbox.resolve import WAY_DEVICE, Resolver
from compat.sandbox.synthetic import Directory, inode, node_stat

NOWHERE: Final = Opened(-1, None, b"/", None)
"""A base for paths that are absolute."""


class FileView:
    """What files a guest sees. *openat2* False walks name by name even where the host could do better; *private* is
    the run's own folder."""

    private: PrivateFolder

    def __init__(self, host: Host, table: MountTable, *, openat2: bool = True) -> None:
        self.host = host
        self.table = table
        self.started = time.time()
        self._closing: list[Callable[[], None]] = []
        self._preferred: Preferred | None = None
        self._resolver = Resolver(self, table, openat2=openat2)
        self._present = Present(host)

    def resolve(self, path: bytes, base: Opened, *, follow: bool = True) -> Place:
        """The place of a file to look at or change, named by *path* from the open folder *base*.

        Raises:
            OSError: as path_resolution(7): ENOENT, ENOTDIR, ELOOP, EACCES, ENAMETOOLONG. The last name may
            be missing.
        """
        if self._preferred is not None:
            found = self._preferred.find(self._absolute(path, base, self._preferred.mount), follow=follow)
            if found is not None:
                return found
        return self._resolver.resolve(path, base, follow=follow, entry=False)

    def prefer(self, mount: HostMount) -> None:
        """Look for files in *mount* first."""
        self._preferred = Preferred(self, mount)

    def _absolute(self, path: bytes, base: Opened, mount: HostMount) -> bytes:
        """*path* from the root, if it leads from there or from a folder of *mount*; else the root itself."""
        if path.startswith(b"/"):
            return path
        return self.path(base) + b"/" + path if base.mount is mount else b"/"

    def entry(self, path: bytes, base: Opened) -> Place:
        """The place of a name to create, remove or rename: a link there is never followed, even written
        `link/`.
        """
        return self._resolver.resolve(path, base, follow=False, entry=True)

    def open(self, path: bytes, base: Opened, flags: int, mode: int = 0o666) -> Opened:
        """openat(2) with the host's flag values: what resolve() and Place.open() do, with the right
        following.
        """
        creates = flags & os.O_CREAT
        if creates and path.endswith(b"/"):
            with self.entry(path, base) as place:  # never looks at the name itself
                return place.open(flags, mode)
        follow = not (flags & os.O_NOFOLLOW or (creates and flags & os.O_EXCL))
        with self.resolve(path, base, follow=follow) as place:
            return place.open(flags, mode)

    def held(self, opened: Opened) -> Place:
        """The place of an open file: for fchmod, fchown, futimens, fsetxattr and AT_EMPTY_PATH."""
        return self._resolver.held(opened)

    def root(self) -> Opened:
        """The guest's `/`, opened anew."""
        return self.open_directory(b"/")

    def open_directory(self, path: bytes) -> Opened:
        """The folder at the absolute *path*, as a working directory."""
        with self.resolve(path, NOWHERE) as place:
            return place.location()

    def fstat(self, opened: Opened) -> os.stat_result:
        """fstat(2): a synthetic file shows its node's attributes."""
        if opened.node is None:
            return self.host.fstat(opened.fd)
        device = opened.mount.device if isinstance(opened.mount, SyntheticMount) else WAY_DEVICE
        return opened.node.stat(self.host) or node_stat(opened.node, opened.guest_path, device, self.started)

    def path(self, opened: Opened) -> bytes:
        """Where an open folder is now, for getcwd(2); ENOENT when it was removed or moved out of sight."""
        return self._present.path(opened)

    def name(self, opened: Opened) -> bytes:
        """The text of /proc/self/fd/N for an open file."""
        return self._present.name(opened)

    def listdir(self, opened: Opened) -> list[Dirent]:
        """All names of an open folder, "." and ".." first, with the mount points in it, in a steady order.

        Raises:
            OSError: ENOTDIR.
        """
        point = self._table_point(opened)
        below = point.children if point is not None else {}
        mounted = {name: self._mounted(opened, name, each) for name, each in below.items()}
        if opened.node is None:
            found = self.host.scandir(opened.fd)
        elif isinstance(opened.node, Directory):
            found = self._nodes(opened)
        else:
            raise refuse(errno.ENOTDIR)
        own = self.fstat(opened).st_ino
        shown = [mounted.pop(each.name, each) for each in found]
        dots = [Dirent(b".", own, stat.S_IFDIR), Dirent(b"..", self._above(opened, own), stat.S_IFDIR)]
        return dots + shown + list(mounted.values())

    def _table_point(self, opened: Opened) -> Point | None:
        try:
            path = opened if opened.mount is None else replace(opened, guest_path=self.path(opened))
        except FileNotFoundError:
            return None
        return self.table.find(path.names).point

    def _nodes(self, opened: Opened) -> list[Dirent]:
        assert isinstance(opened.node, Directory)
        return [
            Dirent(name, inode(join([*opened.names, name])), stat.S_IFMT(node.mode))
            for name, node in opened.node.entries().items()
        ]

    def _mounted(self, opened: Opened, name: bytes, point: Point) -> Dirent:
        kind = stat.S_IFDIR
        if isinstance(point.mount, SyntheticMount):
            kind = stat.S_IFMT(point.mount.node.mode)
        elif isinstance(point.mount, HostMount) and point.mount.single:
            kind = stat.S_IFREG
        return Dirent(name, inode(join([*opened.names, name])), kind)

    def _above(self, opened: Opened, own: int) -> int:
        """The inode number of the folder above; a folder's own where that can't be told."""
        try:
            with self.resolve(b"..", opened) as place:
                return place.stat().st_ino
        except OSError:
            return own

    def adopt(self, fd: int) -> Opened:
        """The record of a host file that another process opened and passed here."""
        return adopt(self.host, self.table, fd)

    def shown(self, host_path: bytes) -> bytes:
        """The guest's path for the host's absolute one; b"" where no mount shows it."""
        names = names_of(host_path) if host_path.startswith(b"/") else []
        return find_shown(self.host, self.table, names)[1] if names else b""

    def mounts(self) -> list[Mount]:
        return self.table.all()

    def on_close(self, act: Callable[[], None]) -> None:
        """Do *act* when the view is closed."""
        self._closing.append(act)

    def close(self) -> None:
        """Let go of the descriptors of all mounts. The view is of no use after it."""
        preferred = [self._preferred.mount] if self._preferred is not None else []
        for mount in [*self.table.all(), *preferred]:
            fd = mount.forget() if isinstance(mount, HostMount) else None
            if fd is not None:
                self.host.close(fd)
        for act in self._closing:
            act()
