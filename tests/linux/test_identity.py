"""Users, groups, capabilities, process groups: what a guest may take on, and what the host is asked then."""

from __future__ import annotations

import errno
import os

import pytest

from compat.host import Capabilities
from shims.posix.credentials import Credentials, Ids
from tests.linux.guest import Guest, refused


class Changes:
    """A process whose host only notes what it is asked. Its ids differ from each other and need more than 16 bits."""

    def __init__(self, guest: Guest, *, privileged: bool = False) -> None:
        self.asked: list[tuple[str, object]] = []
        self.process = guest.process
        self.process.credentials = Credentials(Ids(1000, 70000, 1002, 70000), Ids(2000, 2001, 2002, 2001), (5, 70001))
        self.process.capable = lambda capability: privileged  # type: ignore[method-assign]
        for name in ("setresuid", "setresgid", "setfsuid", "setfsgid"):
            setattr(guest.process.host, name, lambda *ids, name=name: self.asked.append((name, ids)))

    @property
    def users(self) -> Ids:
        return self.process.credentials.users


def give(guest: Guest) -> Changes:
    return Changes(guest)


def test_a_guest_begins_as_the_user(guest: Guest) -> None:
    assert (guest.call("getuid"), guest.call("geteuid")) == (os.getuid(), os.geteuid())
    assert (guest.call("getgid"), guest.call("getegid")) == (os.getgid(), os.getegid())
    count = guest.call("getgroups", 0, 0)
    place = guest.allot(4 * count)
    assert guest.call("getgroups", count, place) == count
    assert [guest.int_at(place + 4 * k) for k in range(count)] == os.getgroups()


def test_effective_user_moves_among_the_three(guest: Guest) -> None:
    changes = give(guest)
    guest.call("setuid", 1002)
    assert guest.call("geteuid") == 1002
    places = [guest.word() for _ in range(3)]
    guest.call("getresuid", *places)
    assert [guest.int_at(place) for place in places] == [1000, 1002, 1002]
    guest.call("setresuid", -1, 1000, -1)
    assert changes.users == Ids(1000, 1000, 1002, 1000)
    assert changes.asked == [("setresuid", (1000, 1002, 1002)), ("setresuid", (1000, 1000, 1002))]


def test_setreuid_moves_the_saved_id_along(guest: Guest) -> None:
    changes = give(guest)
    guest.call("setreuid", -1, 1002)
    assert changes.users == Ids(1000, 1002, 1002, 1002)
    guest.call("setreuid", 1002, -1)
    assert changes.users == Ids(1002, 1002, 1002, 1002)


def test_the_privileged_become_whom_they_like(guest: Guest) -> None:
    changes = Changes(guest, privileged=True)
    guest.call("setresuid", -1, 7, -1)
    assert changes.users == Ids(1000, 7, 1002, 7)
    guest.call("setreuid", 8, -1)
    assert changes.users == Ids(8, 7, 7, 7)
    guest.call("setuid", 9)
    assert changes.users == Ids(9, 9, 9, 9)
    guest.call("setgid", 10)
    assert guest.process.credentials.groups == Ids(10, 10, 10, 10)
    assert changes.asked[-2:] == [("setresuid", (9, 9, 9)), ("setresgid", (10, 10, 10))]


def test_a_process_that_changed_is_not_dumpable_and_hears_nothing_of_its_parents_end(guest: Guest) -> None:
    changes = Changes(guest, privileged=True)
    guest.process.dumpable, guest.thread.parent_death_signal = 1, 9
    guest.call("setresuid", 7, -1, 7)
    assert (guest.process.dumpable, guest.thread.parent_death_signal) == (1, 9), "nobody judges by these"
    guest.call("setresuid", -1, 8, -1)
    assert (guest.process.dumpable, guest.thread.parent_death_signal) == (0, 0)
    assert changes.process.touched_credentials


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
    changes = give(guest)
    assert guest.call("setfsuid", 1000) == 70000
    assert guest.call("setfsuid", 3) == 1000
    assert guest.call("setfsuid", -1) == 1000
    assert guest.call("setfsgid", 2002) == 2001
    assert changes.asked == [("setfsuid", (1000,)), ("setfsgid", (2002,))]


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


def test_capabilities_are_the_hosts_but_for_those_that_lead_out(guest: Guest) -> None:
    chown, admin = (1 << guest.abi.constants("Capability").encode(name) for name in ("CAP_CHOWN", "CAP_SYS_ADMIN"))
    host, given = guest.process.host, list[Capabilities]()
    host.capget = lambda: Capabilities(chown | admin, chown | admin | 1 << 31, 0)  # type: ignore[method-assign]
    host.capset = given.append  # type: ignore[method-assign]
    version = guest.abi.constants("CapVersion").encode("_LINUX_CAPABILITY_VERSION_3")
    header, data = guest.struct("CapHeader", {"version": version}), guest.put(b"\xff" * 24)
    guest.call("capget", header, data)
    assert [guest.int_at(data + 4 * k) for k in range(6)] == [chown, chown | -1 << 31, 0, 0, 0, 0]
    guest.call("capset", header, data)
    assert given == [], "nothing changes"
    guest.call("capset", header, guest.put(bytes(24)))
    assert given == [Capabilities(0, 0, 0)]
    with pytest.raises(PermissionError):
        guest.call("capset", header, guest.put(bytes(4) + admin.to_bytes(4, guest.order) + bytes(16)))


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
