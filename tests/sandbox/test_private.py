"""The private folder is made late, found by forked children, and removed by its owner alone."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from compat.host import Host
from compat.sandbox.private import PrivateFolder
from tests.sandbox.test_resolve import refused


@pytest.fixture
def private(tmp_path: Path) -> Iterator[PrivateFolder]:
    folder = PrivateFolder(Host(), os.fsencode(tmp_path))
    yield folder
    folder.remove()


def test_it_is_made_at_the_first_use(private: PrivateFolder, tmp_path: Path) -> None:
    assert os.listdir(tmp_path) == []
    os.close(private.folder(b"tmp"))
    assert os.stat(private.top).st_mode & 0o777 == 0o700
    assert os.stat(private.path + b"/tmp").st_mode & 0o7777 == 0o1777
    private.remove()
    assert os.listdir(tmp_path) == []


def test_a_child_makes_the_same_and_leaves_it(private: PrivateFolder) -> None:
    child = os.fork()
    if child == 0:
        fd = private.folder(b"tmp")
        os.close(os.open("left", os.O_CREAT | os.O_WRONLY, dir_fd=os.open(private.path + b"/tmp", os.O_RDONLY)))
        os.close(fd)
        private.remove()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    fd = private.folder(b"tmp")
    assert os.path.exists(private.path + b"/tmp/left")
    os.close(fd)
    private.remove()
    assert not os.path.exists(private.top)


def test_rights_that_a_guest_took_away_do_not_keep_it(private: PrivateFolder) -> None:
    os.close(private.folder(b"tmp"))
    os.makedirs(private.path + b"/tmp/a/b")
    (Path(os.fsdecode(private.path)) / "tmp/a/b/file").write_text("")
    os.chmod(private.path + b"/tmp/a/b", 0)
    private.remove()
    assert not os.path.exists(private.top)


def test_removal_does_not_follow_links(private: PrivateFolder, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/file").write_text("")
    os.close(private.folder(b"tmp"))
    os.symlink(tmp_path / "precious", private.path + b"/tmp/link")
    private.remove()
    assert (tmp_path / "precious/file").exists()


def test_a_link_laid_in_its_place_is_refused(private: PrivateFolder, tmp_path: Path) -> None:
    os.symlink("/etc", private.top)
    with refused(errno.ENOTDIR):
        private.folder(b"tmp")
    os.unlink(private.top)
    private.remove()


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser makes a folder of someone else's")
def test_a_folder_of_someone_else_is_refused(private: PrivateFolder) -> None:
    os.mkdir(private.top)
    os.chown(private.top, 1234, 1234)
    with refused(errno.EACCES):
        private.folder(b"tmp")
    private.remove()


def test_the_next_run_removes_what_a_killed_one_left(private: PrivateFolder, tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        killed = PrivateFolder(Host(), os.fsencode(tmp_path))
        os.close(killed.folder(b"tmp"))
        (tmp_path / os.fsdecode(killed.path) / "tmp/left").write_text("")
        os._exit(0)
    os.waitpid(child, 0)
    alive = PrivateFolder(Host(), os.fsencode(tmp_path))
    (tmp_path / f"compat-{child}-of-another").mkdir()
    (tmp_path / f"compat-{child}.7-of-another-namespace").mkdir()
    (tmp_path / f"compat-{child}.{os.stat('/proc/self/ns/pid').st_ino}-link").symlink_to("/etc")
    os.close(alive.folder(b"tmp"))
    before = {os.fsencode(name) for name in os.listdir(tmp_path)}
    assert os.path.basename(alive.top) in before
    assert len(before) == 4, "what the killed run left is gone, and nothing else"
    os.close(private.folder(b"tmp"))
    assert {os.fsencode(name) for name in os.listdir(tmp_path)} == before | {os.path.basename(private.top)}
    alive.remove()


def test_the_first_use_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    folder = PrivateFolder(Host(), os.fsencode(tmp_path))
    folder.when_made(lambda: told.append("made"))
    assert told == []
    for name in (b"tmp", b"shm"):
        os.close(folder.folder(name))
    assert told == ["made"]
    folder.when_made(lambda: told.append("already"))
    assert told == ["made", "already"]
    folder.remove()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("owner", [True, False])
def test_who_becomes_another_user_goes_on_using_it(private: PrivateFolder, tmp_path: Path, owner: bool) -> None:
    tmp_path.chmod(0o1777)
    folder = PrivateFolder(Host(), os.fsencode(tmp_path)) if owner else private
    child = os.fork()
    if child == 0:
        if owner:
            folder._owner = os.getpid()  # as if the run had begun here
        status = 1
        try:
            os.close(folder.folder(b"tmp"))
            folder.hold()
            folder.give_to(1234)
            os.setresuid(1234, 1234, 1234)
            fd = folder.folder(b"tmp")
            os.close(os.open(b"mine", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
            os.close(folder.folder(b"new"))
            folder.remove()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert os.path.exists(folder.top) != owner, "it is removed by the one who is to, and by nobody else"
    assert owner or os.stat(folder.path + b"/tmp/mine").st_uid == 1234
    folder.remove()
