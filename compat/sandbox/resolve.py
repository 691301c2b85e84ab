"""path_resolution(7) over the mount table: from a guest path to a place, never outside the mounts.

A path without ".." is one confined open of its parent folder below the root of the mount that serves it.
Where a symbolic link stands in the way, its text is put into the path and resolution goes on with the whole
of it, as a guest path: an absolute link starts at the guest's root and may cross mounts. ".." is taken off
the guest path once what stands before it is known to be a folder; the host's ".." is never opened.
"""

from __future__ import annotations

import errno
import os
import stat
from functools import partial
from typing import Final

from compat.data import dataclass
from compat.sandbox.beneath import Beneath, LinkMet
from compat.sandbox.changes import ChangeablePlace
from compat.sandbox.held_place import HeldPlace
from compat.sandbox.mounts import Found, HostMount, Mount, MountTable, Point, SyntheticMount
from compat.sandbox.paths import join, names_of, parse, refuse
from compat.sandbox.place import Opened, Place, Site, Tree
from compat.sandbox.present import Present
from compat.sandbox.route import MagicMet, Route
from compat.sandbox.synthetic import Directory, File, Link, Node
from compat.sandbox.synthetic_place import SyntheticPlace

RACES: Final = 16
"""How often a path is resolved anew because a link took the place of the file it led to."""

WAY_DEVICE: Final = os.makedev(0, 200)
"""st_dev of the folders that exist only because a mount point lies below them."""


@dataclass(frozen=True)
class Parent:
    """The folder of the last name: a descriptor of the host, to be closed if *owned*, or a *node*."""

    mount: Mount
    fd: int = -1
    owned: bool = False
    node: Directory | None = None


class Resolver:
    """Resolves guest paths against one mount table."""

    def __init__(self, tree: Tree, table: MountTable, *, openat2: bool = True) -> None:
        self._host = tree.host
        self._table = table
        self._tree = tree
        self._beneath = Beneath(tree.host, openat2=openat2)
        self._present = Present(tree.host)
        self._way = Directory({})

    def resolve(self, path: bytes, base: Opened, *, follow: bool, entry: bool, races: int = RACES) -> Place:
        """The place of *path*, relative to *base*; see `FileView.resolve` and `FileView.entry`."""
        route = Route(parse(path), base, follow=follow, entry=entry)
        if route.follow and races:
            route.again = partial(self.resolve, path, base, follow=follow, entry=entry, races=races - 1)
        while True:
            try:
                return self._walk(route)
            except LinkMet as link:
                route.splice(link.index, link.target)
            except MagicMet as magic:
                if self._is_folder(magic.target):
                    route.jump(magic.index, magic.target)
                    continue
                if magic.index < len(route.names) - 1 or route.slash:
                    raise refuse(errno.ENOTDIR) from None
                return self.held(magic.target)

    def held(self, opened: Opened) -> Place:
        """The place of a file that is open."""
        if opened.node is not None:
            assert opened.mount is not None
            return self._synthetic(opened.mount, Site(opened.guest_path, busy=True), opened.node)
        return HeldPlace(self._tree, opened)

    def _is_folder(self, opened: Opened) -> bool:
        if opened.node is not None:
            return isinstance(opened.node, Directory)
        return stat.S_ISDIR(self._host.fstat(opened.fd).st_mode)

    def _walk(self, route: Route) -> Place:
        self._settle_base(route)
        if b".." in route.names:
            self._climb(route)
        if not route.names:
            return self._itself(route)
        found = self._table.find(route.names) if route.base is None else None
        if found is not None and found.depth == len(route.names):
            return self._mount_root(route, found.mount)
        point = found.point if found is not None else None
        parent = self._parent(route, found)
        try:
            if parent.node is not None:
                return self._in_node(route, parent, parent.node, point)
            return self._in_folder(route, parent, point)
        except BaseException:
            self._release(parent)
            raise

    def _settle_base(self, route: Route) -> None:
        """Walk from the root where a mount lies below the base, or where the base is synthetic."""
        base = route.base
        if base is None:
            return
        if base.mount is None:
            raise refuse(errno.ENOTDIR)  # a pipe, a terminal
        point = self._table.find(base.names).point
        if base.node is not None or (point is not None and point.children):
            self._leave_base(route, base)

    def _leave_base(self, route: Route, base: Opened) -> None:
        route.names = names_of(self._present.path(base)) + route.names
        route.base = None

    def _climb(self, route: Route) -> None:
        """Take each ".." off, after making sure that a folder stands before it; at the root it means the
        root.
        """
        while b".." in route.names:
            index = route.names.index(b"..")
            if index:
                self._release(self._folder(route.base, route.names[:index]))
                del route.names[index - 1 : index + 1]
            elif route.base is not None:
                self._leave_base(route, route.base)
                if route.names[0] == b"..":
                    del route.names[0]
            else:
                del route.names[0]

    def _itself(self, route: Route) -> Place:
        """The base or the root itself."""
        base = route.base
        if base is None:
            return self._mount_root(route, self._table.find([]).mount)
        assert isinstance(base.mount, HostMount)
        busy = self._table.find(base.names).point is not None
        site = route.site(base.guest_path, busy=busy)
        return ChangeablePlace(self._tree, base.mount, site, base.fd, b".")

    def _parent(self, route: Route, found: Found | None) -> Parent:
        if found is None:
            return self._folder(route.base, route.names[:-1])
        return self._mounted_folder(found.mount, found.depth, route.names[:-1])

    def _folder(self, base: Opened | None, names: list[bytes]) -> Parent:
        if base is None:
            found = self._table.find(names)
            return self._mounted_folder(found.mount, found.depth, names)
        assert base.mount is not None
        if not names:
            return Parent(base.mount, base.fd)
        return Parent(base.mount, self._beneath.open(base.fd, names), owned=True)

    def _mounted_folder(self, mount: Mount, depth: int, names: list[bytes]) -> Parent:
        """The folder *names*, which *mount* serves from the name *depth* on."""
        try:
            if isinstance(mount, SyntheticMount):
                return Parent(mount, node=_descend(mount.node, names, depth))
            assert isinstance(mount, HostMount)
            if mount.single:
                raise refuse(errno.ENOTDIR)
            if depth == len(names):
                return Parent(mount, mount.root_fd)
            return Parent(mount, self._beneath.open(mount.root_fd, names[depth:]), owned=True)
        except LinkMet as link:
            link.index += 0 if isinstance(mount, SyntheticMount) else depth
            raise
        except (FileNotFoundError, NotADirectoryError):
            if self._table.find(names).point is None or len(names) == depth:
                raise
            return Parent(mount, node=self._way)

    def _in_node(self, route: Route, parent: Parent, folder: Directory, point: Point | None) -> Place:
        node = folder.lookup(route.names[-1])
        if isinstance(node, Link) and route.follow:
            _meet(node, len(route.names) - 1)
        if node is None and point is not None:
            node = self._way
        route.check(node.mode if node is not None else None)
        return self._synthetic(parent.mount, route.site(join(route.names), busy=point is not None), node)

    def _in_folder(self, route: Route, parent: Parent, point: Point | None) -> Place:
        name = route.names[-1]
        seen = self._look(parent.fd, name) if route.follow or point is not None else None
        if point is not None and (seen is None or not stat.S_ISDIR(seen.st_mode)):
            way = self._synthetic(parent.mount, route.site(join(route.names), busy=True), self._way)
            self._release(parent)
            return way
        if route.follow:
            seen = self._beyond_link(parent.fd, name, len(route.names) - 1, seen)
            route.check(seen.st_mode if seen is not None else None)
        guest = join(([] if route.base is None else route.base.names) + route.names)
        site = route.site(guest, busy=point is not None)
        assert isinstance(parent.mount, HostMount)
        return ChangeablePlace(
            self._tree,
            parent.mount,
            site,
            parent.fd,
            name,
            owned=parent.owned,
            seen=seen,
            again=route.again,
        )

    def _look(self, dir_fd: int, name: bytes) -> os.stat_result | None:
        try:
            return self._host.fstatat(dir_fd, name)
        except FileNotFoundError:
            return None

    def _beyond_link(self, dir_fd: int, name: bytes, index: int, seen: os.stat_result | None) -> os.stat_result | None:
        """What is at *name*, by now maybe not what was *seen*, if it is no link; LinkMet if it is one."""
        for _ in range(RACES):
            if seen is None or not stat.S_ISLNK(seen.st_mode):
                return seen
            try:
                target = self._host.readlinkat(dir_fd, name)
            except OSError as error:
                if error.errno not in (errno.EINVAL, errno.ENOENT):
                    raise
                seen = self._look(dir_fd, name)
            else:
                raise LinkMet(index, target)
        raise refuse(errno.ELOOP)

    def _mount_root(self, route: Route, mount: Mount) -> Place:
        site = route.site(mount.guest_path, busy=True)
        if route.entry and route.last == "name":
            return self._mount_point(route, site, mount)
        if isinstance(mount, SyntheticMount):
            route.check(mount.node.mode)
            return self._synthetic(mount, site, mount.node)
        assert isinstance(mount, HostMount)
        if mount.single:
            route.check(stat.S_IFREG)
        return ChangeablePlace(self._tree, mount, site, mount.root_fd, mount.leaf)

    def _mount_point(self, route: Route, site: Site, mount: Mount) -> Place:
        """The name of a mount point, which belongs to the mount that holds it."""
        holder = self._table.find(route.names[:-1]).mount
        if isinstance(mount, SyntheticMount):
            return self._synthetic(holder, site, mount.node)
        single = isinstance(mount, HostMount) and mount.single
        return self._synthetic(holder, site, File(b"") if single else self._way)

    def _synthetic(self, mount: Mount, site: Site, node: Node | None) -> Place:
        device = mount.device if isinstance(mount, SyntheticMount) else WAY_DEVICE
        return SyntheticPlace(self._tree, mount, site, node, device=device)

    def _release(self, parent: Parent) -> None:
        if parent.owned:
            self._host.close(parent.fd)


def _descend(node: Node, names: list[bytes], depth: int) -> Directory:
    """The synthetic folder *names*, of which *node* is at *depth*."""
    for index in range(depth, len(names) + 1):
        if isinstance(node, Link):
            _meet(node, index - 1)
        if not isinstance(node, Directory):
            raise refuse(errno.ENOTDIR)
        if index == len(names):
            return node
        below = node.lookup(names[index])
        if below is None:
            raise refuse(errno.ENOENT)
        node = below
    raise AssertionError("a mount lies deeper than the path it serves")


def _meet(link: Link, index: int) -> None:
    if link.magic is not None:
        raise MagicMet(index, link.magic())
    raise LinkMet(index, link.target())
