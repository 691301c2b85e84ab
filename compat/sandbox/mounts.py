"""The mount table: which part of the guest's tree comes from where."""

from __future__ import annotations

import errno
from collections.abc import Callable

from compat.data import dataclass
from compat.sandbox.paths import names_of, refuse
from compat.sandbox.synthetic import Node


class Mount:
    """One mount point. *guest_path* is canonical and absolute; *kind* is what /proc/mounts shows as the
    type.
    """

    def __init__(self, guest_path: bytes, *, read_only: bool, kind: bytes) -> None:
        self.guest_path = guest_path
        self.read_only = read_only
        self.kind = kind


class HostMount(Mount):
    """A folder or one file of the host.

    *root* is the O_PATH descriptor of the folder, or of the folder that holds the file *leaf*; or a callable
    that opens it at the first use. *devices* says whether device nodes inside may be opened: where compat
    runs as root they would otherwise lead out.
    """

    def __init__(
        self,
        guest_path: bytes,
        root: int | Callable[[], int],
        *,
        leaf: bytes = b".",
        read_only: bool = False,
        devices: bool = False,
        kind: bytes = b"host",
    ) -> None:
        super().__init__(guest_path, read_only=read_only, kind=kind)
        self.leaf = leaf
        self.devices = devices
        self._root: int | Callable[[], int] | None = root

    @property
    def single(self) -> bool:
        """One file, not a folder."""
        return self.leaf != b"."

    @property
    def untouched(self) -> bool:
        """Whether nobody has used it yet; one that is made at the first use holds nothing before."""
        return callable(self._root)

    @property
    def root_fd(self) -> int:
        if self._root is None:
            raise refuse(errno.ENODEV)  # closed
        if not isinstance(self._root, int):
            self._root = self._root()
        return self._root

    def forget(self) -> int | None:
        """The open descriptor, if any, which the caller closes; the mount is of no use after it."""
        fd = self._root if isinstance(self._root, int) else None
        self._root = None
        return fd


class SyntheticMount(Mount):
    """A tree of nodes made by this program; *device* is the st_dev that its files show."""

    def __init__(self, guest_path: bytes, node: Node, *, device: int, kind: bytes = b"synthetic") -> None:
        super().__init__(guest_path, read_only=True, kind=kind)
        self.node = node
        self.device = device


class Point:
    """A name on the way to a mount point, or the mount point itself."""

    __slots__ = ("children", "mount")

    def __init__(self) -> None:
        self.mount: Mount | None = None
        self.children: dict[bytes, Point] = {}


@dataclass(frozen=True)
class Found:
    """*mount* serves the path from its first *depth* names on; *point* is the path's own point, if it has
    one.
    """

    mount: Mount
    depth: int
    point: Point | None


class MountTable:
    """Mounts by guest path. The deepest mount point on a path serves it, whatever the order of adding."""

    def __init__(self, root: Mount) -> None:
        self._root_mount = root
        self._root = Point()
        self._root.mount = root

    def add(self, mount: Mount) -> None:
        """Put *mount* at its guest path; it replaces another mount at the same path."""
        point = self._root
        for name in names_of(mount.guest_path):
            point = point.children.setdefault(name, Point())
        point.mount = mount
        if point is self._root:
            self._root_mount = mount

    def find(self, names: list[bytes]) -> Found:
        """The mount that serves the canonical path *names*."""
        point, mount, depth = self._root, self._root_mount, 0
        for index, name in enumerate(names, 1):
            below = point.children.get(name)
            if below is None:
                return Found(mount, depth, None)
            point = below
            if point.mount is not None:
                mount, depth = point.mount, index
        return Found(mount, depth, point)

    def all(self) -> list[Mount]:
        """All mounts, a mount before those inside it."""
        found: list[Mount] = []
        points = [self._root]
        while points:
            point = points.pop(0)
            found += [point.mount] if point.mount is not None else []
            points += point.children.values()
        return found
