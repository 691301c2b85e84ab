"""A sysroot laid over the whole host: what is found in it comes first, as with QEMU's option -L."""

from __future__ import annotations

import os
import stat

from compat.sandbox.mounts import HostMount, MountTable
from compat.sandbox.paths import names_of
from compat.sandbox.place import Opened, Place, Tree
from compat.sandbox.resolve import Resolver

__all__ = ["Preferred"]


class Preferred:
    """The files of *mount*, a folder shown as `/`. Its empty folders hide nothing: a sysroot has them for mounts."""

    def __init__(self, tree: Tree, mount: HostMount) -> None:
        self.mount = mount
        self._host = tree.host
        self._resolver = Resolver(tree, MountTable(mount))
        self._root = Opened(-1, None, b"/", None)

    def find(self, path: bytes, *, follow: bool) -> Place | None:
        """The place of the absolute *path*, where the file is in here."""
        if not names_of(path):
            return None
        try:
            place = self._resolver.resolve(path, self._root, follow=follow, entry=False)
        except OSError:
            return None
        try:
            if not stat.S_ISDIR(place.stat().st_mode) or self._has_names(place):
                return place
        except OSError:
            pass  # missing, or not to be read
        place.close()
        return None

    def _has_names(self, place: Place) -> bool:
        opened = place.open(os.O_RDONLY | os.O_DIRECTORY)
        try:
            return bool(self._host.scandir(opened.fd))
        finally:
            self._host.close(opened.fd)
