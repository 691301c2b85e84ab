"""The calls of Linux 6.13 on extended attributes."""

from __future__ import annotations

import os
import struct

import pytest

from tests.guests import FakeGuest


@pytest.fixture
def guest(fake_guest: FakeGuest) -> FakeGuest:
    (fake_guest.root / "file").write_bytes(b"content")
    try:
        os.setxattr(fake_guest.root / "file", "user.one", b"value")
    except OSError:
        pytest.skip("this file system has no user attributes")
    return fake_guest


def arguments(guest: FakeGuest, value: int, size: int, flags: int = 0, more: bytes = b"") -> tuple[int, int]:
    """Address and size of a struct xattr_args."""
    raw = struct.pack(guest.abi.cpu.order + "QII", value, size, flags) + more
    return guest.put(raw), len(raw)


def test_by_path(guest: FakeGuest) -> None:
    room, here = guest.room(64), "AT_FDCWD"
    assert guest.call("getxattrat", here, b"/file", "", b"user.one", *arguments(guest, room, 64)) == 5
    assert guest.read(room, 5) == b"value"
    given = arguments(guest, guest.put(b"other"), 5, 2)  # XATTR_REPLACE
    guest.call("setxattrat", here, b"/file", "", b"user.one", *given)
    assert os.getxattr(guest.root / "file", "user.one") == b"other"
    assert guest.call("listxattrat", here, b"/file", "", room, 64) == 9
    guest.call("removexattrat", here, b"/file", "", b"user.one")
    assert os.listxattr(guest.root / "file") == []
    assert guest.fails("getxattrat", here, b"/file", "", b"user.one", *arguments(guest, room, 64)) == "ENODATA"


def test_by_descriptor(guest: FakeGuest) -> None:
    fd = guest.open(b"/file")
    assert guest.call("getxattrat", fd, b"", "AT_EMPTY_PATH", b"user.one", *arguments(guest, 0, 0)) == 5
    assert guest.fails("getxattrat", fd, b"", "", b"user.one", *arguments(guest, 0, 0)) == "ENOENT"


def test_what_is_refused(guest: FakeGuest) -> None:
    for given, error in (
        ((0, 8), "EINVAL"),
        ((0, 5000), "E2BIG"),
        (arguments(guest, 0, 0, more=b"\1"), "E2BIG"),
        (arguments(guest, 0, 0, 1), "EINVAL"),
    ):
        assert guest.fails("getxattrat", "AT_FDCWD", b"/file", "", b"user.one", *given) == error
    good = arguments(guest, 0, 0, more=bytes(8))
    assert guest.call("getxattrat", "AT_FDCWD", b"/file", "", b"user.one", *good) == 5
    assert guest.fails("removexattrat", "AT_FDCWD", b"/file", "AT_NO_AUTOMOUNT", b"user.one") == "EINVAL"
