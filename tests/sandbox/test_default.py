"""What a guest sees without asking, what options add, and what --trust opens."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from compat.errors import CompatError
from compat.host import Host
from compat.sandbox.default import default_view, start_folder
from compat.sandbox.grants import Grant
from compat.sandbox.mount_list import mounts_text
from compat.sandbox.place import Opened
from compat.sandbox.synthetic import Directory, File, Link
from compat.sandbox.view import NOWHERE, FileView
from tests.sandbox.test_resolve import refused

PROC = Directory({b"1": Directory({b"comm": File(b"guest")}), b"self": Link(b"1")})
DEV = Directory({})


@contextmanager
def viewing(cwd: Path, **options: Any) -> Iterator[FileView]:
    view = default_view(Host(), cwd=os.fsencode(cwd), **options)
    try:
        yield view
    finally:
        view.close()


def read(view: FileView, path: bytes, base: Opened = NOWHERE) -> bytes:
    opened = view.open(path, base, os.O_RDONLY)
    try:
        return os.read(opened.fd, 100)
    finally:
        os.close(opened.fd)


def write(view: FileView, path: bytes) -> None:
    os.close(view.open(path, NOWHERE, os.O_WRONLY | os.O_CREAT).fd)


def listing(view: FileView, path: bytes) -> list[bytes]:
    with view.resolve(path, NOWHERE) as place:
        return [each.name for each in place.listdir()][2:]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "mine").write_text("mine")
    (tmp_path / "beside").write_text("not granted")
    return folder


def test_the_working_folder_is_writable_at_its_own_path(work: Path) -> None:
    path = os.fsencode(work)
    with viewing(work) as view:
        assert read(view, path + b"/mine") == b"mine"
        write(view, path + b"/new")
        cwd = start_folder(view, path)
        assert cwd.guest_path == path
        assert read(view, b"mine", cwd) == b"mine"
        os.close(cwd.fd)
        with refused(errno.ENOENT):
            read(view, path + b"/../beside")
        with refused(errno.ENOENT):
            read(view, b"/etc/passwd")
    assert (work / "new").exists()


def test_the_way_to_a_mount_is_made_of_folders(work: Path) -> None:
    grants = [Grant(os.fsencode(work), b"/a/b/c")]
    with viewing(Path("/"), grants=grants) as view:
        assert listing(view, b"/") == [b"tmp", b"a"]
        assert listing(view, b"/a/") == [b"b"]
        with view.resolve(b"/a", NOWHERE) as place:
            assert place.stat().st_mode & 0o777 == 0o555
        with view.entry(b"/a/b", NOWHERE) as place, refused(errno.EROFS):
            place.rmdir()
        with view.entry(b"/a/new", NOWHERE) as place, refused(errno.EROFS):
            place.mkdir(0o755)
        folder = view.open_directory(b"/a")
        assert read(view, b"b/c/mine", folder) == read(view, b"./b/../b/c/mine", folder) == b"mine"
        os.close(folder.fd)


@pytest.mark.parametrize("cwd", ["/", "/proc", "/dev", "/sys"])
def test_the_hosts_own_folders_are_not_granted_by_being_there(cwd: str) -> None:
    with viewing(Path(cwd)) as view:
        assert listing(view, b"/") == [b"tmp"]
        started = start_folder(view, cwd.encode())
        assert started.guest_path == b"/"
        os.close(started.fd)


def test_the_sysroot_is_read_only(work: Path, tmp_path: Path) -> None:
    root = tmp_path / "sysroot"
    (root / "usr/lib").mkdir(parents=True)
    (root / "lib").symlink_to("usr/lib")
    (root / "usr/lib/libc.so").write_text("code")
    with viewing(work, sysroot=os.fsencode(root)) as view:
        assert read(view, b"/lib/libc.so") == b"code"
        with refused(errno.EROFS):
            write(view, b"/lib/libc.so")
        with refused(errno.EROFS):
            write(view, b"/new")
    with viewing(work, sysroot=os.fsencode(root), sysroot_writable=True) as view:
        write(view, b"/new")
    with pytest.raises(CompatError, match="sysroot"):
        default_view(Host(), cwd=b"/", sysroot=os.fsencode(tmp_path / "beside"))
    with pytest.raises(CompatError, match="none"):
        default_view(Host(), cwd=b"/", sysroot=os.fsencode(tmp_path / "none"))


def test_a_grant_below_a_link_lands_where_the_link_leads(work: Path, tmp_path: Path) -> None:
    root = tmp_path / "sysroot"
    (root / "usr/lib").mkdir(parents=True)
    (root / "lib").symlink_to("usr/lib")
    grants = [Grant(os.fsencode(work), b"/lib/extra", read_only=True)]
    with viewing(Path("/"), sysroot=os.fsencode(root), grants=grants) as view:
        assert read(view, b"/usr/lib/extra/mine") == read(view, b"/lib/extra/mine") == b"mine"
        assert b"/usr/lib/extra" in mounts_text(view)


def test_a_mount_inside_a_mount(work: Path, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner/deep").write_text("deep")
    path = os.fsencode(work)
    grants = [Grant(os.fsencode(tmp_path / "inner"), path + b"/a/b", read_only=True)]
    with viewing(work, grants=grants) as view:
        assert read(view, path + b"/a/b/deep") == b"deep"
        assert read(view, path + b"/a/b/../../mine") == b"mine"
        assert sorted(listing(view, path)) == [b"a", b"mine"]
        cwd = start_folder(view, path)
        assert read(view, b"a/b/deep", cwd) == b"deep"
        with refused(errno.EROFS):
            write(view, path + b"/a/b/new")
        with view.entry(b"mine", cwd) as mine, view.entry(b"a/b/mine", cwd) as there, refused(errno.EXDEV):
            mine.rename(there)
        os.close(cwd.fd)


def test_the_program_is_one_read_only_file(work: Path, tmp_path: Path) -> None:
    program = os.fsencode(tmp_path / "beside")
    with viewing(work, program=program) as view:
        assert read(view, program) == b"not granted"
        with refused(errno.EROFS):
            view.open(program, NOWHERE, os.O_WRONLY)
        with refused(errno.ENOTDIR):
            read(view, program + b"/x")
        assert sorted(listing(view, os.path.dirname(program))) == [b"beside", b"work"]


def test_a_program_in_the_working_folder_needs_no_mount_of_its_own(work: Path) -> None:
    program = os.fsencode(work / "mine")
    with viewing(work, program=program) as view, view.entry(program, NOWHERE) as place:
        place.unlink()
    assert not (work / "mine").exists()


def test_the_private_folders_are_the_runs_own_and_vanish(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    with viewing(Path("/"), dev=DEV) as view:
        write(view, b"/tmp/file")
        write(view, b"/dev/shm/other")
        assert listing(view, b"/tmp") == [b"file"]
        assert listing(view, b"/dev") == [b"shm"]
        with view.resolve(b"/tmp", NOWHERE) as place:
            assert place.stat().st_mode & 0o7777 == 0o1777
        assert len(os.listdir(tmp_path / "temporary")) == 1
    assert os.listdir(tmp_path / "temporary") == []


def test_mounts_below_the_private_folders_do_not_make_them(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grants = [Grant(os.fsencode(work), b"/tmp/a/b"), Grant(os.fsencode(work / "mine"), b"/tmp/mine", read_only=True)]
    monkeypatch.setenv("TMPDIR", str(work))
    with viewing(work, grants=grants) as view:
        assert read(view, b"/tmp/a/b/mine") == read(view, b"/tmp/mine") == b"mine"
        assert not os.path.exists(view.private.top)
        assert {b"a", b"mine"} <= set(listing(view, b"/tmp"))
        assert os.path.exists(view.private.top)


def test_synthetic_trees_are_shown(work: Path) -> None:
    with viewing(work, proc=PROC, dev=DEV) as view:
        assert read(view, b"/proc/self/comm") == b"guest"
        assert b"proc /proc proc rw 0 0\n" in mounts_text(view)


def test_trust_shows_the_host_but_the_guests_own_proc(work: Path, tmp_path: Path) -> None:
    with viewing(work, proc=PROC, dev=DEV, trust=True) as view:
        assert read(view, os.fsencode(tmp_path / "beside")) == b"not granted"
        assert read(view, b"/proc/self/comm") == b"guest"
        assert os.fsencode(str(os.getpid())) in listing(view, b"/proc")
        os.close(view.open(b"/dev/null", NOWHERE, os.O_RDWR).fd)
        write(view, os.fsencode(tmp_path / "made"))
    assert (tmp_path / "made").exists()


def test_trust_finds_what_the_sysroot_has_first(work: Path, tmp_path: Path) -> None:
    sysroot, here = tmp_path / "root", os.fsencode(work)
    twin = sysroot / work.relative_to("/")
    for folder in (twin / "inner", twin / "empty", work / "inner", work / "empty", sysroot / "lib"):
        folder.mkdir(parents=True)
    for file, text in ((twin / "mine", "sysroot's"), (work / "empty/only", "host's"), (twin / "inner/a", "a"),
                       (work / "inner/b", "b"), (sysroot / "lib/c", "c")):  # fmt: skip
        file.write_text(text)
    (twin / "link").symlink_to("/lib/c")
    with viewing(work, proc=PROC, dev=DEV, trust=True, sysroot=os.fsencode(sysroot)) as view:
        assert read(view, here + b"/mine") == b"sysroot's"
        assert read(view, here + b"/link") == b"c"
        assert read(view, here + b"/empty/only") == b"host's"
        assert read(view, os.fsencode(tmp_path / "beside")) == b"not granted"
        assert listing(view, here + b"/inner") == [b"a"]
        assert b"proc" in listing(view, b"/")
        assert read(view, b"/proc/self/comm") == b"guest"
        inner = view.open_directory(here + b"/inner")
        assert read(view, b"../mine", inner) == b"sysroot's"
        os.close(inner.fd)
        write(view, here + b"/made")
        with refused(errno.EROFS):
            view.open(here + b"/mine", NOWHERE, os.O_WRONLY)
    assert (work / "made").exists()


def test_a_missing_grant_is_a_sentence(work: Path) -> None:
    with pytest.raises(CompatError, match="can't mount /none-such: No such file"):
        default_view(Host(), cwd=os.fsencode(work), grants=[Grant(b"/none-such", b"/x")])
