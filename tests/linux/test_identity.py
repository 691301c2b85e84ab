"""Users, groups, capabilities, process groups: a guest may take on only ids that it has."""

from __future__ import annotations

import errno
import os

import pytest

from shims.posix.credentials import Credentials, Ids
from tests.linux.guest import Guest, refused


def give(guest: Guest) -> None:
    """Ids that differ from each other and need more than 16 bits."""
    guest.process.credentials = Credentials(Ids(1000, 70000, 1002, 70000), Ids(2000, 2001, 2002, 2001), (5, 70001))


def test_a_guest_begins_as_the_user(guest: Guest) -> None:
    assert (guest.call("getuid"), guest.call("geteuid")) == (os.getuid(), os.geteuid())
    assert (guest.call("getgid"), guest.call("getegid")) == (os.getgid(), os.getegid())
    count = guest.call("getgroups", 0, 0)
    place = guest.allot(4 * count)
    assert guest.call("getgroups", count, place) == count
    assert [guest.int_at(place + 4 * k) for k in range(count)] == os.getgroups()


def test_effective_user_moves_among_the_three(guest: Guest) -> None:
    give(guest)
    guest.call("setuid", 1002)
    assert guest.call("geteuid") == 1002
    places = [guest.word() for _ in range(3)]
    guest.call("getresuid", *places)
    assert [guest.int_at(place) for place in places] == [1000, 1002, 1002]
    guest.call("setresuid", -1, 1000, -1)
    assert guest.process.credentials.users == Ids(1000, 1000, 1002, 1000)


def test_setreuid_moves_the_saved_id_along(guest: Guest) -> None:
    give(guest)
    guest.call("setreuid", -1, 1002)
    assert guest.process.credentials.users == Ids(1000, 1002, 1002, 1002)
    guest.call("setreuid", 1002, -1)
    assert guest.process.credentials.users == Ids(1002, 1002, 1002, 1002)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("setuid", (3,)),
        ("setgid", (3,)),
        ("setreuid", (3, -1)),
        ("setregid", (-1, 3)),
        ("setresuid", (-1, -1, 3)),
        ("setresgid", (3, -1, -1)),
        ("setgroups", (0, 0)),
    ],
)
def test_foreign_ids_are_refused(guest: Guest, name: str, arguments: tuple[int, ...]) -> None:
    give(guest)
    before = guest.process.credentials.users, guest.process.credentials.groups
    with pytest.raises(PermissionError):
        guest.call(name, *arguments)
    assert (guest.process.credentials.users, guest.process.credentials.groups) == before


def test_too_little_room_for_groups(guest: Guest) -> None:
    give(guest)
    for count in (1, -1):
        with refused(errno.EINVAL):
            guest.call("getgroups", count, guest.allot(8))


def test_file_system_ids_tell_the_old_one(guest: Guest) -> None:
    give(guest)
    assert guest.call("setfsuid", 1000) == 70000
    assert guest.call("setfsuid", 3) == 1000
    assert guest.call("setfsuid", -1) == 1000
    assert guest.call("setfsgid", 2002) == 2001


@pytest.mark.parametrize("cpu", ["x86", "arm"])
def test_16_bit_ids(make_guest: type[Guest], cpu: str) -> None:
    guest = make_guest(cpu)
    give(guest)
    assert guest.call("getuid") == 1000
    assert guest.call("geteuid") == 65534
    assert guest.call("geteuid32") == 70000
    place = guest.put(bytes(4))
    assert guest.call("getgroups", 2, place) == 2
    assert guest.bytes_at(place, 4) == (5).to_bytes(2, "little") + (65534).to_bytes(2, "little")
    guest.call("setresuid", 0xFFFF, 1002, 0xFFFF)
    assert guest.process.credentials.users == Ids(1000, 1002, 1002, 1002)


def test_a_guest_has_no_capabilities(guest: Guest) -> None:
    version = guest.abi.constants("CapVersion").encode("_LINUX_CAPABILITY_VERSION_3")
    header, data = guest.struct("CapHeader", {"version": version}), guest.put(b"\xff" * 24)
    guest.call("capget", header, data)
    assert guest.bytes_at(data, 24) == bytes(24)
    guest.call("capset", header, data)
    with pytest.raises(PermissionError):
        guest.call("capset", header, guest.put(b"\x01" + bytes(23)))


def test_capget_of_others(guest: Guest) -> None:
    version = guest.abi.constants("CapVersion").encode("_LINUX_CAPABILITY_VERSION_3")
    guest.call("capget", guest.struct("CapHeader", {"version": version, "pid": 1}), guest.allot(24))
    with pytest.raises(ProcessLookupError):
        guest.call("capget", guest.struct("CapHeader", {"version": version, "pid": os.getppid()}), guest.allot(24))


def test_an_unknown_capability_version_is_answered_with_the_known_one(guest: Guest) -> None:
    header = guest.struct("CapHeader", {"version": 7})
    assert guest.call("capget", header, 0) == 0
    assert guest.record("CapHeader", header).int("version") == 0x20080522
    with refused(errno.EINVAL):
        guest.call("capget", guest.struct("CapHeader", {"version": 7}), guest.allot(24))


def test_groups_and_sessions_are_the_hosts(guest: Guest) -> None:
    assert guest.call("getpgrp") == guest.call("getpgid", 0) == os.getpgrp()
    assert guest.call("getsid", 0) == os.getsid(0)


@pytest.mark.parametrize("name", ["getpgid", "getsid"])
def test_processes_outside_the_tree_do_not_exist(guest: Guest, name: str) -> None:
    for pid in (1, os.getppid(), -5):
        with pytest.raises(ProcessLookupError):
            guest.call(name, pid)


def test_setpgid_is_for_the_own_family(guest: Guest) -> None:
    with pytest.raises(ProcessLookupError):
        guest.call("setpgid", os.getppid(), 0)
    with refused(errno.EINVAL):
        guest.call("setpgid", 0, -1)
