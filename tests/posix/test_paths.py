"""Names of files, compared with what the host's own calls do on a twin of the tree."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from compat.sandbox.mounts import SyntheticMount
from compat.sandbox.synthetic import Directory, File
from tests.guests import FakeGuest


def plant(folder: Path) -> None:
    (folder / "dir").mkdir()
    (folder / "dir" / "file").write_bytes(b"content")
    (folder / "empty").mkdir()
    (folder / "file").write_bytes(b"x")
    (folder / "link").symlink_to("file")
    (folder / "dirlink").symlink_to("dir")
    (folder / "dangling").symlink_to("none")


@pytest.fixture
def twins(guest: FakeGuest, tmp_path: Path) -> tuple[FakeGuest, Path]:
    """The guest's tree and the same one for the host."""
    twin = tmp_path / "twin"
    twin.mkdir()
    plant(twin)
    plant(guest.root)
    return guest, twin


def shape(folder: Path) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for at, folders, files in os.walk(folder):  # Python 3.11.2's rglob trips over a link to a name that is too long
        for path in (Path(at, name) for name in (*folders, *files)):
            content: object = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
            found.append((str(path.relative_to(folder)), content))
    return sorted(found, key=str)


def native(folder: Path, call: Callable[[], object]) -> str:
    here = os.getcwd()
    os.chdir(folder)
    try:
        call()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    finally:
        os.chdir(here)
    return ""


ONE_NAME: dict[str, Callable[[bytes], object]] = {
    "unlink": os.unlink,
    "rmdir": os.rmdir,
    "mkdir": lambda path: os.mkdir(path, 0o755),
    "readlink": os.readlink,
    "chdir": lambda path: os.chdir(path),
}
NAMES = [
    b"file", b"dir", b"empty", b"none", b"link", b"dirlink", b"dangling", b"link/", b"dirlink/", b"file/", b"dir/",
    b"empty/", b"new/", b".", b"..", b"/", b"dir/.", b"empty/..", b"none/x", b"file/x", b"", b"y" * 256,
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("call", ONE_NAME)
def test_one_name(twins: tuple[FakeGuest, Path], call: str, name: bytes) -> None:
    guest, twin = twins
    if name in (b"..", b"/") and call in ("chdir", "mkdir"):
        name = b"dir"
    extra: dict[str, tuple[int, ...]] = {"mkdir": (0o755,), "readlink": (guest.room(100), 100)}
    got = guest.fails(call, name, *extra.get(call, ()))
    assert got == native(twin, lambda: ONE_NAME[call](name))
    assert shape(guest.root) == shape(twin)


TWO_NAMES: dict[str, Callable[[bytes, bytes], object]] = {
    "rename": os.rename,
    "link": lambda old, new: os.link(old, new, follow_symlinks=False),
    "symlink": lambda old, new: os.symlink(old, new),
}
PAIRS = [
    (b"file", b"new"), (b"file", b"dir"), (b"dir", b"file"), (b"dir", b"empty"), (b"empty", b"dir"),
    (b"dir", b"dir/in"), (b"none", b"new"), (b"link", b"new"), (b"link", b"file"), (b"file", b"link"),
    (b"file", b"dangling"), (b"dir", b"new/"), (b"file", b"new/"), (b"file/", b"new"), (b"file", b"none/new"),
    (b"file", b"file"), (b"dirlink/", b"new"), (b"dir/.", b"new"), (b"", b"new"), (b"file", b""), (b"file", b"."),
    (b"dir/file", b"moved"), (b"y" * 256, b"new"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new"), PAIRS, ids=range(len(PAIRS)))
@pytest.mark.parametrize("call", TWO_NAMES)
def test_two_names(twins: tuple[FakeGuest, Path], call: str, old: bytes, new: bytes) -> None:
    guest, twin = twins
    got = guest.fails(call, old, new)
    assert got == native(twin, lambda: TWO_NAMES[call](old, new))
    assert shape(guest.root) == shape(twin)


def test_bad_pointers(guest: FakeGuest) -> None:
    assert guest.fails("unlink", 8) == "EFAULT"
    assert guest.fails("rename", b"/x", 8) == "EFAULT"
    assert guest.fails("symlink", 8, b"/x") == "EFAULT"
    assert guest.fails("getcwd", 8, 100) == "EFAULT"


def test_readlink(twins: tuple[FakeGuest, Path]) -> None:
    guest, _ = twins
    buffer = guest.room(10)
    assert guest.call("readlink", b"/link", buffer, 10) == 4
    assert guest.read(buffer, 5) == b"file\0"
    assert guest.call("readlink", b"/link", buffer, 2) == 2
    assert guest.fails("readlink", b"/link", buffer, 0) == "EINVAL"
    fd = guest.open(b"/link", "O_PATH|O_NOFOLLOW")
    assert guest.call("readlinkat", fd, b"", buffer, 10) == 4
    assert guest.fails("readlinkat", guest.open(b"/file"), b"", buffer, 10) == "ENOENT"


def test_working_directory(twins: tuple[FakeGuest, Path]) -> None:
    guest, _ = twins
    buffer = guest.room(64)
    assert guest.call("getcwd", buffer, 64) == 2
    guest.call("chdir", b"dirlink")
    assert guest.call("getcwd", buffer, 64) == 5
    assert guest.read(buffer, 5) == b"/dir\0"
    assert guest.fails("getcwd", buffer, 4) == "ERANGE"
    assert guest.fails("unlink", b"file") == ""
    fd = guest.open(b"/empty")
    guest.call("fchdir", fd)
    guest.call("rmdir", b"/empty")
    assert guest.fails("getcwd", buffer, 64) == "ENOENT"
    assert guest.fails("open", b"x", "O_CREAT|O_WRONLY", 0o600) == "ENOENT"
    assert guest.fails("fchdir", guest.open(b"/file")) == "ENOTDIR"
    guest.call("chdir", b"/")


def test_link_flags(twins: tuple[FakeGuest, Path]) -> None:
    guest, _ = twins
    here = guest.abi.constants("DirFd").encode("AT_FDCWD")
    guest.call("linkat", here, b"/link", here, b"/hard", "AT_SYMLINK_FOLLOW")
    assert (guest.root / "hard").stat().st_ino == (guest.root / "file").stat().st_ino
    assert guest.fails("linkat", here, b"/link", here, b"/other", "AT_SYMLINK_NOFOLLOW") == "EINVAL"


def test_renameat2(twins: tuple[FakeGuest, Path]) -> None:
    guest, _ = twins
    here = guest.abi.constants("DirFd").encode("AT_FDCWD")
    assert guest.fails("renameat2", here, b"/file", here, b"/dir", "RENAME_NOREPLACE") == "EEXIST"
    guest.call("renameat2", here, b"/file", here, b"/dir", "RENAME_EXCHANGE")
    assert (guest.root / "file").is_dir()
    assert guest.fails("renameat2", here, b"/file", here, b"/x", "RENAME_EXCHANGE|RENAME_NOREPLACE") == "EINVAL"
    assert guest.fails("renameat2", here, b"/file", here, b"/x", 0x100) == "EINVAL"


def test_unlinkat(twins: tuple[FakeGuest, Path]) -> None:
    guest, _ = twins
    fd = guest.open(b"/dir")
    guest.call("unlinkat", fd, b"file", "")
    here = guest.abi.constants("DirFd").encode("AT_FDCWD")
    assert guest.fails("unlinkat", here, b"/dir", "") == "EISDIR"
    guest.call("unlinkat", here, b"/dir", "AT_REMOVEDIR")
    assert guest.fails("unlinkat", here, b"/x", 1) == "EINVAL"


def test_mknod(guest: FakeGuest) -> None:
    guest.call("mknod", b"/plain", 0o100600, 0)
    guest.call("mknod", b"/fifo", 0o010600, 0)
    assert (guest.root / "plain").is_file()
    assert (guest.root / "fifo").is_fifo()
    assert guest.fails("mknod", b"/dev", 0o020600, 0x103) == "EPERM"
    assert guest.fails("mknod", b"/dir", 0o040600, 0) == "EPERM"
    assert guest.fails("mknod", b"/odd", 0o150600, 0) == "EINVAL"
    assert guest.fails("mknod", b"/fifo", 0o010600, 0) == "EEXIST"


def test_chroot_shows_the_folder_and_the_mounts_below_it(guest: FakeGuest) -> None:
    (guest.root / "jail/inner").mkdir(parents=True)
    (guest.root / "jail/file").write_text("in")
    (guest.root / "jail/out").symlink_to("/outside")
    (guest.root / "jail/back").symlink_to("/inner/../file")
    (guest.root / "outside").write_text("out")
    guest.view.table.add(SyntheticMount(b"/jail/proc", Directory({b"text": File(b"x")}), device=1))
    guest.process.capable = lambda capability: False  # type: ignore[method-assign]
    assert guest.fails("chroot", b"/jail") == "EPERM"
    assert guest.fails("chroot", b"/outside") == "ENOTDIR"
    asked = list[str]()
    guest.process.capable = lambda capability: not asked.append(capability)  # type: ignore
    guest.call("chdir", b"/jail/inner")
    guest.call("chroot", b"/jail")
    assert asked == ["CAP_SYS_CHROOT"]
    room = guest.room(64)
    guest.call("getcwd", room, 64)
    assert guest.read(room, 7) == b"/inner\0"
    for path in (b"/file", b"../file", b"/../../file", b"/back", b"/proc/text"):
        guest.call("close", guest.call("open", path, 0, 0))
    for path in (b"/out", b"/outside", b"/jail", b"../../outside"):
        assert guest.fails("open", path, 0, 0) == "ENOENT"
