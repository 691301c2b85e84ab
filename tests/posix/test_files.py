"""Open files: what the shims do is compared with what the host's own calls do."""

from __future__ import annotations

import os
import threading
import time

import pytest

from tests.guests import HEAP, HEAP_SIZE, FakeGuest

END = HEAP + HEAP_SIZE
"""The first address that is not mapped."""


def write_file(guest: FakeGuest, name: str, data: bytes) -> None:
    (guest.root / name).write_bytes(data)


# --- reading and writing ---


def test_write_then_read_back(guest: FakeGuest) -> None:
    fd = guest.open(b"/new", "O_RDWR|O_CREAT", 0o600)
    assert fd == 0
    assert guest.call("write", fd, guest.put(b"hello"), 5) == 5
    assert guest.call("lseek", fd, 1, "SEEK_SET") == 1
    buffer = guest.room(10)
    assert guest.call("read", fd, buffer, 10) == 4
    assert guest.read(buffer, 5) == b"ello\0"
    assert (guest.root / "new").read_bytes() == b"hello"


def test_bad_descriptor_before_bad_pointer(guest: FakeGuest) -> None:
    assert guest.fails("read", 7, 8, 10) == "EBADF"
    assert guest.fails("write", 7, 8, 10) == "EBADF"


def test_bad_pointer(guest: FakeGuest) -> None:
    write_file(guest, "f", b"data")
    fd = guest.open(b"/f", "O_RDWR")
    assert guest.fails("read", fd, 8, 10) == "EFAULT"
    assert guest.fails("write", fd, 8, 10) == "EFAULT"
    assert guest.call("read", fd, 8, 0) == 0


def test_transfer_up_to_the_bad_page(guest: FakeGuest) -> None:
    fd = guest.open(b"/f", "O_RDWR|O_CREAT")
    guest.memory.write(END - 3, b"abc")
    assert guest.call("write", fd, END - 3, 100) == 3
    assert guest.call("lseek", fd, 0, "SEEK_SET") == 0
    assert guest.call("read", fd, END - 2, 100) == 2
    assert guest.read(END - 3, 3) == b"aab"


def test_range_beyond_user_addresses_transfers_nothing(guest: FakeGuest) -> None:
    write_file(guest, "f", b"data")
    fd = guest.open(b"/f")
    assert guest.fails("read", fd, END - 2, guest.abi.cpu.mask) == "EFAULT"


def test_read_of_a_write_only_file(guest: FakeGuest) -> None:
    fd = guest.open(b"/f", "O_WRONLY|O_CREAT")
    assert guest.fails("read", fd, guest.room(4), 4) == "EBADF"
    assert guest.fails("write", guest.open(b"/f"), guest.room(4), 4) == "EBADF"


def test_directory_can_not_be_read(guest: FakeGuest) -> None:
    fd = guest.open(b"/", "O_RDONLY|O_DIRECTORY")
    assert guest.fails("read", fd, guest.room(4), 4) == "EISDIR"
    assert guest.fails("readv", fd, guest.iovec((guest.room(4), 4)), 1) == "EISDIR"


def test_readv_writev(guest: FakeGuest) -> None:
    fd = guest.open(b"/f", "O_RDWR|O_CREAT")
    vec = guest.iovec((guest.put(b"one"), 3), (0, 0), (guest.put(b"two"), 3))
    assert guest.call("writev", fd, vec, 3) == 6
    guest.call("lseek", fd, 0, "SEEK_SET")
    first, second = guest.room(2), guest.room(16)
    assert guest.call("readv", fd, guest.iovec((first, 2), (second, 16)), 2) == 6
    assert guest.read(first, 2) + guest.read(second, 4) == b"onetwo"


def test_iovec_checks(guest: FakeGuest) -> None:
    fd = guest.open(b"/f", "O_RDWR|O_CREAT")
    assert guest.fails("writev", fd, guest.room(16), 1025) == "EINVAL"
    assert guest.fails("writev", fd, 8, 1) == "EFAULT"
    negative = guest.iovec((guest.room(1), 1 << (guest.abi.cpu.bits - 1)))
    assert guest.fails("writev", fd, negative, 1) == "EINVAL"
    assert guest.fails("readv", 9, 8, 5000) == "EBADF"


def test_append_writes_at_the_end(guest: FakeGuest) -> None:
    write_file(guest, "f", b"start")
    fd = guest.open(b"/f", "O_WRONLY|O_APPEND")
    guest.call("lseek", fd, 0, "SEEK_SET")
    guest.call("write", fd, guest.put(b"!"), 1)
    assert (guest.root / "f").read_bytes() == b"start!"


# --- pipes: never blocking the host ---


def make_pipe(guest: FakeGuest) -> tuple[int, int]:
    ends = guest.room(8)
    guest.call("pipe2", ends, "")
    record = guest.struct("FdPair", ends)
    return record.int("first"), record.int("second")


def test_read_of_an_empty_pipe_waits(guest: FakeGuest) -> None:
    reader, writer = make_pipe(guest)
    wait = guest.waits("read", reader, guest.room(4), 4)
    assert list(wait.descriptors) == [guest.host_fd(reader)]
    guest.call("write", writer, guest.put(b"hi"), 2)
    assert guest.call("read", reader, guest.room(4), 4) == 2
    guest.call("close", writer)
    assert guest.call("read", reader, guest.room(4), 4) == 0


def test_write_of_more_than_a_pipe_holds_completes(guest: FakeGuest) -> None:
    reader, writer = make_pipe(guest)
    data = os.urandom(300_000)
    got = bytearray()

    def drain() -> None:
        while len(got) < len(data):
            got.extend(os.read(guest.host_fd(reader), 5000))

    drainer = threading.Thread(target=drain)
    drainer.start()
    assert guest.call("write", writer, guest.put(data), len(data)) == len(data)
    drainer.join(5)
    assert bytes(got) == data


def test_interrupted_write_tells_what_was_taken(guest: FakeGuest) -> None:
    _, writer = make_pipe(guest)
    buffer = guest.room(200_000)
    wait = guest.waits("write", writer, buffer, 200_000)
    assert guest.resumed("write", wait, writer, buffer, 200_000) == 65536


def test_nonblocking_pipe(guest: FakeGuest) -> None:
    ends = guest.room(8)
    guest.call("pipe2", ends, "O_NONBLOCK|O_CLOEXEC")
    record = guest.struct("FdPair", ends)
    reader, writer = record.int("first"), record.int("second")
    assert guest.fails("read", reader, guest.room(4), 4) == "EAGAIN"
    assert guest.call("write", writer, guest.room(100_000), 100_000) == 65536
    assert guest.fails("write", writer, guest.room(4), 4) == "EAGAIN"
    assert guest.call("fcntl", reader, "F_GETFD") == 1


def test_broken_pipe_raises_sigpipe(guest: FakeGuest) -> None:
    reader, writer = make_pipe(guest)
    guest.call("close", reader)
    assert guest.fails("write", writer, guest.put(b"x"), 1) == "EPIPE"
    assert [p.number for p in guest.thread.pending] == [guest.abi.signals.encode("SIGPIPE")]


def test_pipe_has_no_position(guest: FakeGuest) -> None:
    reader, _ = make_pipe(guest)
    assert guest.fails("lseek", reader, 0, "SEEK_CUR") == "ESPIPE"


# --- descriptors ---


def test_lowest_number_is_used(guest: FakeGuest) -> None:
    write_file(guest, "f", b"")
    assert [guest.open(b"/f") for _ in range(3)] == [0, 1, 2]
    guest.call("close", 1)
    assert guest.open(b"/f") == 1
    assert guest.fails("close", 9) == "EBADF"


def test_dup_shares_the_position(guest: FakeGuest) -> None:
    write_file(guest, "f", b"abcdef")
    fd = guest.open(b"/f", "O_RDONLY|O_CLOEXEC")
    other = guest.call("dup", fd)
    guest.call("lseek", fd, 4, "SEEK_SET")
    buffer = guest.room(8)
    assert guest.call("read", other, buffer, 8) == 2
    assert guest.call("fcntl", fd, "F_GETFD") == 1
    assert guest.call("fcntl", other, "F_GETFD") == 0


def test_dup2_and_dup3(guest: FakeGuest) -> None:
    write_file(guest, "f", b"")
    fd = guest.open(b"/f")
    assert guest.call("dup2", fd, fd) == fd
    assert guest.call("dup2", fd, 20) == 20
    assert guest.fails("dup2", 9, 9) == "EBADF"
    assert guest.fails("dup2", fd, 1_000_000) == "EBADF"
    assert guest.fails("dup2", fd, -1) == "EBADF"
    assert guest.fails("dup3", fd, fd, "") == "EINVAL"
    assert guest.fails("dup3", fd, 21, "O_NONBLOCK") == "EINVAL"
    assert guest.call("dup3", fd, 21, "O_CLOEXEC") == 21
    assert guest.call("fcntl", 21, "F_GETFD") == 1


def test_limit_of_descriptors(guest: FakeGuest) -> None:
    write_file(guest, "f", b"")
    guest.process.files.limit = 2
    guest.open(b"/f")
    guest.open(b"/f")
    assert guest.fails("open", b"/new", "O_CREAT|O_WRONLY", 0o600) == "EMFILE"
    assert not (guest.root / "new").exists()
    assert guest.fails("dup", 0) == "EMFILE"
    assert guest.fails("pipe2", guest.room(8), "") == "EMFILE"


# --- positions, sizes ---


@pytest.mark.parametrize("whence", ["SEEK_SET", "SEEK_CUR", "SEEK_END", "SEEK_DATA", "SEEK_HOLE"])
def test_seek_as_the_host_does(guest: FakeGuest, whence: str) -> None:
    write_file(guest, "f", bytes(5000))
    fd = guest.open(b"/f")
    native = os.open(guest.root / "f", os.O_RDONLY)
    for offset in (0, 10, 4999, 5000, -1):
        try:
            expected: object = os.lseek(native, offset, getattr(os, whence))
        except OSError as error:
            expected = error.errno
        try:
            got: object = guest.call("lseek", fd, offset, whence)
        except OSError as error:
            got = error.errno
        assert got == expected, offset
    os.close(native)


def test_seek_beyond_off_t(guest: FakeGuest) -> None:
    fd = guest.open(b"/f", "O_RDWR|O_CREAT|O_LARGEFILE")
    os.ftruncate(guest.host_fd(fd), 3 << 30)
    if guest.abi.cpu.bits == 32:
        assert guest.fails("lseek", fd, 0, "SEEK_END") == "EOVERFLOW"
        result = guest.room(8)
        assert guest.call("_llseek", fd, 0, 5, result, "SEEK_END") == 0
        assert int.from_bytes(guest.read(result, 8), guest.abi.cpu.endian) == (3 << 30) + 5
    else:
        assert guest.call("lseek", fd, 0, "SEEK_END") == 3 << 30
    assert guest.fails("lseek", fd, 0, 77) == "EINVAL"


def test_truncate(guest: FakeGuest) -> None:
    write_file(guest, "f", b"0123456789")
    fd = guest.open(b"/f", "O_RDWR")
    guest.call("ftruncate", fd, 4)
    assert (guest.root / "f").read_bytes() == b"0123"
    guest.call("truncate", b"/f", 6)
    assert (guest.root / "f").read_bytes() == b"0123\0\0"
    assert guest.fails("ftruncate", fd, -1) == "EINVAL"
    assert guest.fails("truncate", b"/none", 0) == "ENOENT"
    assert guest.fails("truncate", b"/", 0) == "EISDIR"
    assert guest.fails("ftruncate", guest.open(b"/f"), 0) == "EINVAL"


def test_flock_waits_for_another_open_file(guest: FakeGuest) -> None:
    write_file(guest, "f", b"")
    first, second = guest.open(b"/f"), guest.open(b"/f")
    guest.call("flock", first, "LOCK_EX")
    assert guest.fails("flock", second, "LOCK_EX|LOCK_NB") == "EAGAIN"
    assert guest.waits("flock", second, "LOCK_SH").until is not None
    threading.Timer(0.05, lambda: guest.host.flock(guest.host_fd(first), 8)).start()
    assert guest.call("flock", second, "LOCK_SH") == 0
    assert guest.fails("flock", second, "") == "EINVAL"


def test_sync_family(guest: FakeGuest) -> None:
    fd = guest.open(b"/f", "O_RDWR|O_CREAT")
    for name in ("fsync", "fdatasync", "syncfs"):
        assert guest.call(name, fd) == 0
        assert guest.fails(name, 99) == "EBADF"


def test_waits_end(guest: FakeGuest) -> None:
    """A wait that nothing ends would make the tests above hang: the bench itself gives up."""
    reader, writer = make_pipe(guest)
    threading.Timer(0.05, lambda: os.write(guest.host_fd(writer), b"late")).start()
    before = time.monotonic()
    assert guest.call("read", reader, guest.room(8), 8) == 4
    assert time.monotonic() - before < 5
