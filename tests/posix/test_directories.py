"""Reading directories."""

from __future__ import annotations

import os

import pytest

from tests.guests import FakeGuest

Entry = tuple[bytes, int, int, int]
"""Name, inode number, position behind it, type."""


def read_all(guest: FakeGuest, call: str, fd: int, size: int) -> list[Entry]:
    found: list[Entry] = []
    room = guest.room(size)
    while count := guest.call(call, fd, room, size):
        found += parse(guest, call, guest.read(room, count))
    return found


def parse(guest: FakeGuest, call: str, data: bytes) -> list[Entry]:
    wide = call.endswith("64")
    layout = guest.abi.layout("Dirent64" if wide else "Dirent")
    found: list[Entry] = []
    while data:
        head = layout.unpack(data[: layout.size].ljust(layout.size, b"\0"))
        entry, data = data[: head.int("reclen")], data[head.int("reclen") :]
        name = entry[layout.offset("name") :].split(b"\0")[0]
        found.append((name, head.int("ino"), head.int("off"), head.int("type") if wide else entry[-1]))
    return found


@pytest.fixture
def full(guest: FakeGuest) -> FakeGuest:
    for number in range(50):
        (guest.root / f"file-{number}").write_bytes(b"")
    (guest.root / "folder").mkdir()
    (guest.root / "link").symlink_to("x")
    return guest


@pytest.mark.parametrize("call", ["getdents", "getdents64"])
@pytest.mark.parametrize("size", [100, 4096])
def test_all_names_once(full: FakeGuest, call: str, size: int) -> None:
    entries = read_all(full, call, full.open(b"/"), size)
    names = [name for name, *_ in entries]
    assert sorted(names) == sorted([b".", b"..", *os.listdir(os.fsencode(full.root))])
    kinds = {name: kind for name, _, _, kind in entries}
    assert (kinds[b"file-3"], kinds[b"folder"], kinds[b"link"], kinds[b"."]) == (8, 4, 10, 4)
    inodes = {name: ino for name, ino, *_ in entries}
    assert inodes[b"folder"] == (full.root / "folder").stat().st_ino


def test_entries_are_aligned(full: FakeGuest) -> None:
    room = full.room(4096)
    count = full.call("getdents64", full.open(b"/"), room, 4096)
    layout, place = full.abi.layout("Dirent64"), 0
    while place < count:
        assert place % 8 == 0
        place += layout.unpack(full.read(room + place, layout.size)).int("reclen")


def test_positions_are_stable(full: FakeGuest) -> None:
    fd = full.open(b"/")
    entries = read_all(full, "getdents64", fd, 4096)
    behind = entries[9][2]
    (full.root / "file-1").unlink()
    full.call("lseek", fd, behind, "SEEK_SET")
    assert read_all(full, "getdents64", fd, 200)[0][0] == entries[10][0]
    full.call("lseek", fd, 0, "SEEK_SET")
    assert b"file-1" not in [name for name, *_ in read_all(full, "getdents64", fd, 4096)]


def test_refusals(full: FakeGuest) -> None:
    fd = full.open(b"/")
    assert full.fails("getdents64", fd, full.room(8), 8) == "EINVAL"
    assert full.fails("getdents64", fd, 8, 4096) == "EFAULT"
    assert full.fails("getdents64", full.open(b"/file-1"), full.room(100), 100) == "ENOTDIR"
    assert full.fails("getdents64", 77, 8, 100) == "EBADF"
    gone = full.open(b"/folder")
    full.call("rmdir", b"/folder")
    assert full.fails("getdents64", gone, full.room(100), 100) == "ENOENT"


def test_one_entry_a_call(full: FakeGuest) -> None:
    if "readdir" not in full.abi.numbers:
        pytest.skip("no readdir on this CPU")
    fd, room = full.open(b"/"), full.room(300)
    layout = full.abi.layout("OldDirent")
    names = []
    while full.call("readdir", fd, room, 1):
        head = layout.unpack(full.read(room, layout.size))
        names.append(full.read(room + layout.offset("name"), head.int("namlen")))
    assert sorted(names) == sorted([b".", b"..", *os.listdir(os.fsencode(full.root))])
