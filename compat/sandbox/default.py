"""The view a guest gets: what is granted without asking, what options add, and what --trust opens."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final

from compat.errors import CompatError
from compat.host import AT_FDCWD, Host
from compat.sandbox.grants import Grant, open_grant
from compat.sandbox.mounts import HostMount, Mount, MountTable, SyntheticMount
from compat.sandbox.paths import names_of
from compat.sandbox.place import Opened
from compat.sandbox.private import PrivateFolder
from compat.sandbox.synthetic import Directory, Link, Node
from compat.sandbox.view import NOWHERE, FileView

NEVER_GRANTED: Final = (b"proc", b"sys", b"dev")
"""First names of working folders that are not granted for being there: they are the host's machinery."""

KINDS: Final = {b"/dev": b"devtmpfs", b"/sys": b"sysfs"}

OWN: Final = (b"self", b"thread-self")
FIRST_DEVICE: Final = 201


def default_view(
    host: Host,
    *,
    cwd: bytes,
    program: bytes | None = None,
    sysroot: bytes | None = None,
    grants: Iterable[Grant] = (),
    proc: Directory | None = None,
    dev: Directory | None = None,
    sys: Directory | None = None,
    trust: bool = False,
    sysroot_writable: bool = False,
) -> FileView:
    """The files of a guest that was started in *cwd* (absolute).

    *sysroot* is shown as `/`, else that is empty; *proc*, *dev* and *sys* are the trees at /proc, /dev
    and /sys. /tmp and /dev/shm are private to the run. *cwd* is writable, unless it is `/` or the host's
    own /proc, /sys, /dev, which nobody gives away by being there. *program* is shown read-only at its own path where no
    other mount shows it. With *trust* the whole host is shown, with only /proc/self, *grants*, and
    what is found in *sysroot* laid over it.

    Raises:
        CompatError: when a folder or file does not exist or can't be opened.
    """
    if trust:
        root: Mount = open_grant(host, Grant(b"/", b"/", devices=True))
    else:
        root = _root(host, sysroot, writable=sysroot_writable)
    view = FileView(host, MountTable(root))
    view.private = PrivateFolder(host)
    view.on_close(view.private.remove)
    try:
        if trust and sysroot is not None:
            view.prefer(_sysroot(host, sysroot, writable=sysroot_writable))
        if trust:
            _add_trees(view, {b"/proc/" + name: _own(proc, name) for name in OWN if proc is not None})
        else:
            _add_own(view, cwd, {b"/proc": proc, b"/dev": dev, b"/sys": sys})
        _add_all(view, (open_grant(host, grant) for grant in grants))
        if program is not None:
            _add_program(view, program)
    except BaseException:
        view.close()
        raise
    return view


def _add_own(view: FileView, cwd: bytes, trees: Mapping[bytes, Directory | None]) -> None:
    """What a guest sees without asking."""
    folder = view.private.folder
    _add_all(view, [HostMount(b"/tmp", partial(folder, b"tmp"), kind=b"tmpfs")])
    if names_of(cwd) and names_of(cwd)[0] not in NEVER_GRANTED:
        _add_all(view, [open_grant(view.host, Grant(cwd, cwd))])
    _add_trees(view, trees)
    if trees[b"/dev"] is not None:
        _add_all(view, [HostMount(b"/dev/shm", partial(folder, b"shm"), kind=b"tmpfs")])


def start_folder(view: FileView, cwd: bytes) -> Opened:
    """The guest's first working folder: *cwd* where the view shows it, else `/`."""
    try:
        return view.open_directory(cwd)
    except OSError:
        return view.root()


def _root(host: Host, sysroot: bytes | None, *, writable: bool) -> Mount:
    if sysroot is None:
        return SyntheticMount(b"/", Directory({}, mode=0o755), device=os.makedev(0, FIRST_DEVICE - 1))
    return _sysroot(host, sysroot, writable=writable)


def _sysroot(host: Host, sysroot: bytes, *, writable: bool) -> HostMount:
    mount = open_grant(host, Grant(sysroot, b"/", read_only=not writable))
    if mount.single:
        host.close(mount.root_fd)
        raise CompatError(f"the sysroot {os.fsdecode(sysroot)} is no folder")
    return mount


def _add_trees(view: FileView, trees: Mapping[bytes, Directory | None]) -> None:
    for number, (path, tree) in enumerate(trees.items(), FIRST_DEVICE):
        if tree is not None:
            kind = KINDS.get(path, b"proc")
            view.table.add(SyntheticMount(path, tree, device=os.makedev(0, number), kind=kind))


def _add_all(view: FileView, mounts: Iterable[Mount]) -> None:
    """Add mounts where their paths lead in the view so far: /lib/x is /usr/lib/x where /lib is a link."""
    for mount in mounts:
        mount.guest_path = canonical(view, mount.guest_path)
        view.table.add(mount)


def _add_program(view: FileView, program: bytes) -> None:
    path = os.path.abspath(program)
    if not _shows(view, path, program):
        _add_all(view, [open_grant(view.host, Grant(program, path, read_only=True))])


def _shows(view: FileView, path: bytes, program: bytes) -> bool:
    """Whether *path* in the view is the host's file *program* already."""
    if _in_untouched(view, path):
        return False
    try:
        with view.resolve(path, NOWHERE) as place:
            shown = place.stat()
        return os.path.samestat(shown, view.host.fstatat(AT_FDCWD, program, 0))
    except OSError:
        return False


def _in_untouched(view: FileView, path: bytes) -> bool:
    """Whether *path* lies in a folder that is not even made: no link is there, and no need to make it."""
    mount = view.table.find(names_of(path)).mount
    return isinstance(mount, HostMount) and mount.untouched


def canonical(view: FileView, path: bytes) -> bytes:
    """*path* with the symbolic links of the view followed, as far as it exists."""
    done = b"/"
    for name in names_of(path):
        written = done.rstrip(b"/") + b"/" + name
        if _in_untouched(view, written):
            done = written
            continue
        try:
            with view.resolve(written, NOWHERE) as place:
                done = place.guest_path
        except OSError:
            done = written
    return done


def _own(proc: Directory, name: bytes) -> Directory:
    """What the link *name* of *proc* leads to now, as a folder of its own."""

    def entries() -> Mapping[bytes, Node]:
        node: Node | None = proc
        pending = [name]
        while pending and isinstance(node, Directory):
            node = node.lookup(pending.pop(0))
            if isinstance(node, Link):
                pending = node.target().split(b"/") + pending
                node = proc
        return node.entries() if isinstance(node, Directory) else {}

    return Directory(entries)
