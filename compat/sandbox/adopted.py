"""An open file that came from another process: what the guest would call it."""

from __future__ import annotations

import stat

from compat.host import Host
from compat.sandbox.mounts import HostMount, MountTable
from compat.sandbox.paths import join, names_of
from compat.sandbox.place import Opened
from compat.sandbox.present import DELETED

__all__ = ["adopt", "find_shown"]


def adopt(host: Host, table: MountTable, fd: int) -> Opened:
    """The record of *fd*: a file or folder belongs to the mount that shows it now, and has its path there; whatever no
    mount shows has no path."""
    mode = host.fstat(fd).st_mode
    nowhere = Opened(fd, None, b"", None)
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        return nowhere
    try:
        names = names_of(host.path_of(fd).removesuffix(b"" if host.fstat(fd).st_nlink else DELETED))
    except OSError:
        return nowhere
    mount, path = find_shown(host, table, names)
    return Opened(fd, None, path, mount)


def find_shown(host: Host, table: MountTable, names: list[bytes]) -> tuple[HostMount | None, bytes]:
    """The mount that shows the host's path *names*, and the guest's path for it; None and b"" where none does."""
    found = [place for mount in table.all() if (place := _shown(host, table, mount, names)) is not None]
    return max(found, key=lambda each: len(each[1]), default=(None, b""))


def _shown(host: Host, table: MountTable, mount: object, names: list[bytes]) -> tuple[HostMount, bytes] | None:
    """*mount* and the guest path of the host's path *names*, unless the mount does not show it."""
    if not isinstance(mount, HostMount):
        return None
    try:
        root = names_of(host.path_of(mount.root_fd))
    except OSError:
        return None
    if mount.single:
        root.append(mount.leaf)
    if names[: len(root)] != root or (mount.single and len(names) > len(root)):
        return None
    path = names_of(mount.guest_path) + names[len(root) :]
    return (mount, join(path)) if table.find(path).mount is mount else None
