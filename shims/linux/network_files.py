"""What name resolution reads in /etc, where the sysroot has none of it: the host's files with the network, else those
of a machine without one."""

from __future__ import annotations

import errno
import os
from typing import Final

from compat.errors import CompatError
from compat.sandbox.grants import Grant, open_grant
from compat.sandbox.mounts import Mount, SyntheticMount
from compat.sandbox.synthetic import File
from compat.sandbox.view import NOWHERE, FileView

__all__ = ["add_network_files"]

_ALONE: Final[dict[bytes, bytes]] = {
    b"/etc/hosts": b"127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n",
    b"/etc/resolv.conf": b"# no network: ask nobody, and give up at once\noptions attempts:1 timeout:1\n",
}
_DEVICE: Final = os.makedev(0, 210)


def add_network_files(view: FileView, *, network: bool) -> None:
    """Show each file that is missing, read-only."""
    for path, text in _ALONE.items():
        if _missing(view, path):
            mount = _host_file(view, path) if network else SyntheticMount(path, File(text, mode=0o644), device=_DEVICE)
            if mount is not None:
                view.table.add(mount)


def _missing(view: FileView, path: bytes) -> bool:
    """Also a link that leads nowhere, as /etc/resolv.conf is in many an unpacked system."""
    try:
        with view.resolve(path, NOWHERE) as place:
            return not place.exists()
    except OSError as error:
        return error.errno == errno.ENOENT


def _host_file(view: FileView, path: bytes) -> Mount | None:
    try:
        return open_grant(view.host, Grant(path, path, read_only=True))
    except CompatError:
        return None  # the host has none either
