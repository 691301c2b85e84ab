"""A small tree with two read-only mounts in it, and every call that names files, made through a view."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from compat.host import O_PATH, RENAME_EXCHANGE, RENAME_NOREPLACE, Host
from compat.sandbox.grants import Grant, open_grant
from compat.sandbox.mounts import MountTable
from compat.sandbox.place import Place
from compat.sandbox.view import NOWHERE, FileView

NAMES: Final = """
    . .. file file/ dir dir/ dir/. dir/.. link link/ dlink dlink/ dangling dangling/ fifo
    new new/ new/. new/x file/x empty empty/ missing/..
""".split()  # noqa: SIM905 26 quoted names would take a line each
PATHS: Final = ["/", *(f"/{name}" for name in NAMES), "/mnt", "/mnt/", *(f"/mnt/{name}" for name in NAMES)]
PATHS_AND_POINTS: Final = [*PATHS, "/fmnt", "/fmnt/", "/mnt/../file"]
ENDS: Final = """
    / /file /file/ /dir /dir/ /dir/. /dir/.. /link /dlink /dlink/ /dangling /new /new/ /new/x /dir/sub
    /dir/sub/new /empty /empty/ /mnt /mnt/file /mnt/new /mnt/new/ /mnt/dir /mnt/. /fmnt /missing/x
""".split()  # noqa: SIM905

OPENS: Final = {
    "open_r": os.O_RDONLY,
    "open_w": os.O_WRONLY,
    "open_rw": os.O_RDWR,
    "open_trunc": os.O_RDONLY | os.O_TRUNC,
    "open_creat": os.O_RDONLY | os.O_CREAT,
    "open_creat_w": os.O_WRONLY | os.O_CREAT,
    "open_excl": os.O_WRONLY | os.O_CREAT | os.O_EXCL,
    "open_nofollow": os.O_RDONLY | os.O_NOFOLLOW,
    "open_dir": os.O_RDONLY | os.O_DIRECTORY,
    "open_dir_w": os.O_WRONLY | os.O_DIRECTORY,
    "open_path": O_PATH,
    "open_path_nofollow": O_PATH | os.O_NOFOLLOW,
}
ENTRIES: Final[dict[str, Callable[[Place], None]]] = {
    "mkdir": lambda place: place.mkdir(0o755),
    "mknod": lambda place: place.mknod(stat.S_IFREG | 0o600),
    "symlink": lambda place: place.symlink(b"x"),
    "unlink": lambda place: place.unlink(),
    "rmdir": lambda place: place.rmdir(),
}
FOLLOWED: Final[dict[str, Callable[[Place], object]]] = {
    "chmod": lambda place: place.chmod(0o700),
    "chown": lambda place: place.chown(-1, -1),
    "utime": lambda place: place.utime(None),
    "truncate": lambda place: place.truncate(0),
    "access_w": lambda place: place.access(os.W_OK),
    "stat": lambda place: place.stat(),
}
NOT_FOLLOWED: Final[dict[str, Callable[[Place], object]]] = {
    "lutime": lambda place: place.utime(None),
    "lstat": lambda place: place.stat(),
    "readlink": lambda place: place.readlink(),
}
RENAMES: Final = {"rename": 0, "noreplace": RENAME_NOREPLACE, "exchange": RENAME_EXCHANGE}
SINGLE: Final = [*OPENS, *ENTRIES, *FOLLOWED, *NOT_FOLLOWED]
PAIRS: Final = ["link", *RENAMES]


def build(top: Path) -> None:
    """*top*/rw is the guest's root; *top*/ro goes to /mnt, and its file to /fmnt."""
    for side in (top / "rw", top / "ro"):
        (side / "dir/sub").mkdir(parents=True)
        (side / "empty").mkdir()
        (side / "file").write_text("x")
        (side / "link").symlink_to("file")
        (side / "dlink").symlink_to("dir")
        (side / "dangling").symlink_to("nowhere")
        os.mkfifo(side / "fifo")
    (top / "rw/mnt").mkdir()
    (top / "rw/fmnt").write_text("")


def show(top: Path) -> FileView:
    """The tree as a guest sees it; the caller closes the view."""
    host, rw, ro = Host(), os.fsencode(top / "rw"), os.fsencode(top / "ro")
    table = MountTable(open_grant(host, Grant(rw, b"/")))
    table.add(open_grant(host, Grant(ro, b"/mnt", read_only=True)))
    table.add(open_grant(host, Grant(ro + b"/file", b"/fmnt", read_only=True)))
    return FileView(host, table)


def answer(act: Callable[[], object]) -> str:
    """The name of the error that *act* ends in, or "ok"."""
    try:
        act()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "ok"


def call(view: FileView, name: str, *paths: str) -> object:
    """Make the call *name* through *view*."""
    path, *others = (each.encode() for each in paths)
    if name in OPENS:
        return view.host.close(view.open(path, NOWHERE, OPENS[name] | os.O_NONBLOCK).fd)
    if name in ENTRIES:
        with view.entry(path, NOWHERE) as place:
            return ENTRIES[name](place)
    if name == "link":
        with view.resolve(path, NOWHERE, follow=False) as old, view.entry(others[0], NOWHERE) as new:
            return new.link(old)
    if name in RENAMES:
        with view.entry(path, NOWHERE) as old, view.entry(others[0], NOWHERE) as new:
            return old.rename(new, RENAMES[name])
    with view.resolve(path, NOWHERE, follow=name in FOLLOWED) as place:
        return (FOLLOWED | NOT_FOLLOWED)[name](place)
