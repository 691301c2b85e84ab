"""Paths, links, dots and mounts lead where path_resolution(7) says."""

from __future__ import annotations

import errno
import os

import pytest

from compat.data import replace
from compat.sandbox.paths import MAX_LINKS
from tests.sandbox.conftest import World, ordinary_user


def refused(number: int) -> pytest.RaisesContext[OSError]:
    return pytest.raises(OSError, match=rf"\[Errno {number}\]")


def test_a_file_is_found_through_folders(world: World) -> None:
    (world.inside / "a/b/c").mkdir(parents=True)
    (world.inside / "a/b/c/file").write_text("deep")
    assert world.read("/a/b/c/file") == b"deep"
    assert world.read("/a//b/./c/file") == b"deep"
    assert world.guest_path("/a//b/./c/file") == b"/a/b/c/file"


def test_relative_paths_start_at_the_base(world: World) -> None:
    (world.inside / "a/b").mkdir(parents=True)
    (world.inside / "a/file").write_text("here")
    folder = world.folder("/a")
    assert world.read("file", folder) == b"here"
    assert world.read("b/../file", folder) == b"here"
    assert world.guest_path("b", folder) == b"/a/b"
    assert world.guest_path("..", folder) == b"/"
    assert world.guest_path(".", folder) == b"/a"
    os.close(folder.fd)


@pytest.mark.parametrize("target", ["b/file", "./b/../b/file", "/a/b/file", "../a/b/file", "../../../a/b/file"])
def test_links_are_followed_as_guest_paths(world: World, target: str) -> None:
    (world.inside / "a/b").mkdir(parents=True)
    (world.inside / "a/b/file").write_text("target")
    (world.inside / "a/link").symlink_to(target)
    assert world.read("/a/link") == b"target"
    assert world.guest_path("/a/link") == b"/a/b/file"
    assert world.guest_path("/a/link", follow=False) == b"/a/link"


def test_links_in_the_middle_are_followed(world: World) -> None:
    (world.inside / "usr/lib/x").mkdir(parents=True)
    (world.inside / "usr/lib/x/libc.so").write_text("code")
    (world.inside / "lib").symlink_to("usr/lib")
    (world.inside / "usr/lib/y").symlink_to("/lib/x")
    assert world.read("/lib/y/libc.so") == b"code"
    assert world.guest_path("/lib/y/libc.so") == b"/usr/lib/x/libc.so"


def test_dots_after_a_link_leave_where_it_led(world: World) -> None:
    (world.inside / "a/b/c").mkdir(parents=True)
    (world.inside / "link").symlink_to("a/b/c")
    assert world.guest_path("/link/..") == b"/a/b"
    assert world.guest_path("/link/../../x") == b"/a/x"


def test_dots_need_a_folder_before_them(world: World) -> None:
    (world.inside / "file").write_text("")
    with refused(errno.ENOENT):
        world.guest_path("/missing/..")
    with refused(errno.ENOTDIR):
        world.guest_path("/file/..")


def test_forty_links_are_followed_and_no_more(world: World) -> None:
    (world.inside / "end").write_text("end")
    for number in range(MAX_LINKS + 1):
        (world.inside / f"link{number}").symlink_to(f"link{number - 1}" if number else "end")
    assert world.read(f"/link{MAX_LINKS - 1}") == b"end"
    with refused(errno.ELOOP):
        world.guest_path(f"/link{MAX_LINKS}")


def test_a_circle_of_links_ends(world: World) -> None:
    (world.inside / "a").symlink_to("b")
    (world.inside / "b").symlink_to("a")
    for path in ("/a", "/a/x", "/a/../x"):
        with refused(errno.ELOOP):
            world.guest_path(path)


@pytest.mark.parametrize(
    ("path", "number"),
    [
        (b"", errno.ENOENT),
        (b"/" + b"x" * 256, errno.ENAMETOOLONG),
        (b"/" + b"x" * 256 + b"/y", errno.ENAMETOOLONG),
        (b"/" + b"x/" * 2048, errno.ENAMETOOLONG),
        (b"/a\0b", errno.EINVAL),
        (b"/missing/file", errno.ENOENT),
        (b"/file/x", errno.ENOTDIR),
        (b"/file/", errno.ENOTDIR),
        (b"/file/.", errno.ENOTDIR),
        (b"/missing/.", errno.ENOENT),
    ],
)
def test_paths_that_lead_nowhere(world: World, path: bytes, number: int) -> None:
    (world.inside / "file").write_text("")
    with refused(number), world.view.resolve(path, world.root) as place:
        place.stat()


def test_a_missing_last_name_is_a_place(world: World) -> None:
    with world.view.resolve(b"/new", world.root) as place:
        assert not place.exists()
        opened = place.open(os.O_CREAT | os.O_WRONLY, 0o600)
        os.close(opened.fd)
    assert (world.inside / "new").stat().st_mode & 0o777 == 0o600


def test_a_dangling_link_can_be_created_through(world: World) -> None:
    (world.inside / "link").symlink_to("/made")
    with world.view.resolve(b"/link", world.root) as place:
        os.close(place.open(os.O_CREAT | os.O_WRONLY).fd)
    assert (world.inside / "made").exists()


def test_a_slash_follows_a_link_when_looking_but_not_when_removing(world: World) -> None:
    (world.inside / "folder").mkdir()
    (world.inside / "link").symlink_to("folder")
    assert world.guest_path("/link/", follow=False) == b"/folder"
    with world.view.entry(b"/link/", world.root) as place:
        assert (place.guest_path, place.slash) == (b"/link", True)


def test_a_deep_path_beyond_one_call(world: World) -> None:
    folder = world.folder("/")
    for _ in range(60):
        with world.view.entry(b"d" * 100, folder) as place:
            place.mkdir(0o755)
        with world.view.resolve(b"d" * 100, folder) as place:
            below = place.location()
        os.close(folder.fd)
        folder = below
    assert len(folder.guest_path) == 60 * 101
    assert world.guest_path("..", folder) == folder.guest_path[:-101]
    os.close(folder.fd)


def test_bytes_that_are_no_text_are_names(world: World) -> None:
    name = b"\xff\xfe \n\\\x01"
    with world.view.resolve(b"/" + name, world.root) as place:
        os.close(place.open(os.O_CREAT | os.O_WRONLY).fd)
    assert os.listdir(os.fsencode(world.inside)) == [name]
    with world.view.resolve(b"/", world.root) as place:
        assert [each.name for each in place.listdir()] == [b".", b"..", name]


def test_a_renamed_folder_is_still_the_base(world: World) -> None:
    (world.inside / "old/sub").mkdir(parents=True)
    (world.inside / "beside").write_text("x")
    folder = world.folder("/old/sub")
    (world.inside / "deeper").mkdir()
    (world.inside / "old").rename(world.inside / "deeper/new")
    assert world.view.path(folder) == b"/deeper/new/sub"
    assert world.guest_path("../..", folder) == b"/deeper"
    assert world.read("../../../beside", folder) == b"x"
    os.close(folder.fd)


def test_a_removed_folder_has_no_path(world: World) -> None:
    (world.inside / "gone").mkdir()
    folder = world.folder("/gone")
    (world.inside / "gone").rmdir()
    with refused(errno.ENOENT):
        world.view.path(folder)
    with refused(errno.ENOENT):
        world.guest_path("..", folder)
    with refused(errno.ENOENT):
        world.read("file", folder)
    assert world.view.name(folder) == b"/gone (deleted)"
    os.close(folder.fd)


def test_a_file_is_no_base(world: World) -> None:
    (world.inside / "file").write_text("")
    with world.view.resolve(b"/file", world.root) as place:
        opened = place.open(os.O_RDONLY)
    with refused(errno.ENOTDIR):
        world.read("x", opened)
    with refused(errno.ENOTDIR):
        world.read("x", replace(opened, mount=None))
    os.close(opened.fd)


def test_an_unsearchable_folder_is_refused(world: World) -> None:
    (world.inside / "locked/in").mkdir(parents=True)
    (world.inside / "locked").chmod(0o600)
    with ordinary_user():
        with refused(errno.EACCES):
            world.guest_path("/locked/in/x")
        with refused(errno.EACCES), world.view.resolve(b"/locked", world.root) as place:
            place.location()
    (world.inside / "locked").chmod(0o700)
