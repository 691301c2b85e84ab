"""open(2) and its kin."""

from __future__ import annotations

import os
import threading

import pytest

from tests.guests import FakeGuest


@pytest.fixture
def tree(guest: FakeGuest) -> FakeGuest:
    (guest.root / "dir").mkdir()
    (guest.root / "dir" / "file").write_bytes(b"content")
    (guest.root / "link").symlink_to("dir/file")
    (guest.root / "dangling").symlink_to("made")
    (guest.root / "loop").symlink_to("loop")
    return guest


CASES = [
    (b"dir/file", "O_RDONLY"),
    (b"none", "O_RDONLY"),
    (b"none/none", "O_RDONLY"),
    (b"", "O_RDONLY"),
    (b"dir", "O_WRONLY"),
    (b"dir", "O_RDONLY|O_DIRECTORY"),
    (b"dir/file", "O_RDONLY|O_DIRECTORY"),
    (b"dir/file/", "O_RDONLY"),
    (b"dir/file/x", "O_RDONLY"),
    (b"link", "O_RDONLY|O_NOFOLLOW"),
    (b"link", "O_PATH|O_NOFOLLOW"),
    (b"loop", "O_RDONLY"),
    (b"dir/file", "O_RDWR|O_CREAT|O_EXCL"),
    (b"dangling", "O_RDWR|O_CREAT|O_EXCL"),
    (b"dangling", "O_RDWR|O_CREAT"),
    (b"dangling", "O_RDWR"),
    (b"dir", "O_RDWR|O_CREAT"),
    (b"new/", "O_RDWR|O_CREAT"),
    (b"dir", "O_RDONLY|O_CREAT|O_DIRECTORY"),
    (b"dir", "O_RDWR|O_TMPFILE"),
    (b"dir", "O_RDONLY|O_TMPFILE"),
    (b"x" * 256, "O_RDONLY"),
    (b"x/" * 2047 + b"y", "O_RDONLY"),
    (b"x" * 4096, "O_RDONLY"),
]


@pytest.mark.parametrize(("path", "flags"), CASES, ids=range(len(CASES)))
def test_same_as_the_host(tree: FakeGuest, path: bytes, flags: str) -> None:
    got = tree.fails("open", path, flags, 0o600)
    made = tree.root / "made"
    made.unlink(missing_ok=True)
    here = os.getcwd()
    os.chdir(tree.root)
    try:
        bits = 0
        for name in flags.split("|"):
            bits |= getattr(os, name)
        fd = os.open(path, bits, 0o600)
    except OSError as error:
        expected = os.strerror(error.errno or 0)
    else:
        os.close(fd)
        expected = ""
    finally:
        os.chdir(here)
    import errno

    assert (got and os.strerror(getattr(errno, got))) == expected


def test_bad_pointer_and_directory(tree: FakeGuest) -> None:
    assert tree.fails("open", 8, "O_RDONLY", 0) == "EFAULT"
    assert tree.fails("openat", 55, b"dir", "O_RDONLY", 0) == "EBADF"
    assert tree.fails("openat", 55, b"", "O_RDONLY", 0) == "ENOENT"
    assert tree.fails("openat", 55, b"/dir", "O_RDONLY", 0) == ""
    fd = tree.open(b"/dir/file")
    assert tree.fails("openat", fd, b"x", "O_RDONLY", 0) == "ENOTDIR"


def test_openat_starts_at_the_directory(tree: FakeGuest) -> None:
    for flags in ("O_RDONLY|O_DIRECTORY", "O_PATH"):
        fd = tree.open(b"/dir", flags)
        found = tree.call("openat", fd, b"file", "O_RDONLY", 0)
        buffer = tree.room(7)
        assert tree.call("read", found, buffer, 7) == 7
        assert tree.read(buffer, 7) == b"content"


def test_umask_applies(tree: FakeGuest) -> None:
    old = tree.call("umask", 0o027)
    try:
        tree.open(b"/fresh", "O_CREAT|O_WRONLY", 0o666)
        tree.call("mkdir", b"/folder", 0o777)
    finally:
        assert tree.call("umask", old) == 0o027
    assert (tree.root / "fresh").stat().st_mode & 0o777 == 0o640
    assert (tree.root / "folder").stat().st_mode & 0o777 == 0o750


def test_creat_truncates(tree: FakeGuest) -> None:
    fd = tree.call("creat", b"/dir/file", 0o600)
    assert (tree.root / "dir" / "file").read_bytes() == b""
    assert tree.fails("read", fd, tree.room(1), 1) == "EBADF"


def test_path_descriptor_names_only(tree: FakeGuest) -> None:
    fd = tree.open(b"/dir/file", "O_PATH")
    for name, arguments in {
        "read": (tree.room(1), 1),
        "lseek": (0, "SEEK_SET"),
        "fchmod": (0o600,),
        "ftruncate": (0,),
        "flock": ("LOCK_EX",),
        "ioctl": ("TCGETS", tree.room(100)),
    }.items():
        assert tree.fails(name, fd, *arguments) == "EBADF", name
    assert tree.fails("fcntl", fd, "F_GETPIPE_SZ") == "EBADF"
    assert tree.fails("fstat", fd, tree.room(200)) == ""
    assert tree.fails("dup", fd) == ""
    flags = tree.abi.flags("OpenFlags").decode(tree.call("fcntl", fd, "F_GETFL"))
    assert "O_PATH" in flags


def test_large_file_needs_the_flag_on_32_bits(tree: FakeGuest) -> None:
    os.truncate(tree.root / "dir" / "file", 1 << 31)
    expected = "EOVERFLOW" if tree.abi.cpu.bits == 32 else ""
    assert tree.fails("open", b"/dir/file", "O_RDONLY", 0) == expected
    assert tree.fails("open", b"/dir/file", "O_RDONLY|O_LARGEFILE", 0) == ""
    assert tree.fails("open", b"/dir/file", "O_PATH", 0) == ""


def test_openat2(tree: FakeGuest) -> None:
    here = tree.abi.constants("DirFd").encode("AT_FDCWD")
    flags = tree.abi.flags("OpenFlags").encode(["O_RDONLY"])
    how = tree.pack("OpenHow", flags=flags)
    assert tree.call("openat2", here, b"/dir/file", how, 24) == 0
    assert tree.fails("openat2", here, b"/dir/file", how, 23) == "EINVAL"
    assert tree.fails("openat2", here, b"/dir/file", how, 4097) == "E2BIG"
    longer = tree.put(tree.read(how, 24) + b"\1" * 8)
    assert tree.fails("openat2", here, b"/dir/file", longer, 32) == "E2BIG"
    assert tree.fails("openat2", here, b"/dir/file", tree.pack("OpenHow", flags=1 << 40), 24) == "EINVAL"
    assert tree.fails("openat2", here, b"/dir/file", tree.pack("OpenHow", flags=flags, mode=1), 24) == "EINVAL"


def test_fifo_waits_for_the_other_end(tree: FakeGuest) -> None:
    tree.call("mknod", b"/fifo", 0o010600, 0)
    assert tree.fails("open", b"/fifo", "O_WRONLY|O_NONBLOCK", 0) == "ENXIO"
    assert tree.waits("open", b"/fifo", "O_WRONLY", 0).until is not None
    wait = tree.waits("open", b"/fifo", "O_RDONLY", 0)
    before = len(os.listdir("/proc/self/fd"))
    assert tree.interrupted("open", wait, b"/fifo", "O_RDONLY", 0) == "sa_restart"
    assert len(os.listdir("/proc/self/fd")) == before - 1
    made: list[int] = []
    opener = threading.Timer(0.05, lambda: made.append(os.open(tree.root / "fifo", os.O_WRONLY)))
    opener.start()
    reader = tree.call("open", b"/fifo", "O_RDONLY", 0)
    opener.join()
    assert tree.fails("fcntl", reader, "F_GETFL") == ""
    assert "O_NONBLOCK" not in tree.abi.flags("OpenFlags").decode(tree.call("fcntl", reader, "F_GETFL"))
    os.close(made[0])


def test_close_range(tree: FakeGuest) -> None:
    for _ in range(5):
        tree.open(b"/dir/file")
    tree.call("close_range", 1, 2, "CLOSE_RANGE_CLOEXEC")
    assert tree.call("fcntl", 2, "F_GETFD") == 1
    tree.call("close_range", 2, 0xFFFF_FFFF, "")
    assert [fd for fd, _ in tree.process.files] == [0, 1]
    assert tree.fails("close_range", 3, 2, "") == "EINVAL"
    assert tree.fails("close_range", 0, 2, 1) == "EINVAL"


def test_memfd(tree: FakeGuest) -> None:
    fd = tree.call("memfd_create", b"note", "MFD_CLOEXEC|MFD_ALLOW_SEALING")
    assert tree.call("fcntl", fd, "F_GETFD") == 1
    tree.call("ftruncate", fd, 10)
    tree.call("fcntl", fd, "F_ADD_SEALS", "F_SEAL_SHRINK|F_SEAL_GROW")
    assert tree.fails("ftruncate", fd, 20) == "EPERM"
    seals = tree.abi.flags("SealFlags").decode(tree.call("fcntl", fd, "F_GET_SEALS"))
    assert seals == {"F_SEAL_SHRINK", "F_SEAL_GROW"}
    assert tree.fails("memfd_create", b"n" * 250, "") == "EINVAL"
    assert tree.fails("memfd_create", b"n", 0x8000) == "EINVAL"
