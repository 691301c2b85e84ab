"""inotify: events in the guest's byte order, and files that only the guest has."""

from __future__ import annotations

import errno
import struct
from pathlib import Path

import pytest

from compat.errors import Wait
from compat.sandbox.default import default_view
from compat.sandbox.synthetic import Directory, File
from shims.posix.transfers import receive
from tests.linux.guest import Guest, refused

TREE = Directory({b"version": File(b"1\n"), b"sys": Directory({})})


def watching(guest: Guest, folder: Path) -> int:
    process = guest.process
    process.view = default_view(process.host, cwd=bytes(folder), proc=TREE, dev=Directory({}))
    process.directory = process.view.open_directory(bytes(folder))
    return guest.call("inotify_init1", guest.abi.flags("InotifyFlags").encode(["IN_NONBLOCK"]))


def mask(guest: Guest, *names: str) -> int:
    return guest.abi.flags("InotifyMask").encode(names)


def test_events_in_the_guests_byte_order(guest: Guest, tmp_path: Path) -> None:
    fd = watching(guest, tmp_path)
    watch = guest.call("inotify_add_watch", fd, guest.put(b".\0"), mask(guest, "IN_CREATE"))
    (tmp_path / "one").touch()
    (tmp_path / "two").touch()
    place = guest.allot(64)
    got = receive(guest.thread, guest.process.files.get(fd), [(place, 20), (place + 20, 44)])
    assert got == 64
    data, layout = guest.bytes_at(place, 64), struct.Struct(("<" if guest.order == "little" else ">") + "iIII16s")
    assert list(layout.iter_unpack(data)) == [
        (watch, mask(guest, "IN_CREATE"), 0, 16, name.ljust(16, b"\0")) for name in (b"one", b"two")
    ]
    with pytest.raises(BlockingIOError):
        receive(guest.thread, guest.process.files.get(fd), [(place, 64)])
    guest.call("close", fd)


def test_a_reader_waits(guest: Guest, tmp_path: Path) -> None:
    watching(guest, tmp_path)
    fd = guest.call("inotify_init1", 0)
    with pytest.raises(Wait) as wait:
        receive(guest.thread, guest.process.files.get(fd), [(guest.allot(64), 64)])
    assert wait.value.descriptors


def test_synthetic_files_can_be_watched_and_stay_quiet(guest: Guest, tmp_path: Path) -> None:
    fd = watching(guest, tmp_path)
    version, folder = guest.put(b"/proc/version\0"), guest.put(b"/proc/sys\0")
    watch = guest.call("inotify_add_watch", fd, version, mask(guest, "IN_OPEN", "IN_ACCESS"))
    assert guest.call("inotify_add_watch", fd, version, mask(guest, "IN_MODIFY")) == watch
    assert guest.call("inotify_add_watch", fd, folder, mask(guest, "IN_OPEN", "IN_ONLYDIR")) != watch
    with refused(errno.EEXIST):
        guest.call("inotify_add_watch", fd, version, mask(guest, "IN_MODIFY", "IN_MASK_CREATE"))
    with refused(errno.ENOTDIR):
        guest.call("inotify_add_watch", fd, version, mask(guest, "IN_MODIFY", "IN_ONLYDIR"))
    guest.call("inotify_rm_watch", fd, watch)
    held = list(guest.process.files.get(fd).kind.quiet.values())
    guest.call("close", fd)
    for each in held:
        with pytest.raises(OSError, match="descriptor"):
            guest.process.host.fstat(each)


def test_nothing_outside_the_mounts(guest: Guest, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    fd = watching(guest, tmp_path / "in")
    with refused(errno.ENOENT):
        guest.call("inotify_add_watch", fd, guest.put(b"/etc/passwd\0"), mask(guest, "IN_OPEN"))
    for bits, expected in ((0, errno.EINVAL), (1 << 20, errno.EINVAL)):
        with refused(expected):
            guest.call("inotify_add_watch", fd, guest.put(b".\0"), bits)
