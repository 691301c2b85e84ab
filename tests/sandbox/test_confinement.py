"""What a hostile guest tries in order to get out; it must find nothing."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from compat.data import replace
from tests.sandbox.conftest import SECRET, World, ordinary_user
from tests.sandbox.test_resolve import refused


@pytest.mark.parametrize(
    "path",
    [
        "../outside/secret",
        "../../../../../../../../etc/passwd",
        "/../outside/secret",
        "/a/../../outside/secret",
        "/a/b/../../../outside/secret",
        "/.././../outside/secret",
        "/a/" + "../" * 500 + "outside/secret",
    ],
)
def test_dots_end_at_the_root(world: World, path: str) -> None:
    (world.inside / "a/b").mkdir(parents=True)
    with refused(errno.ENOENT):
        world.read(path, world.root)


@pytest.mark.parametrize("middle", [True, False])
def test_links_leading_out_lead_in(world: World, middle: bool) -> None:
    out = world.outside if middle else world.outside / "secret"
    for number, target in enumerate((str(out), os.path.relpath(out, world.inside), "/proc/self/root" + str(out))):
        link = world.inside / f"link{number}"
        link.symlink_to(target)
        with refused(errno.ENOENT):
            world.read(f"/{link.name}/secret" if middle else f"/{link.name}")


def test_an_absolute_link_reaches_the_guests_own_file(world: World) -> None:
    (world.inside / "etc").mkdir()
    (world.inside / "etc/passwd").write_text("guest")
    (world.inside / "link").symlink_to("/etc/passwd")
    assert world.read("/link") == b"guest"


def test_a_link_to_the_hosts_proc_leads_nowhere(world: World) -> None:
    (world.inside / "root").symlink_to("/proc/self/root")
    (world.inside / "fd").symlink_to(f"/proc/self/fd/{world.root.fd}")
    for path in ("/root/etc/passwd", "/fd/../outside/secret"):
        with refused(errno.ENOENT):
            world.read(path)


def test_a_magic_link_of_the_host_is_only_its_text(world: World) -> None:
    """Even with the host's /proc mounted, its links to open files are text to follow in the guest's tree."""
    world.show("/hostproc", Path("/proc"), read_only=True)
    secret = os.open(world.outside / "secret", os.O_RDONLY)
    for path in (
        f"/hostproc/self/fd/{secret}",
        "/hostproc/self/root/etc/passwd",
        "/hostproc/self/cwd/pyproject.toml",
    ):
        with refused(errno.ENOENT):
            world.read(path)
    os.close(secret)


def test_a_folder_moved_out_while_it_is_open(world: World) -> None:
    """What was granted stays reachable by the descriptor; nothing beside it becomes so."""
    (world.inside / "a/b").mkdir(parents=True)
    (world.inside / "a/b/own").write_text("own")
    folder = world.folder("/a/b")
    (world.inside / "a").rename(world.outside / "a")
    (world.inside / "a/b").mkdir(parents=True)
    assert world.read("own", folder) == b"own"
    with refused(errno.ENOENT):
        world.view.path(folder)
    for path in ("..", "../../secret", "../b/own"):
        with refused(errno.ENOENT):
            world.read(path, folder)
    os.close(folder.fd)


def test_hard_links_do_not_cross_mounts(world: World) -> None:
    (world.inside / "rw").mkdir()
    world.show("/ro", world.outside, read_only=True)
    with (
        world.view.entry(b"/rw/link", world.root) as new,
        world.view.resolve(b"/ro/secret", world.root) as old,
    ):
        with refused(errno.EXDEV):
            new.link(old)
        with refused(errno.EXDEV):
            old.rename(new)
    with (
        world.view.entry(b"/ro/link", world.root) as new,
        world.view.resolve(b"/ro/secret", world.root) as old,
        refused(errno.EROFS),
    ):
        new.link(old)


def test_a_read_only_file_can_not_be_linked_through_its_descriptor(world: World) -> None:
    world.show("/ro", world.outside, read_only=True)
    with world.view.resolve(b"/ro/secret", world.root) as place:
        opened = place.open(os.O_RDONLY)
    with world.view.entry(b"/link", world.root) as new, world.view.held(opened) as held:
        with refused(errno.EXDEV):
            new.link(held)
        for change in (
            lambda: held.chmod(0o777),
            lambda: held.chown(0, 0),
            lambda: held.utime(None),
            lambda: held.open(os.O_RDWR),
            lambda: held.open(os.O_RDONLY | os.O_TRUNC),
            lambda: held.truncate(0),
            lambda: held.setxattr(b"user.x", b"y"),
        ):
            with refused(errno.EROFS):
                change()
    os.close(opened.fd)
    assert (world.outside / "secret").read_bytes() == SECRET


def test_standard_input_is_not_opened_for_writing(world: World) -> None:
    fd = os.open(world.outside / "secret", os.O_RDONLY)
    held = world.view.held(replace(world.root, fd=fd, guest_path=b"", mount=None))
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_TRUNC):
        with refused(errno.EACCES):
            held.open(flags)
    again = held.open(os.O_RDONLY)
    assert os.read(again.fd, 100) == SECRET
    os.close(again.fd)
    os.close(fd)


@contextmanager
def swapping(swap: Callable[[], None]) -> Iterator[None]:
    """Run *swap* over and over in another thread."""
    stop = threading.Event()

    def loop() -> None:
        while not stop.is_set():
            swap()

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def swapper(shown: Path, spare: Path) -> Callable[[], None]:
    """Swap two names in one step: renameat2(2) with RENAME_EXCHANGE."""
    from compat.host import AT_FDCWD, RENAME_EXCHANGE, Host

    host, one, other = Host(), os.fsencode(shown), os.fsencode(spare)
    return lambda: host.renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE)


@pytest.mark.parametrize("path", ["/a/b/secret", "/a/b/../b/secret", "/a/b/../../a/b/secret", "a/b/./secret"])
def test_a_folder_that_keeps_becoming_a_link_out(world: World, path: str) -> None:
    (world.inside / "a/b").mkdir(parents=True)
    (world.inside / "a/b/secret").write_text("harmless")
    (world.inside / "spare").symlink_to(world.outside)
    attempts = [lambda: world.read(path, world.root)]
    with swapping(swapper(world.inside / "a/b", world.inside / "spare")):
        found = try_often(attempts, errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
    assert found == {b"harmless"}


def try_often(attempts: list[Callable[[], bytes]], *allowed: int) -> set[bytes]:
    """Everything that *attempts* ever read; no error but *allowed* may come."""
    found = set()
    for _ in range(1500):
        for attempt in attempts:
            try:
                found.add(attempt())
            except OSError as error:
                if error.errno not in allowed:
                    raise
    return found


def test_a_file_that_keeps_becoming_a_link_out(world: World) -> None:
    (world.inside / "file").write_text("harmless")
    (world.inside / "spare").symlink_to(world.outside / "secret")
    attempts = [lambda: world.read("/file"), lambda: world.read("/file", follow=False)]
    with swapping(swapper(world.inside / "file", world.inside / "spare")):
        found = try_often(attempts, errno.ENOENT, errno.ELOOP)
    assert found == {b"harmless"}


def test_a_file_that_keeps_becoming_a_link_in_is_always_found(world: World) -> None:
    (world.inside / "file").write_text("one")
    (world.inside / "other").write_text("two")
    (world.inside / "spare").symlink_to("/other")
    with swapping(swapper(world.inside / "file", world.inside / "spare")):
        for _ in range(1500):
            assert world.read("/file") in (b"one", b"two")


def once(act: Callable[[], object], call: Callable[..., Any]) -> Callable[..., Any]:
    """*call*, with *act* done just before its first time."""
    pending = [act]

    def wrapped(*arguments: Any) -> Any:
        if pending:
            pending.pop()()
        return call(*arguments)

    return wrapped


def test_a_link_that_becomes_a_file_while_it_is_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (world.inside / "name").symlink_to("/nowhere")
    (world.inside / "spare").write_text("found")
    swap = swapper(world.inside / "name", world.inside / "spare")
    monkeypatch.setattr(world.host, "readlinkat", once(swap, world.host.readlinkat))
    assert world.read("/name") == b"found"


def test_a_link_that_becomes_a_folder_while_it_is_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (world.inside / "name").symlink_to("/nowhere")
    (world.inside / "spare").mkdir()
    (world.inside / "spare/file").write_text("found")
    swap = swapper(world.inside / "name", world.inside / "spare")
    monkeypatch.setattr(world.host, "readlinkat", once(swap, world.host.readlinkat))
    assert world.read("/name/file") == b"found"


def test_a_file_that_becomes_a_link_before_it_is_opened(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (world.inside / "name").write_text("old")
    (world.inside / "spare").symlink_to("/target")
    (world.inside / "target").write_text("found")
    swap = swapper(world.inside / "name", world.inside / "spare")
    monkeypatch.setattr(world.host, "openat", once(swap, world.host.openat))
    assert world.read("/name") == b"found"


def test_changes_do_not_follow_a_link_that_came_meanwhile(world: World) -> None:
    (world.inside / "file").write_text("harmless")
    secret = world.outside / "secret"
    before = secret.stat()
    changes = [
        lambda place: place.chmod(0o777),
        lambda place: place.utime(((1, 0), (1, 0))),
        lambda place: place.truncate(0),
        lambda place: place.chown(1, 1),
        lambda place: place.setxattr(b"user.x", b"y"),
    ]
    for change in changes:
        with world.view.resolve(b"/file", world.root) as place:
            place.stat()
            (world.inside / "file").unlink()
            (world.inside / "file").symlink_to(secret)
            try:
                change(place)
            except OSError:
                pass
        (world.inside / "file").unlink()
        (world.inside / "file").write_text("harmless")
    after = secret.stat()
    assert (before.st_mode, before.st_mtime_ns, before.st_size, before.st_uid) == (
        after.st_mode,
        after.st_mtime_ns,
        after.st_size,
        after.st_uid,
    )


def test_devices_in_a_mount_do_not_open(world: World) -> None:
    with world.view.entry(b"/disk", world.root) as place:
        with refused(errno.EPERM):
            place.mknod(stat.S_IFCHR | 0o666, os.makedev(1, 3))
        with refused(errno.EPERM):
            place.mknod(stat.S_IFBLK | 0o666, os.makedev(8, 0))
    world.show("/hostdev", Path("/dev"))
    for follow in (True, False):
        with refused(errno.EACCES), world.view.resolve(b"/hostdev/null", world.root, follow=follow) as place:
            place.open(os.O_RDONLY)
    world.show("/alldev", Path("/dev"), devices=True)
    with world.view.resolve(b"/alldev/null", world.root) as place:
        os.close(place.open(os.O_RDWR).fd)


def test_a_fifo_in_a_mount_is_the_hosts_own(world: World) -> None:
    with world.view.entry(b"/fifo", world.root) as place:
        place.mknod(stat.S_IFIFO | 0o600)
    with world.view.resolve(b"/fifo", world.root) as place:
        assert stat.S_ISFIFO(place.stat().st_mode)
        reader = place.open(os.O_RDONLY | os.O_NONBLOCK)
        writer = place.open(os.O_WRONLY | os.O_NONBLOCK)
        with refused(errno.EINVAL):
            place.truncate(0)
    os.write(writer.fd, b"through")
    assert os.read(reader.fd, 10) == b"through"
    os.close(reader.fd)
    os.close(writer.fd)


def test_a_set_of_rights_is_the_users_own(world: World) -> None:
    (world.inside / "mine").write_text("x")
    (world.inside / "mine").chmod(0)
    with ordinary_user(), refused(errno.EACCES):
        world.read("/mine")
