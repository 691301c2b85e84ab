"""/proc/self/mountinfo (proc_pid_mountinfo(5))."""

from __future__ import annotations

import os

from compat.sandbox.mount_list import escape
from compat.sandbox.mounts import HostMount, Mount, SyntheticMount
from compat.sandbox.paths import names_of
from compat.sandbox.view import FileView

__all__ = ["mount_number", "mountinfo"]


def mountinfo(view: FileView) -> bytes:
    """A line for each mount; a mount's number is its place in the list."""
    mounts = view.mounts()
    return b"".join(_line(view, mounts, number) for number in range(1, len(mounts) + 1))


def mount_number(view: FileView, mount: Mount | None) -> int:
    """A mount's number in mountinfo; files without a place in the tree lie in a mount of the kernel's."""
    mounts = view.mounts()
    return mounts.index(mount) + 1 if mount in mounts else len(mounts) + 1


def _line(view: FileView, mounts: list[Mount], number: int) -> bytes:
    mount = mounts[number - 1]
    device = _device(view, mount)
    options = b"ro" if mount.read_only and isinstance(mount, HostMount) else b"rw"
    if isinstance(mount, HostMount) and not mount.devices:
        options += b",nodev"
    cells = (
        number,
        _parent(mounts, mount),
        os.major(device),
        os.minor(device),
        escape(mount.guest_path),
        options,
        mount.kind,
        mount.kind,
        options.split(b",")[0],
    )
    return b"%d %d %d:%d / %s %s - %s %s %s\n" % cells


def _device(view: FileView, mount: Mount) -> int:
    if isinstance(mount, SyntheticMount):
        return mount.device
    try:
        return view.host.fstat(mount.root_fd).st_dev if isinstance(mount, HostMount) else 0
    except OSError:
        return 0


def _parent(mounts: list[Mount], mount: Mount) -> int:
    """The number of the mount that holds this one's mount point; the root's is its own."""
    path = names_of(mount.guest_path)
    best, depth = 1, -1
    for number, other in enumerate(mounts, 1):
        names = names_of(other.guest_path)
        if other is not mount and len(names) > depth and len(names) < len(path) and path[: len(names)] == names:
            best, depth = number, len(names)
    return best
