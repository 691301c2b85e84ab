"""A guest's root folder on the host, a secret beside it, a view over it; no test may leak a descriptor."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from compat.host import Host
from compat.sandbox.grants import Grant, open_grant
from compat.sandbox.mounts import MountTable
from compat.sandbox.place import Opened
from compat.sandbox.view import NOWHERE, FileView

SECRET = b"what lies outside"


class World:
    """*inside* is the guest's root; *outside* holds what it must never see."""

    def __init__(self, top: Path, *, openat2: bool) -> None:
        self.host = Host()
        self.inside = top / "inside"
        self.outside = top / "outside"
        self.inside.mkdir()
        self.outside.mkdir()
        (self.outside / "secret").write_bytes(SECRET)
        self.view = self.show("/", self.inside)
        self._openat2 = openat2
        self.view = FileView(self.host, self.view.table, openat2=openat2)
        self.root = self.view.root()

    def show(self, guest: str, folder: Path, *, read_only: bool = False, devices: bool = False) -> FileView:
        """A view whose root is *folder*, or the world's view with one mount more."""
        grant = Grant(os.fsencode(folder), guest.encode(), read_only, devices)
        mount = open_grant(self.host, grant)
        if guest == "/" and not hasattr(self, "view"):
            return FileView(self.host, MountTable(mount))
        self.view.table.add(mount)
        return self.view

    def read(self, path: str | bytes, base: Opened = NOWHERE, *, follow: bool = True) -> bytes:
        with self.view.resolve(os.fsencode(path), base, follow=follow) as place:
            opened = place.open(os.O_RDONLY)
        try:
            return os.read(opened.fd, 100)
        finally:
            os.close(opened.fd)

    def guest_path(self, path: str | bytes, base: Opened = NOWHERE, *, follow: bool = True) -> bytes:
        with self.view.resolve(os.fsencode(path), base, follow=follow) as place:
            return place.guest_path

    def folder(self, path: str) -> Opened:
        return self.view.open_directory(path.encode())


@pytest.fixture(params=["openat2", "by name"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, openat2=request.param == "openat2")
    yield made
    made.view.close()
    os.close(made.root.fd)


@pytest.fixture(autouse=True)
def _no_leak() -> Iterator[None]:
    gc.collect()
    before = open_descriptors()
    yield
    gc.collect()
    after = open_descriptors()
    assert after == before, f"descriptors left open: {after - before}"


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Without the superuser's powers, where the tests run with them."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def open_descriptors() -> set[str]:
    listing = os.listdir("/proc/self/fd")
    return {each for each in listing if os.path.exists(f"/proc/self/fd/{each}")} - _anonymous(listing)


def _anonymous(listing: list[str]) -> set[str]:
    """Descriptors of the test runner itself, which come and go: its event and random devices."""
    found = set()
    for each in listing:
        try:
            if os.readlink(f"/proc/self/fd/{each}").startswith("/dev/urandom"):
                found.add(each)
        except OSError:
            continue
    return found
