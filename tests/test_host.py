"""Host calls do what their system calls do, and say why when they do not."""

from __future__ import annotations

import ast
import errno
import fcntl
import os
import select
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from compat.host import (
    AT_FDCWD,
    O_PATH,
    RENAME_EXCHANGE,
    RENAME_NOREPLACE,
    RESOLVE_BENEATH,
    UTIME_OMIT,
    Host,
    _libc,
)
from compat.host.libc_build import generate

linux = pytest.mark.skipif(sys.platform != "linux", reason="a call of Linux")


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def name(tmp_path: Path) -> bytes:
    (tmp_path / "file").write_bytes(b"content")
    return os.fsencode(tmp_path / "file")


@linux
def test_openat2_confines(host: Host, tmp_path: Path) -> None:
    fd = host.open(os.fsencode(tmp_path), O_PATH)
    with pytest.raises(OSError, match=rf"\[Errno {errno.EXDEV}\]"):
        host.openat2(fd, b"..", O_PATH, 0, RESOLVE_BENEATH)
    inside = host.openat2(fd, b".", O_PATH, 0, RESOLVE_BENEATH)
    assert fcntl.fcntl(inside, fcntl.F_GETFD) & fcntl.FD_CLOEXEC
    host.close(inside)
    host.close(fd)


def test_descriptors_are_not_inherited(host: Host, name: bytes) -> None:
    made = [host.openat(AT_FDCWD, name, os.O_RDONLY), *host.pipe2(os.O_NONBLOCK)]
    made.append(host.dup(made[0]))
    made.append(host.memfd_create(b"x", 1) if sys.platform == "linux" else host.dup(made[0]))
    assert all(fcntl.fcntl(fd, fcntl.F_GETFD) & fcntl.FD_CLOEXEC for fd in made)
    assert not os.get_blocking(made[1])
    for fd in made:
        host.close(fd)


def test_reading_and_writing_by_buffers_and_offsets(host: Host, name: bytes) -> None:
    fd = host.openat(AT_FDCWD, name, os.O_RDWR)
    first, second = bytearray(3), bytearray(10)
    assert host.preadv(fd, [first, memoryview(second)], 0) == 7
    assert (bytes(first), bytes(second[:4])) == (b"con", b"tent")
    assert host.pwritev(fd, [b"AB", b"C"], 2) == 3
    assert host.pread(fd, 10, 0) == b"coABCnt"
    assert host.lseek(fd, 0, os.SEEK_CUR) == 0
    host.ftruncate(fd, 2)
    assert host.fstat(fd).st_size == 2
    host.close(fd)


def test_renames_with_flags(host: Host, tmp_path: Path, name: bytes) -> None:
    other = os.fsencode(tmp_path / "other")
    Path(os.fsdecode(other)).write_bytes(b"other")
    with pytest.raises(FileExistsError):
        host.renameat2(AT_FDCWD, name, AT_FDCWD, other, RENAME_NOREPLACE)
    host.renameat2(AT_FDCWD, name, AT_FDCWD, other, RENAME_EXCHANGE)
    assert Path(os.fsdecode(other)).read_bytes() == b"content"


def test_times_can_be_left_as_they_are(host: Host, name: bytes) -> None:
    host.utimensat(AT_FDCWD, name, ((5, 6), (7, 8)))
    host.utimensat(AT_FDCWD, name, ((9, 1), (0, UTIME_OMIT)))
    found = host.fstatat(AT_FDCWD, name)
    assert (found.st_atime_ns, found.st_mtime_ns) == (9_000_000_001, 7_000_000_008)
    fd = host.openat(AT_FDCWD, name, os.O_RDONLY)
    host.futimens(fd, None)
    assert abs(host.fstat(fd).st_mtime - time.time()) < 60
    host.close(fd)


def test_access_tells_why_not(host: Host, name: bytes) -> None:
    host.faccessat(AT_FDCWD, name, os.R_OK)
    with pytest.raises(FileNotFoundError):
        host.faccessat(AT_FDCWD, name + b"x", os.R_OK)
    with pytest.raises(NotADirectoryError):
        host.faccessat(AT_FDCWD, name + b"/x", os.R_OK)
    with pytest.raises(PermissionError):
        host.faccessat(AT_FDCWD, name, os.X_OK)


@linux
def test_statfs_agrees_with_statvfs(host: Host, name: bytes) -> None:
    ours, theirs = host.statfs(name), os.statvfs(name)
    assert (ours.bsize, ours.blocks, ours.files, ours.namelen, ours.frsize) == (
        theirs.f_bsize,
        theirs.f_blocks,
        theirs.f_files,
        theirs.f_namemax,
        theirs.f_frsize,
    )
    assert ours.type != 0
    assert host.statfs(b"/proc").type == 0x9FA0


def test_a_listing_has_kinds_and_numbers(host: Host, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("x")
    os.mkfifo(tmp_path / "fifo")
    fd = host.open(os.fsencode(tmp_path), os.O_RDONLY)
    found = {each.name: each for each in host.scandir(fd)}
    assert found == {each.name: each for each in host.scandir(fd)}
    host.close(fd)
    assert {name: each.type for name, each in found.items()} == {
        b"folder": stat.S_IFDIR,
        b"link": stat.S_IFLNK,
        b"fifo": stat.S_IFIFO,
    }
    assert found[b"folder"].ino == (tmp_path / "folder").stat().st_ino


def test_poll_joins_masks_and_reports_closed_descriptors(host: Host) -> None:
    reader, writer = host.pipe2()
    assert host.poll([(reader, select.POLLIN)], 0) == []
    assert host.poll([(writer, select.POLLOUT), (writer, select.POLLIN)], 0) == [(writer, select.POLLOUT)]
    host.write(writer, b"x")
    assert host.poll([(reader, select.POLLIN)], None) == [(reader, select.POLLIN)]
    host.close(reader)
    host.close(writer)
    assert host.poll([(reader, select.POLLIN)], 0) == [(reader, select.POLLNVAL)]


def test_the_path_of_a_descriptor(host: Host, name: bytes) -> None:
    fd = host.openat(AT_FDCWD, name, os.O_RDONLY)
    assert os.path.samefile(host.path_of(fd), name)
    host.close(fd)


def test_a_call_that_the_host_lacks_is_enosys(host: Host) -> None:
    with pytest.raises(OSError, match=rf"\[Errno {errno.ENOSYS}\]"):
        host._libc.call("no_such_call_anywhere", "i", 1)


def test_modes_and_owners(host: Host, name: bytes) -> None:
    host.fchmodat(AT_FDCWD, name, 0o640)
    host.fchownat(AT_FDCWD, name, -1, -1)
    assert host.fstatat(AT_FDCWD, name).st_mode & 0o777 == 0o640


def test_clocks_count_nanoseconds(host: Host) -> None:
    assert abs(host.clock_gettime(time.CLOCK_REALTIME) - time.time_ns()) < 60 * 10**9
    assert 0 < host.clock_getres(time.CLOCK_MONOTONIC) <= 10**9
    assert len(host.getrandom(16)) == 16


def test_importing_the_host_does_not_load_what_few_guests_need() -> None:
    code = "import sys, compat.sandbox.default; print({'ctypes', 'shutil', 'tempfile'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"


def test_the_module_is_what_its_builder_writes(tmp_path: Path) -> None:
    generate(tmp_path / "made.py")
    committed = Path(_libc.__file__).read_text()
    assert ast.dump(ast.parse((tmp_path / "made.py").read_text())) == ast.dump(ast.parse(committed))
