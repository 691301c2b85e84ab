"""Random trees and paths: we find the same file as the kernel's own openat2 with RESOLVE_IN_ROOT."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compat.host import O_PATH, RESOLVE_NO_MAGICLINKS, Host
from compat.sandbox.grants import Grant, open_grant
from compat.sandbox.mounts import MountTable
from compat.sandbox.view import NOWHERE, FileView

RESOLVE_IN_ROOT = 0x10

NAMES = st.sampled_from(["a", "b", "c", ".", ".."])
PATHS = st.builds(
    lambda start, names, end: start + "/".join(names) + end,
    st.sampled_from(["", "/", "//"]),
    st.lists(NAMES, min_size=1, max_size=6),
    st.sampled_from(["", "", "", "/", "/.", "/.."]),
)
THINGS = st.lists(st.tuples(st.sampled_from(["folder", "folder", "file", "link", "link"]), PATHS, PATHS), max_size=12)


def plant(root: Path, things: list[tuple[str, str, str]]) -> None:
    """Make what can be made of *things*, by the kernel's own confined resolution of the parent."""
    host = Host()
    root_fd = os.open(root, O_PATH)
    for kind, path, target in things:
        parent, _, name = path.rstrip("/.").rpartition("/")
        try:
            fd = host.openat2(root_fd, (parent or "/").encode(), O_PATH, 0, RESOLVE_IN_ROOT)
        except OSError:
            continue
        try:
            plant_one(host, kind, fd, name.encode(), target.encode())
        except OSError:
            pass
        os.close(fd)
    os.close(root_fd)


def plant_one(host: Host, kind: str, fd: int, name: bytes, target: bytes) -> None:
    if kind == "folder":
        host.mkdirat(fd, name, 0o755)
    elif kind == "link":
        host.symlinkat(target, fd, name)
    else:
        os.close(host.openat(fd, name, os.O_CREAT | os.O_EXCL | os.O_WRONLY))


def outcome(act: Callable[[], os.stat_result]) -> tuple[int, int] | int | None:
    try:
        found = act()
    except OSError as error:
        return error.errno
    return found.st_dev, found.st_ino


def by_kernel(root: Path, path: bytes, follow: bool) -> tuple[int, int] | int | None:
    root_fd = os.open(root, O_PATH)

    def act() -> os.stat_result:
        flags = O_PATH | (0 if follow else os.O_NOFOLLOW)
        while True:
            try:
                fd = Host().openat2(root_fd, path, flags, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
            except BlockingIOError:  # something was renamed somewhere on the machine, so ".." was not sure
                continue
            try:
                return os.fstat(fd)
            finally:
                os.close(fd)

    try:
        return outcome(act)
    finally:
        os.close(root_fd)


def by_view(root: Path, path: bytes, follow: bool, openat2: bool) -> tuple[int, int] | int | None:
    host = Host()
    view = FileView(host, MountTable(open_grant(host, Grant(os.fsencode(root), b"/"))), openat2=openat2)
    base = view.root()

    def act() -> os.stat_result:
        with view.resolve(path, base, follow=follow) as place:
            found = place.stat()
            check_canonical(view, place.guest_path, found)
            return found

    try:
        return outcome(act)
    finally:
        os.close(base.fd)
        view.close()


def check_canonical(view: FileView, guest_path: bytes, found: os.stat_result) -> None:
    """The path that a place says it has leads to the same file, and holds no link on its way."""
    assert b".." not in guest_path.split(b"/")
    with view.resolve(guest_path, NOWHERE, follow=False) as again:
        assert again.guest_path == guest_path
        assert os.path.samestat(again.stat(), found)


@pytest.mark.parametrize("openat2", [True, False])
@given(things=THINGS, path=PATHS, follow=st.booleans())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_kernel_agrees(openat2: bool, things: list[tuple[str, str, str]], path: str, follow: bool) -> None:
    with tempfile.TemporaryDirectory() as top:
        root = Path(top) / "root"
        root.mkdir()
        plant(root, things)
        expected = by_kernel(root, path.encode(), follow)
        assert by_view(root, path.encode(), follow, openat2) == expected
