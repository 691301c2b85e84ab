"""Names of the system, random numbers, load."""

from __future__ import annotations

import errno
import os

import pytest

from compat.data import replace
from compat.errors import MemoryFault
from tests.linux.guest import ROOM, Guest, refused


def text(guest: Guest, place: int, field: str, struct: str = "Utsname") -> bytes:
    value = guest.record(struct, place)[field]
    assert isinstance(value, bytes)
    return value.rstrip(b"\0")


def test_uname_tells_the_guests_machine(guest: Guest) -> None:
    place = guest.struct("Utsname")
    guest.call("uname", place)
    assert text(guest, place, "sysname") == b"Linux"
    assert text(guest, place, "machine") == guest.abi.cpu.machine.encode()
    assert text(guest, place, "nodename") == os.uname().nodename.encode()[:64]
    assert int(text(guest, place, "release").split(b".")[0]) >= 5


def test_a_personality_changes_names(make_guest: type[Guest]) -> None:
    guest = make_guest("x86-64")
    assert guest.call("personality", 0xFFFFFFFF) == 0
    assert guest.call("personality", 0x20008) == 0
    assert guest.call("personality", 0xFFFFFFFF) == 0x20008
    place = guest.struct("Utsname")
    guest.call("uname", place)
    assert text(guest, place, "machine") == b"i686"
    assert text(guest, place, "release").startswith(b"2.6.")


def test_the_oldest_uname_has_short_names(make_guest: type[Guest]) -> None:
    guest = make_guest("ppc")
    place = guest.struct("OldOldUtsname")
    guest.call("oldolduname", place)
    assert text(guest, place, "sysname", "OldOldUtsname") == b"Linux"
    assert guest.bytes_at(place + 9 + 8, 1) == b"\0"


def test_random_bytes(guest: Guest) -> None:
    place = guest.allot(1000)
    assert guest.call("getrandom", place, 1000, 0) == 1000
    assert len(set(guest.bytes_at(place, 1000))) > 100
    assert guest.call("getrandom", place, 0, 0) == 0
    for flags in (8, 6):
        with refused(errno.EINVAL):
            guest.call("getrandom", place, 8, flags)
    with pytest.raises(MemoryFault):
        guest.call("getrandom", ROOM + 0x20000, 8, 0)


def test_sysinfo(guest: Guest) -> None:
    place = guest.struct("Sysinfo")
    guest.call("sysinfo", place)
    found = guest.record("Sysinfo", place)
    assert found.int("totalram") * found.int("mem_unit") // 4096 == os.sysconf("SC_PHYS_PAGES")
    assert found.int("uptime") > 0
    assert 0 < found.int("freeram") <= found.int("totalram")


def test_memory_of_more_than_32_bits_is_told_in_pages(make_guest: type[Guest]) -> None:
    guest = make_guest("ppc")
    real = guest.thread.host.sysinfo()
    guest.thread.host.sysinfo = lambda: replace(real, totalram=1 << 40)  # type: ignore[method-assign]
    place = guest.struct("Sysinfo")
    guest.call("sysinfo", place)
    assert guest.record("Sysinfo", place).int("totalram") == 1 << 28
    assert guest.record("Sysinfo", place).int("mem_unit") == 4096
