"""Transfers at an offset, between files, and attributes: what Linux adds to open files."""

from __future__ import annotations

import errno
import os

import pytest

from tests.guests import FakeGuest


@pytest.fixture
def guest(fake_guest: FakeGuest) -> FakeGuest:
    return fake_guest


@pytest.fixture
def file(guest: FakeGuest) -> FakeGuest:
    """Descriptor 0 is a file of ten bytes."""
    (guest.root / "file").write_bytes(b"0123456789")
    guest.open(b"/file", "O_RDWR")
    return guest


def test_at_an_offset(file: FakeGuest) -> None:
    room = file.room(8)
    assert file.call("pread64", 0, room, 4, 3) == 4
    assert file.read(room, 4) == b"3456"
    assert file.call("pwrite64", 0, file.put(b"AB"), 2, 8) == 2
    assert (file.root / "file").read_bytes() == b"01234567AB"
    assert file.call("lseek", 0, 0, "SEEK_CUR") == 0
    far = (5 << 32) + 1
    assert file.call("pwrite64", 0, file.put(b"Z"), 1, far) == 1
    assert os.stat(file.root / "file").st_size == far + 1
    assert file.fails("pread64", 0, room, 4, -1) == "EINVAL"
    assert file.fails("pread64", 99, room, 4, -1) == "EINVAL"
    assert file.fails("pread64", 99, room, 4, 0) == "EBADF"


def test_vectors_at_an_offset(file: FakeGuest) -> None:
    first, second = file.room(2), file.room(2)
    vec = file.iovec((first, 2), (second, 2))
    assert file.call("preadv", 0, vec, 2, 4, 0) == 4
    assert file.read(first, 2) + file.read(second, 2) == b"4567"
    assert file.call("pwritev", 0, vec, 2, 0, 0) == 4
    assert (file.root / "file").read_bytes() == b"4567456789"
    everywhere = file.abi.cpu.mask
    assert file.call("preadv2", 0, vec, 2, everywhere, everywhere, "") == 4
    assert file.call("lseek", 0, 0, "SEEK_CUR") == 4
    assert file.fails("preadv2", 0, vec, 2, 0, 0, 1 << 20) == "EOPNOTSUPP"
    if file.abi.cpu.bits == 32:
        assert file.call("preadv", 0, vec, 2, 0, 1) == 0, "the high word counts"


def test_pipe_has_no_offset(guest: FakeGuest) -> None:
    guest.call("pipe2", guest.room(8), "")
    assert guest.fails("pread64", 0, guest.room(1), 1, 0) == "ESPIPE"
    assert guest.fails("pwrite64", 1, guest.room(1), 1, 0) == "ESPIPE"


def test_allocation_and_advice(file: FakeGuest) -> None:
    file.call("fallocate", 0, "", 0, 5000)
    assert os.stat(file.root / "file").st_size == 5000
    file.call("fallocate", 0, "FALLOC_FL_KEEP_SIZE|FALLOC_FL_PUNCH_HOLE", 0, 5)
    assert (file.root / "file").read_bytes()[:8] == bytes(5) + b"567"
    assert file.fails("fallocate", 0, "", 0, 0) == "EINVAL"
    assert file.fails("fallocate", 0, 0x4000, 0, 1) == "EOPNOTSUPP"
    assert file.fails("fadvise64", 0, 0, 10, "POSIX_FADV_SEQUENTIAL") == ""
    assert file.fails("fadvise64", 0, 0, 10, 99) == "EINVAL"
    if file.abi.cpu.bits == 64:
        assert file.fails("fadvise64", 0, 0, -1, "POSIX_FADV_SEQUENTIAL") == "EINVAL"
    assert file.fails("readahead", 0, 0, 100) == ""
    name = "sync_file_range"
    assert file.fails(name, 0, 0, 10, "SYNC_FILE_RANGE_WRITE_AND_WAIT") == ""
    assert file.fails(name, 0, 0, 10, 0x80) == "EINVAL"


def offset_at(guest: FakeGuest, value: int, size: int) -> int:
    return guest.put(value.to_bytes(size, guest.abi.cpu.endian))


def test_sendfile(file: FakeGuest) -> None:
    out = file.open(b"/out", "O_RDWR|O_CREAT")
    assert file.call("sendfile", out, 0, 0, 4) == 4
    assert file.call("lseek", 0, 0, "SEEK_CUR") == 4
    place = offset_at(file, 8, file.abi.cpu.word)
    assert file.call("sendfile", out, 0, place, 100) == 2
    assert int.from_bytes(file.read(place, file.abi.cpu.word), file.abi.cpu.endian) == 10
    assert (file.root / "out").read_bytes() == b"012389"
    file.call("pipe2", file.room(8), "")
    assert file.call("sendfile", 3, 0, 0, 100) == 6
    room = file.room(10)
    assert file.call("read", 2, room, 10) == 6
    assert file.read(room, 6) == b"456789"
    assert file.fails("sendfile", 99, 0, 0, 1) == "EBADF"
    assert file.fails("sendfile", out, 0, offset_at(file, file.abi.cpu.mask, file.abi.cpu.word), 1) == "EINVAL"


def test_copy_file_range(file: FakeGuest) -> None:
    out = file.open(b"/out", "O_RDWR|O_CREAT")
    place = offset_at(file, 5, 8)
    assert file.call("copy_file_range", 0, place, out, 0, 3, 0) == 3
    assert (file.root / "out").read_bytes() == b"567"
    assert int.from_bytes(file.read(place, 8), file.abi.cpu.endian) == 8
    assert file.fails("copy_file_range", 0, 0, out, 0, 3, 1) == "EINVAL"


def test_splice_and_tee(file: FakeGuest) -> None:
    file.call("pipe2", file.room(8), "")
    file.call("pipe2", file.room(8), "")
    assert file.call("splice", 0, 0, 2, 0, 5, "") == 5
    assert file.call("tee", 1, 4, 3, "") == 3
    room = file.room(8)
    assert file.call("read", 3, room, 8) == 3
    assert file.call("read", 1, room, 8) == 5
    assert file.read(room, 5) == b"01234"
    assert list(file.waits("splice", 1, 0, 4, 0, 5, "").descriptors) == [file.host_fd(1)]
    assert file.fails("splice", 1, 0, 4, 0, 5, "SPLICE_F_NONBLOCK") == "EAGAIN"
    assert file.fails("splice", 0, 0, 0, 0, 5, "") == "EINVAL"
    assert file.call("vmsplice", 2, file.iovec((file.put(b"xyz"), 3)), 1, "") == 3
    assert file.call("read", 1, room, 8) == 3


def test_pipe_of_mips_returns_in_two_registers(guest: FakeGuest) -> None:
    if guest.abi.cpu.family != "mips":
        assert guest.call("pipe", guest.room(8)) == 0
        return
    assert guest.call("pipe") == 0
    assert guest.registers.values["r3"] == 1


def test_extended_attributes(file: FakeGuest) -> None:
    try:
        os.setxattr(file.root / "file", "user.probe", b"")
        os.removexattr(file.root / "file", "user.probe")
    except OSError:
        pytest.skip("this file system has no user attributes")
    file.call("setxattr", b"/file", b"user.one", file.put(b"value"), 5, "")
    assert os.getxattr(file.root / "file", "user.one") == b"value"
    assert file.fails("fsetxattr", 0, b"user.one", file.put(b"v"), 1, "XATTR_CREATE") == "EEXIST"
    room = file.room(64)
    assert file.call("getxattr", b"/file", b"user.one", 0, 0) == 5
    assert file.call("fgetxattr", 0, b"user.one", room, 64) == 5
    assert file.read(room, 5) == b"value"
    assert file.fails("getxattr", b"/file", b"user.one", room, 3) == "ERANGE"
    assert file.fails("getxattr", b"/file", b"user.two", room, 64) == "ENODATA"
    assert file.call("listxattr", b"/file", room, 64) == 9
    assert file.read(room, 9) == b"user.one\0"
    file.call("removexattr", b"/file", b"user.one")
    assert file.call("flistxattr", 0, 0, 0) == 0
    assert file.fails("setxattr", b"/file", b"", 0, 0, "") == "ERANGE"
    assert file.fails("setxattr", b"/file", b"user.x", 0, 70000, "") == "E2BIG"


def test_mounting_is_refused(guest: FakeGuest) -> None:
    for name, arguments in {"mount": (0, b"/", 0, 0, 0), "umount2": (b"/", 0), "pivot_root": (b"/", b"/")}.items():
        assert guest.fails(name, *arguments) == "EPERM", name


def test_deadlock_has_one_name_on_the_host_and_two_on_mips(guest: FakeGuest) -> None:
    assert guest.abi.host_errors[errno.EDEADLK] == guest.abi.errors["EDEADLK"]


def test_ioctls_of_files(file: FakeGuest) -> None:
    room = file.room(8)
    assert file.call("ioctl", 0, "FIOQSIZE", room) == 0
    assert int.from_bytes(file.read(room, 8), file.abi.cpu.endian) == 10
    target = file.open(b"/copy", "O_RDWR|O_CREAT", 0o600)
    try:
        file.call("ioctl", target, "FICLONE", 0)
    except OSError as error:
        assert error.errno in (errno.EOPNOTSUPP, errno.EXDEV, errno.ENOTTY, errno.EINVAL)  # without shared extents
    else:
        assert (file.root / "copy").read_bytes() == b"0123456789"
    assert file.fails("ioctl", target, "FICLONE", 99) == "EBADF"
    assert file.fails("ioctl", 0, "BLKGETSIZE64", room) == "ENOTTY"
    assert file.fails("ioctl", 0, "RNDGETENTCNT", room) == "ENOTTY"


def test_handles_of_files(file: FakeGuest) -> None:
    (file.root / "link").symlink_to("file")
    mount, endian = file.room(4), file.abi.cpu.endian

    def arguments(name: bytes, flags: int = 0, room: int = 12) -> tuple[str, bytes, int, int, int]:
        return "AT_FDCWD", name, file.put(room.to_bytes(4, endian) + bytes(16)), mount, flags

    def handle(name: bytes, flags: int = 0) -> bytes:
        given = arguments(name, flags)
        file.call("name_to_handle_at", *given)
        return file.read(given[2], 20)

    follow = file.abi.flags("HandleFlags").encode(["AT_SYMLINK_FOLLOW"])
    assert handle(b"/link", follow) == handle(b"/file") != handle(b"/link")
    assert int.from_bytes(file.read(mount, 4), endian) >= 1
    assert file.fails("name_to_handle_at", *arguments(b"/file", 0, 11)) == "EOVERFLOW"
    assert file.fails("name_to_handle_at", *arguments(b"/file", 0, 129)) == "EINVAL"
    assert file.fails("name_to_handle_at", *arguments(b"/file", 1)) == "EINVAL"
    assert file.fails("name_to_handle_at", *arguments(b"/none")) == "ENOENT"


def test_the_extents_of_a_file(file: FakeGuest) -> None:
    layout, extent = file.abi.layout("Fiemap"), file.abi.layout("FiemapExtent")
    (file.root / "data").write_bytes(b"x" * 5000)
    fd = file.open(b"/data", "O_RDONLY")
    asked = {"length": 2**64 - 1, "flags": 1, "extent_count": 4}  # FIEMAP_FLAG_SYNC
    place = file.put(layout.pack(asked) + bytes(4 * extent.size))
    try:
        file.call("ioctl", fd, "FS_IOC_FIEMAP", place)
    except OSError as error:
        assert error.errno in (errno.ENOTTY, errno.EOPNOTSUPP)
        pytest.skip("the file system of the tests tells no extents")
    assert layout.unpack(file.read(place, layout.size)).int("mapped_extents") >= 1
    first = extent.unpack(file.read(place + layout.size, extent.size))
    assert (first.int("logical"), first.int("length") >= 5000) == (0, True)
    file.memory.write(place, layout.pack(asked | {"flags": 1 << 20}))
    assert file.fails("ioctl", fd, "FS_IOC_FIEMAP", place) == "EBADR"
    assert layout.unpack(file.read(place, layout.size)).int("flags") == 1 << 20


def test_attributes_of_inodes(file: FakeGuest) -> None:
    room = file.room(8)
    try:
        file.call("ioctl", 0, "FS_IOC_GETFLAGS", room)
    except OSError as error:
        assert error.errno in (errno.ENOTTY, errno.EOPNOTSUPP)
        pytest.skip("the file system of the tests has none")
    file.call("ioctl", 0, "FS_IOC_SETFLAGS", room)
    mount = file.process.files.get(0).opened.mount
    assert mount is not None
    mount.read_only = True
    assert file.fails("ioctl", 0, "FS_IOC_SETFLAGS", room) == "EROFS"
