"""fcntl(2)."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time

import pytest

from shims.posix.openfiles import OpenFile
from tests.guests import FakeGuest


@pytest.fixture
def file(guest: FakeGuest) -> FakeGuest:
    (guest.root / "file").write_bytes(b"0123456789")
    return guest


def flags_of(guest: FakeGuest, fd: int) -> frozenset[str]:
    return guest.abi.flags("OpenFlags").decode(guest.call("fcntl", fd, "F_GETFL"))


def test_duplicate_from(file: FakeGuest) -> None:
    fd = file.open(b"/file")
    assert file.call("fcntl", fd, "F_DUPFD", 5) == 5
    assert file.call("fcntl", fd, "F_DUPFD_CLOEXEC", 5) == 6
    assert file.call("fcntl", 6, "F_GETFD") == 1
    assert file.fails("fcntl", fd, "F_DUPFD", -1) == "EINVAL"
    assert file.fails("fcntl", fd, "F_DUPFD", 1 << 20) == "EINVAL"
    assert file.fails("fcntl", 99, "F_DUPFD", -1) == "EBADF"


def test_descriptor_flags(file: FakeGuest) -> None:
    fd = file.open(b"/file")
    file.call("fcntl", fd, "F_SETFD", "FD_CLOEXEC")
    assert file.call("fcntl", fd, "F_GETFD") == 1
    file.call("fcntl", fd, "F_SETFD", 2)
    assert file.call("fcntl", fd, "F_GETFD") == 0


@pytest.mark.parametrize(
    "flags", ["O_RDONLY", "O_WRONLY|O_APPEND", "O_RDWR|O_NONBLOCK", "O_RDWR|O_SYNC|O_TRUNC|O_CREAT|O_CLOEXEC"]
)
def test_status_flags_as_the_host_tells(file: FakeGuest, flags: str) -> None:
    bits = 0
    for name in flags.split("|"):
        bits |= getattr(os, name)
    native = os.open(file.root / "file", bits)
    told = fcntl.fcntl(native, fcntl.F_GETFL)
    os.close(native)
    expected = {n for n in ("O_APPEND", "O_NONBLOCK", "O_SYNC") if told & getattr(os, n) == getattr(os, n)}
    found = flags_of(file, file.open(b"/file", flags))
    assert found & {"O_APPEND", "O_NONBLOCK", "O_SYNC", "O_CREAT", "O_TRUNC", "O_CLOEXEC"} == expected
    assert found & {"O_RDONLY", "O_WRONLY", "O_RDWR"} == {flags.split("|")[0]}
    assert ("O_LARGEFILE" in found) == (file.abi.cpu.bits == 64)


def test_directory_flag_is_told(file: FakeGuest) -> None:
    assert {"O_DIRECTORY", "O_NOFOLLOW"} <= flags_of(file, file.open(b"/", "O_RDONLY|O_DIRECTORY|O_NOFOLLOW"))
    assert "O_TMPFILE" in flags_of(file, file.open(b"/", "O_RDWR|O_TMPFILE"))


def test_set_status_flags(file: FakeGuest) -> None:
    fd = file.open(b"/file", "O_RDWR")
    file.call("fcntl", fd, "F_SETFL", "O_APPEND|O_NONBLOCK|O_CREAT|O_WRONLY")
    assert flags_of(file, fd) >= {"O_APPEND", "O_NONBLOCK", "O_RDWR"}
    file.call("fcntl", fd, "F_SETFL", "")
    assert not flags_of(file, fd) & {"O_APPEND", "O_NONBLOCK"}


def holder(path: object) -> subprocess.Popen[bytes]:
    """Another process that holds a write lock on bytes 2 and 3 until its input ends."""
    program = (
        "import fcntl,os,sys; f=open(sys.argv[1],'r+b'); fcntl.lockf(f,fcntl.LOCK_EX,2,2); print(flush=True);"
        "sys.stdin.read()"
    )
    child = subprocess.Popen([sys.executable, "-c", program, str(path)], stdin=-1, stdout=-1)
    assert child.stdout is not None
    child.stdout.readline()
    return child


@pytest.mark.parametrize("wide", [False, True])
def test_record_locks(file: FakeGuest, wide: bool) -> None:
    if wide and file.abi.cpu.bits == 64:
        pytest.skip("no fcntl64 on this CPU")
    call, suffix, kind = ("fcntl64", "64", "Flock64") if wide else ("fcntl", "", "Flock")
    types = file.abi.constants("LockType").values
    child = holder(file.root / "file")
    fd = file.open(b"/file", "O_RDWR")
    lock = file.pack(kind, type=types["F_RDLCK"], start=0, len=0)
    assert file.fails(call, fd, "F_SETLK" + suffix, lock) == "EAGAIN"
    assert file.waits(call, fd, "F_SETLKW" + suffix, lock).until is not None
    file.call(call, fd, "F_GETLK" + suffix, lock)
    found = file.struct(kind, lock)
    assert (found["type"], found["start"], found["len"], found["pid"]) == (types["F_WRLCK"], 2, 2, child.pid)
    elsewhere = file.pack(kind, type=types["F_WRLCK"], start=5, len=2)
    file.call(call, fd, "F_SETLK" + suffix, elsewhere)
    assert child.stdin is not None
    child.stdin.close()
    assert file.call(call, fd, "F_SETLKW" + suffix, file.pack(kind, type=types["F_RDLCK"])) == 0
    child.wait()
    file.call(call, fd, "F_GETLK" + suffix, lock)
    assert file.struct(kind, lock)["type"] == types["F_UNLCK"]
    assert file.fails(call, fd, "F_SETLK" + suffix, file.pack(kind, type=9)) == "EINVAL"


def test_closing_a_duplicate_drops_the_locks(file: FakeGuest) -> None:
    types = file.abi.constants("LockType").values
    fd = file.open(b"/file", "O_RDWR")
    other = file.call("dup", fd)
    file.call("fcntl", fd, "F_SETLK", file.pack("Flock", type=types["F_WRLCK"]))
    program = "import fcntl,sys; fcntl.lockf(open(sys.argv[1],'r+b'), fcntl.LOCK_EX|fcntl.LOCK_NB)"
    attempt = [sys.executable, "-c", program, str(file.root / "file")]
    assert subprocess.run(attempt, stderr=-3, check=False).returncode != 0
    file.call("close", other)
    assert subprocess.run(attempt, stderr=-3, check=False).returncode == 0


def test_open_file_locks(file: FakeGuest) -> None:
    name, kind = ("fcntl", "Flock") if file.abi.cpu.bits == 64 else ("fcntl64", "Flock64")
    types = file.abi.constants("LockType").values
    first, second = file.open(b"/file", "O_RDWR"), file.open(b"/file", "O_RDWR")
    lock = file.pack(kind, type=types["F_WRLCK"])
    file.call(name, first, "F_OFD_SETLK", lock)
    assert file.fails(name, second, "F_OFD_SETLK", lock) == "EAGAIN"
    file.call("close", first)
    assert file.fails(name, second, "F_OFD_SETLK", lock) == ""


def test_pipe_size(guest: FakeGuest) -> None:
    ends = guest.room(8)
    guest.call("pipe2", ends, "")
    assert guest.call("fcntl", 0, "F_GETPIPE_SZ") == 65536
    assert guest.call("fcntl", 0, "F_SETPIPE_SZ", 5000) == 8192


def test_owner_is_kept(file: FakeGuest) -> None:
    fd, own = file.open(b"/file"), os.getpgrp()
    file.call("fcntl", fd, "F_SETOWN", -own)
    assert file.call("fcntl", fd, "F_GETOWN") == -own
    room = file.room(8)
    file.call("fcntl", fd, "F_GETOWN_EX", room)
    group = file.abi.constants("FdOwnerType").encode("F_OWNER_PGRP")
    assert file.struct("FdOwner", room) == {"type": group, "pid": own}


def test_an_owner_outside_the_guests_tree(file: FakeGuest) -> None:
    assert file.fails("fcntl", file.open(b"/file"), "F_SETOWN", 1) == "ESRCH"


def test_a_signal_when_there_is_something_to_read(file: FakeGuest) -> None:
    reader, writer = os.pipe()
    fd = file.process.files.add(OpenFile(file.host, reader))
    file.call("fcntl", fd, "F_SETOWN", os.getpid())
    file.call("fcntl", fd, "F_SETSIG", file.abi.signals.encode("SIGUSR2"))
    assert file.call("fcntl", fd, "F_GETSIG") == file.abi.signals.encode("SIGUSR2")
    file.call("fcntl", fd, "F_SETFL", "O_ASYNC")
    assert "O_ASYNC" in flags_of(file, fd)
    came: list[int] = []
    before = signal.signal(signal.SIGUSR2, lambda number, _: came.append(number))
    try:
        os.write(writer, b"x")
        deadline = time.monotonic() + 10
        while not came and time.monotonic() < deadline:
            time.sleep(0.001)
        file.call("fcntl", fd, "F_SETFL", "")
    finally:
        os.close(writer)
        signal.signal(signal.SIGUSR2, before)
    assert came == [signal.SIGUSR2]


def test_unknown_command(file: FakeGuest) -> None:
    fd = file.open(b"/file")
    assert file.fails("fcntl", fd, 0x7777, 0) == "EINVAL"
    assert file.fails("fcntl", 99, 0x7777, 0) == "EBADF"
    assert file.call("fcntl", fd, "F_DUPFD_QUERY", file.call("dup", fd)) == 1
    assert file.call("fcntl", fd, "F_DUPFD_QUERY", file.open(b"/file")) == 0
