"""The text of /proc/self/mounts for a view: proc(5), fstab(5)."""

from __future__ import annotations

from compat.sandbox.mounts import HostMount, Mount
from compat.sandbox.view import FileView


def mounts_text(view: FileView) -> bytes:
    """One line for each mount: source, mount point, type, options and two zeros."""
    return b"".join(_line(mount) for mount in view.mounts())


def _line(mount: Mount) -> bytes:
    options = [b"ro" if mount.read_only and isinstance(mount, HostMount) else b"rw"]
    if isinstance(mount, HostMount) and not mount.devices:
        options.append(b"nodev")
    cells = [mount.kind, escape(mount.guest_path), mount.kind, b",".join(options), b"0", b"0"]
    return b" ".join(cells) + b"\n"


def escape(path: bytes) -> bytes:
    """Blanks, tabs, line ends, backslashes and # in octal: mangle() of Linux's fs/proc_namespace.c."""
    return b"".join(b"\\%03o" % byte if byte in b" \t\n\\#" else bytes((byte,)) for byte in path)
