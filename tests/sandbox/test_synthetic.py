"""Synthetic files look, read, list and link like files."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from compat.host import O_PATH, Host
from compat.sandbox.grants import Grant, open_grant
from compat.sandbox.mounts import MountTable, SyntheticMount
from compat.sandbox.place import Opened
from compat.sandbox.synthetic import Device, Directory, File, Link, Node
from compat.sandbox.view import NOWHERE, FileView
from tests.sandbox.test_resolve import refused

COMM = b"/proc/1/comm"


class Proc:
    """A view with a /proc of its own over a folder of the host."""

    def __init__(self, top: Path) -> None:
        self.host = Host()
        self.written: list[bytes] = []
        self.magic: Opened | None = None
        self.count = 0
        (top / "folder").mkdir()
        (top / "file").write_text("of the host")
        own: dict[bytes, Node] = {
            b"comm": File(self.comm, mode=0o644, on_write=self.written.append),
            b"cmdline": File(b"a\0b\0"),
            b"cwd": Link(b"/folder", magic=self.target),
            b"exe": Link(b"/file", magic=self.target),
        }
        tree = Directory({b"1": Directory(own), b"self": Link(b"1")})
        dev = Directory(
            {
                b"null": Device(b"/dev/null", (1, 3)),
                b"odd": Device(b"/dev/none-such", (9, 9), fallback=b"fallback"),
                b"gone": Device(b"/dev/none-such", (9, 9)),
            }
        )
        table = MountTable(open_grant(self.host, Grant(os.fsencode(top), b"/")))
        table.add(SyntheticMount(b"/proc", tree, device=77))
        table.add(SyntheticMount(b"/dev", dev, device=78))
        self.view = FileView(self.host, table)

    def comm(self) -> bytes:
        self.count += 1
        return b"call %d" % self.count

    def target(self) -> Opened:
        assert self.magic is not None
        return self.magic

    def read(self, path: bytes) -> bytes:
        opened = self.view.open(path, NOWHERE, os.O_RDONLY)
        try:
            return os.read(opened.fd, 100)
        finally:
            os.close(opened.fd)


@pytest.fixture
def proc(tmp_path: Path) -> Iterator[Proc]:
    made = Proc(tmp_path)
    yield made
    made.view.close()


def test_content_is_made_at_each_opening(proc: Proc) -> None:
    assert [proc.read(COMM), proc.read(b"/proc/self/comm")] == [b"call 1", b"call 2"]
    assert proc.read(b"/proc/self/cmdline") == b"a\0b\0"


def test_an_opened_file_knows_its_node(proc: Proc) -> None:
    opened = proc.view.open(b"/proc/self/cmdline", NOWHERE, os.O_RDONLY)
    with proc.view.resolve(b"/proc/1/cmdline", NOWHERE) as place:
        by_path = place.stat()
    by_descriptor = proc.view.fstat(opened)
    os.close(opened.fd)
    assert by_path == by_descriptor
    assert (by_path.st_dev, by_path.st_size, stat.S_IFMT(by_path.st_mode)) == (77, 4, stat.S_IFREG)
    assert opened.guest_path == b"/proc/1/cmdline"


def test_a_read_only_file_can_not_be_written(proc: Proc) -> None:
    opened = proc.view.open(b"/proc/self/cmdline", NOWHERE, os.O_RDONLY)
    with refused(errno.EBADF):
        os.write(opened.fd, b"x")
    os.close(opened.fd)
    with refused(errno.EACCES):
        proc.view.open(b"/proc/self/cmdline", NOWHERE, os.O_WRONLY)


def test_a_writable_file_hands_its_node_the_bytes(proc: Proc) -> None:
    opened = proc.view.open(COMM, NOWHERE, os.O_WRONLY)
    assert isinstance(opened.node, File)
    assert opened.node.on_write is not None
    opened.node.on_write(b"new")
    os.close(opened.fd)
    assert proc.written == [b"new"]


def test_a_magic_link_to_a_folder_is_walked_from(proc: Proc) -> None:
    proc.magic = proc.view.open_directory(b"/folder")
    with proc.view.resolve(b"/proc/self/cwd/../file", NOWHERE) as place:
        assert place.guest_path == b"/file"
    with proc.view.resolve(b"/proc/self/cwd", NOWHERE) as place:
        assert stat.S_ISDIR(place.stat().st_mode)
        assert place.guest_path == b"/folder"
    with proc.view.resolve(b"/proc/self/cwd", NOWHERE, follow=False) as place:
        assert place.readlink() == b"/folder"
    os.close(proc.magic.fd)


def test_a_magic_link_leads_to_the_file_itself(proc: Proc, tmp_path: Path) -> None:
    proc.magic = proc.view.open(b"/file", NOWHERE, os.O_RDONLY)
    (tmp_path / "file").unlink()
    (tmp_path / "file").write_text("another")
    assert proc.read(b"/proc/self/exe") == b"of the host"
    for path in (b"/proc/self/exe/x", b"/proc/self/exe/"):
        with refused(errno.ENOTDIR):
            proc.read(path)
    os.close(proc.magic.fd)


def test_a_magic_link_to_a_synthetic_file(proc: Proc) -> None:
    proc.magic = proc.view.open(COMM, NOWHERE, os.O_RDONLY)
    assert proc.read(b"/proc/self/exe") == b"call 2"
    os.close(proc.magic.fd)


def test_a_circle_of_magic_links_ends(proc: Proc) -> None:
    proc.magic = proc.view.open_directory(b"/proc/1")
    with refused(errno.ELOOP), proc.view.resolve(b"/proc/self" + b"/cwd" * 50, NOWHERE):
        pass
    os.close(proc.magic.fd)


def test_devices_are_the_hosts_or_their_fallback(proc: Proc) -> None:
    opened = proc.view.open(b"/dev/null", NOWHERE, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    assert os.write(opened.fd, b"x") == 1
    shown = proc.view.fstat(opened)
    os.close(opened.fd)
    assert (stat.S_ISCHR(shown.st_mode), shown.st_rdev, shown.st_dev) == (True, os.makedev(1, 3), 78)
    assert proc.read(b"/dev/odd") == b"fallback"
    with refused(errno.ENOENT):
        proc.read(b"/dev/gone")


@pytest.mark.parametrize(
    ("path", "flags", "number"),
    [
        (b"/proc/none", os.O_RDONLY, errno.ENOENT),
        (b"/proc/none", os.O_WRONLY | os.O_CREAT, errno.EROFS),
        (b"/proc/" + b"x" * 256, os.O_RDONLY, errno.ENAMETOOLONG),
        (b"/proc/1", os.O_WRONLY, errno.EISDIR),
        (b"/proc/1/comm", os.O_RDONLY | os.O_DIRECTORY, errno.ENOTDIR),
        (b"/proc/1/comm/x", os.O_RDONLY, errno.ENOTDIR),
        (b"/proc/1/comm", os.O_WRONLY | os.O_CREAT | os.O_EXCL, errno.EEXIST),
        (b"/proc/self", os.O_RDONLY | os.O_NOFOLLOW, errno.ELOOP),
    ],
)
def test_openings_that_are_refused(proc: Proc, path: bytes, flags: int, number: int) -> None:
    with refused(number):
        proc.view.open(path, NOWHERE, flags)


def test_a_link_and_a_folder_open_as_places_only(proc: Proc) -> None:
    link = proc.view.open(b"/proc/self", NOWHERE, O_PATH | os.O_NOFOLLOW)
    assert stat.S_ISLNK(proc.view.fstat(link).st_mode)
    os.close(link.fd)
    folder = proc.view.open(b"/proc/self/", NOWHERE, os.O_RDONLY | os.O_DIRECTORY)
    assert folder.guest_path == b"/proc/1"
    with proc.view.resolve(b"cmdline", folder) as place:
        assert place.stat().st_size == 4
    os.close(folder.fd)


def test_a_listing_shows_nodes_and_mounts(proc: Proc) -> None:
    with proc.view.resolve(b"/", NOWHERE) as place:
        names = {each.name: each.type for each in place.listdir()}
    assert names == {
        b".": stat.S_IFDIR,
        b"..": stat.S_IFDIR,
        b"folder": stat.S_IFDIR,
        b"file": stat.S_IFREG,
        b"proc": stat.S_IFDIR,
        b"dev": stat.S_IFDIR,
    }
    with proc.view.resolve(b"/proc", NOWHERE) as place:
        listed = {each.name: each for each in place.listdir()}
    with proc.view.resolve(b"/proc/self", NOWHERE, follow=False) as place:
        assert listed[b"self"].ino == place.stat().st_ino
    assert [each.type for each in listed.values()][2:] == [stat.S_IFDIR, stat.S_IFLNK]


def test_a_folder_is_only_a_number_of_the_host(proc: Proc) -> None:
    folder = proc.view.open_directory(b"/proc/1")
    with pytest.raises(NotADirectoryError):
        os.stat("..", dir_fd=folder.fd)
    os.close(folder.fd)
