"""Where an open file is now: its folder may have been renamed or removed since it was opened."""

from __future__ import annotations

import errno

from compat.host import Host
from compat.sandbox.mounts import HostMount
from compat.sandbox.paths import join, names_of, refuse
from compat.sandbox.place import Opened

DELETED = b" (deleted)"


class Present:
    """Learns the present guest path of open files from the host."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def path(self, opened: Opened) -> bytes:
        """The canonical guest path of *opened* now; as it was when opened, where the host can't tell.

        Raises:
            OSError: ENOENT when it was removed, or was moved out of its mount.
        """
        if opened.node is not None or not isinstance(opened.mount, HostMount) or opened.mount.single:
            return opened.guest_path
        try:
            host_path = self._host.path_of(opened.fd)
            root = self._host.path_of(opened.mount.root_fd)
        except OSError as error:
            if error.errno not in (errno.ENOSYS, errno.ENAMETOOLONG):  # /proc tells no path beyond one page
                raise
            return opened.guest_path
        if host_path.endswith(DELETED) and self._host.fstat(opened.fd).st_nlink == 0:
            raise refuse(errno.ENOENT)
        return self._through(opened.mount, names_of(root), names_of(host_path))

    def _through(self, mount: HostMount, root: list[bytes], names: list[bytes]) -> bytes:
        if names[: len(root)] != root:
            raise refuse(errno.ENOENT)
        return join(names_of(mount.guest_path) + names[len(root) :])

    def name(self, opened: Opened) -> bytes:
        """What a link like /proc/self/fd/N says: the present path, one marked as deleted, or `pipe:[123]`."""
        if opened.mount is None and opened.node is None:
            return self._host.path_of(opened.fd)
        try:
            return self.path(opened)
        except FileNotFoundError:
            return opened.guest_path + DELETED
