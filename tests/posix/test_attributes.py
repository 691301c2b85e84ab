"""stat, permissions, owners and times against what the host says of the same files."""

from __future__ import annotations

import os
import stat

import pytest

from tests.guests import FakeGuest


@pytest.fixture
def file(guest: FakeGuest) -> FakeGuest:
    (guest.root / "file").write_bytes(b"12345")
    (guest.root / "file").chmod(0o640)
    (guest.root / "link").symlink_to("file")
    return guest


def here(guest: FakeGuest) -> int:
    return guest.abi.constants("DirFd").encode("AT_FDCWD")


STATS = {"x86-64": ["stat", "lstat"], "mips": ["stat", "lstat", "stat64", "lstat64"]}


def check(guest: FakeGuest, name: str, address: int, expected: os.stat_result) -> None:
    found = guest.struct(name, address)
    for field in ("ino", "mode", "nlink", "uid", "gid", "size", "blksize", "blocks"):
        assert found[field] == getattr(expected, f"st_{field}"), field
    assert found["dev"] == os.major(expected.st_dev) << 8 | os.minor(expected.st_dev)
    for field in ("atime", "mtime", "ctime"):
        assert found.int(field) * 10**9 + found.int(f"{field}_nsec") == getattr(expected, f"st_{field}_ns"), field


def test_stat(file: FakeGuest) -> None:
    for call in STATS[file.abi.cpu.name]:
        kind = "Stat64" if call.endswith("64") else "Stat"
        room = file.room(200)
        file.call(call, b"/link", room)
        native = os.lstat if call.startswith("l") else os.stat
        check(file, kind, room, native(file.root / "link"))
        assert file.fails(call, b"/none", room) == "ENOENT"
        assert file.fails(call, b"/file", 8) == "EFAULT"
        assert file.fails(call, b"/file/x", room) == "ENOTDIR"


def test_fstat(file: FakeGuest) -> None:
    room = file.room(200)
    file.call("fstat", file.open(b"/file"), room)
    check(file, "Stat", room, os.stat(file.root / "file"))
    assert file.fails("fstat", 40, 8) == "EBADF"


def test_fstatat(file: FakeGuest) -> None:
    name, kind = ("newfstatat", "Stat") if file.abi.cpu.bits == 64 else ("fstatat64", "Stat64")
    room = file.room(200)
    file.call(name, here(file), b"link", room, "AT_SYMLINK_NOFOLLOW")
    check(file, kind, room, os.lstat(file.root / "link"))
    file.call(name, file.open(b"/file"), b"", room, "AT_EMPTY_PATH")
    check(file, kind, room, os.stat(file.root / "file"))
    file.call(name, here(file), b"", room, "AT_EMPTY_PATH")
    check(file, kind, room, os.stat(file.root))
    assert file.fails(name, here(file), b"", room, "") == "ENOENT"
    assert file.fails(name, here(file), b"file", room, "AT_SYMLINK_FOLLOW") == "EINVAL"
    assert file.fails(name, 50, b"file", room, "") == "EBADF"


def test_large_size_does_not_fit_old_stat(file: FakeGuest) -> None:
    os.truncate(file.root / "file", 3 << 30)
    expected = "EOVERFLOW" if file.abi.cpu.bits == 32 else ""
    assert file.fails("stat", b"/file", file.room(200)) == expected
    if file.abi.cpu.bits == 32:
        room = file.room(200)
        file.call("stat64", b"/file", room)
        assert file.struct("Stat64", room)["size"] == 3 << 30


def test_statx(file: FakeGuest) -> None:
    room = file.room(256)
    file.call("statx", here(file), b"/file", "", "STATX_BASIC_STATS", room)
    found, expected = file.struct("Statx", room), os.stat(file.root / "file")
    assert (found["size"], found["mode"], found["ino"]) == (5, expected.st_mode, expected.st_ino)
    assert found.int("mtime.sec") * 10**9 + found.int("mtime.nsec") == expected.st_mtime_ns
    assert found["dev_major"] == os.major(expected.st_dev)
    basic = file.abi.flags("StatxMask").encode(["STATX_BASIC_STATS"])
    assert found["mask"] == basic
    assert file.fails("statx", here(file), b"/file", 0x6000, 0, room) == "EINVAL"
    assert file.fails("statx", here(file), b"/file", "", 1 << 31, room) == "EINVAL"


def test_access(file: FakeGuest) -> None:
    assert file.fails("access", b"/file", "F_OK") == ""
    assert file.fails("access", b"/file", "R_OK|W_OK") == ""
    assert file.fails("access", b"/file", "X_OK") == "EACCES"
    assert file.fails("access", b"/none", "F_OK") == "ENOENT"
    assert file.fails("access", b"/file", 8) == "EINVAL"
    (file.root / "link").unlink()
    (file.root / "link").symlink_to("none")
    assert file.fails("faccessat", here(file), b"/link", "F_OK") == "ENOENT"
    assert file.fails("faccessat2", here(file), b"/link", "F_OK", "AT_SYMLINK_NOFOLLOW") == ""
    assert file.fails("faccessat2", here(file), b"/link", "F_OK", 1) == "EINVAL"


def mode_of(guest: FakeGuest) -> int:
    return stat.S_IMODE(os.stat(guest.root / "file").st_mode)


def test_chmod(file: FakeGuest) -> None:
    file.call("chmod", b"/link", 0o600)
    assert mode_of(file) == 0o600
    file.call("fchmod", file.open(b"/file"), 0o7711)
    assert mode_of(file) == 0o7711
    file.call("fchmodat", here(file), b"/file", 0o100644)
    assert mode_of(file) == 0o644
    assert file.fails("fchmodat2", here(file), b"/link", 0o600, "AT_SYMLINK_NOFOLLOW") == "EOPNOTSUPP"
    assert file.fails("chmod", b"/none", 0o600) == "ENOENT"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_chown(file: FakeGuest) -> None:
    file.call("chown", b"/link", 12, 0xFFFF_FFFF)
    file.call("lchown", b"/link", 13, 14)
    found = os.stat(file.root / "file")
    assert (found.st_uid, found.st_gid) == (12, os.getegid())
    assert os.lstat(file.root / "link").st_uid == 13
    file.call("fchown", file.open(b"/file"), 0xFFFF_FFFF, 15)
    file.call("fchownat", here(file), b"/link", 16, 17, "AT_SYMLINK_NOFOLLOW")
    assert os.stat(file.root / "file").st_gid == 15
    assert os.lstat(file.root / "link").st_gid == 17


def times_of(guest: FakeGuest, name: str = "file") -> tuple[int, int]:
    found = os.lstat(guest.root / name)
    return found.st_atime_ns, found.st_mtime_ns


def test_times(file: FakeGuest) -> None:
    pair = file.pack("TimespecPair", access__sec=5, access__nsec=6, modify__sec=7, modify__nsec=8)
    file.call("utimensat", here(file), b"/link", pair, "")
    assert times_of(file) == (5_000_000_006, 7_000_000_008)
    omit = file.pack("TimespecPair", access__nsec=0x3FFF_FFFE, modify__sec=9)
    file.call("utimensat", file.open(b"/file"), 0, omit, "")
    assert times_of(file) == (5_000_000_006, 9_000_000_000)
    file.call("utimensat", here(file), b"/link", pair, "AT_SYMLINK_NOFOLLOW")
    assert times_of(file, "link") == (5_000_000_006, 7_000_000_008)
    both = file.pack("TimespecPair", access__nsec=0x3FFF_FFFE, modify__nsec=0x3FFF_FFFE)
    assert file.fails("utimensat", here(file), b"/none", both, "") == ""
    wrong = file.pack("TimespecPair", access__nsec=10**9)
    assert file.fails("utimensat", here(file), b"/file", wrong, "") == "EINVAL"
    assert file.fails("utimensat", here(file), 0, 0, "") == "EFAULT"
    file.call("utimensat", here(file), b"/file", 0, "")
    assert times_of(file)[0] > 10**18


def test_older_times(file: FakeGuest) -> None:
    pair = file.pack("TimevalPair", access__sec=5, access__usec=6, modify__sec=7, modify__usec=8)
    file.call("utimes", b"/file", pair)
    assert times_of(file) == (5_000_006_000, 7_000_008_000)
    file.call("utime", b"/file", file.pack("Utimbuf", actime=1, modtime=2))
    assert times_of(file) == (10**9, 2 * 10**9)
    assert file.fails("utimes", b"/file", file.pack("TimevalPair", access__usec=10**6)) == "EINVAL"


def test_statfs(file: FakeGuest) -> None:
    room = file.room(200)
    file.call("statfs", b"/", room)
    found, expected = file.struct("Statfs", room), os.statvfs(file.root)
    assert (found["bsize"], found["namelen"]) == (expected.f_bsize, expected.f_namemax)
    assert found["blocks"] == expected.f_blocks
    if file.abi.cpu.bits == 32:
        size = file.abi.layout("Statfs64").size
        file.call("statfs64", b"/", size, room)
        assert file.struct("Statfs64", room)["blocks"] == expected.f_blocks
        assert file.fails("fstatfs64", file.open(b"/"), size + 1, room) == "EINVAL"
    file.call("fstatfs", file.open(b"/"), room)
    assert file.struct("Statfs", room)["files"] == expected.f_files
