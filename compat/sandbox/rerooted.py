"""The file tree with another root: what chroot(2) leaves of it, the folder itself and the mounts below."""

from __future__ import annotations

from compat.host import Host
from compat.sandbox.mounts import HostMount, Mount, MountTable, SyntheticMount
from compat.sandbox.paths import join, names_of
from compat.sandbox.place import Opened
from compat.sandbox.view import FileView

__all__ = ["rerooted"]


def rerooted(view: FileView, folder: Opened) -> FileView:
    """A view whose `/` is the open *folder* of *view*; closing it closes *view*, whose open files stay usable.

    Raises:
        OSError: ENOENT for a folder that was removed; what the host says.
    """
    way = names_of(view.path(folder))
    table = MountTable(_root(view.host, folder))
    for mount in view.mounts():
        names = names_of(mount.guest_path)
        if len(names) > len(way) and names[: len(way)] == way:
            table.add(_moved(view.host, mount, join(names[len(way) :])))
    made = FileView(view.host, table)
    made.private, made.started = view.private, view.started
    made.on_close(view.close)
    return made


def _root(host: Host, folder: Opened) -> Mount:
    above = folder.mount
    if folder.node is not None:
        assert isinstance(above, SyntheticMount)
        return SyntheticMount(b"/", folder.node, device=above.device, kind=above.kind)
    assert isinstance(above, HostMount)
    fd = host.dup(folder.fd)
    return HostMount(b"/", fd, read_only=above.read_only, devices=above.devices, kind=above.kind)


def _moved(host: Host, mount: Mount, path: bytes) -> Mount:
    """*mount* at another guest path; it has its own descriptor of the root, as every mount."""
    if isinstance(mount, SyntheticMount):
        return SyntheticMount(path, mount.node, device=mount.device, kind=mount.kind)
    assert isinstance(mount, HostMount)
    return HostMount(
        path,
        lambda: host.dup(mount.root_fd),
        leaf=mount.leaf,
        read_only=mount.read_only,
        devices=mount.devices,
        kind=mount.kind,
    )
