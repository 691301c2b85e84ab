"""Limits on resources."""

from __future__ import annotations

import errno
import resource

import pytest

from compat.process import Options
from shims.posix.limits import begin
from tests.linux.guest import Guest, refused


def number(guest: Guest, name: str) -> int:
    return guest.abi.constants("Resource").encode(name)


def test_limits_are_the_hosts(guest: Guest) -> None:
    place = guest.struct("Rlimit64")
    guest.call("prlimit64", 0, number(guest, "RLIMIT_CPU"), 0, place)
    found = guest.record("Rlimit64", place)
    expected = [(1 << 64) - 1 if v == resource.RLIM_INFINITY else v for v in resource.getrlimit(resource.RLIMIT_CPU)]
    assert [found["cur"], found["max"]] == expected


def test_granted_limits_are_told(make_guest: type[Guest]) -> None:
    guest = make_guest("ppc", Options(memory=1 << 30, files=100, stack=1 << 20))
    for name, soft in (("RLIMIT_AS", 1 << 30), ("RLIMIT_NOFILE", 100), ("RLIMIT_STACK", 1 << 20)):
        place = guest.struct("Rlimit64")
        guest.call("prlimit64", guest.process.pid, number(guest, name), 0, place)
        assert guest.record("Rlimit64", place)["cur"] == soft


def test_descriptors_that_the_host_process_needs_are_not_offered(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    for host, expected in (((1024, 20000), [1024, 19936]), ((512, 512), [448, 448]), ((100, 100), [50, 50])):
        guest.process.limits = {}
        monkeypatch.setattr(guest.process.host, "getrlimit", lambda which, host=host: host)
        place = guest.struct("Rlimit64")
        guest.call("prlimit64", 0, number(guest, "RLIMIT_NOFILE"), 0, place)
        found = guest.record("Rlimit64", place)
        assert [found["cur"], found["max"]] == expected


def test_no_limit_in_32_bits(make_guest: type[Guest]) -> None:
    guest = make_guest("ppc")
    guest.process.limits = {"RLIMIT_AS": (1 << 40, (1 << 64) - 1)}
    place = guest.struct("Rlimit")
    guest.call("ugetrlimit", number(guest, "RLIMIT_AS"), place)
    found = guest.record("Rlimit", place)
    assert (found["cur"], found["max"]) == (0xFFFFFFFF, 0xFFFFFFFF)


def test_the_old_getrlimit_cuts_at_31_bits(make_guest: type[Guest]) -> None:
    guest = make_guest("x86")
    guest.process.limits = {"RLIMIT_AS": (1 << 40, (1 << 64) - 1)}
    place = guest.struct("Rlimit")
    guest.call("getrlimit", number(guest, "RLIMIT_AS"), place)
    assert guest.record("Rlimit", place)["cur"] == 0x7FFFFFFF


def test_limits_of_descriptors_and_memory_take_effect(guest: Guest) -> None:
    guest.call("setrlimit", number(guest, "RLIMIT_NOFILE"), guest.struct("Rlimit", {"cur": 10, "max": 20}))
    assert guest.process.files.limit == 10
    guest.call("setrlimit", number(guest, "RLIMIT_AS"), guest.struct("Rlimit", {"cur": 1 << 20, "max": 1 << 21}))
    with refused(errno.ENOMEM):
        guest.process.memory.map(1 << 21, 3)


def test_a_limit_may_shrink_but_not_grow(guest: Guest) -> None:
    which = number(guest, "RLIMIT_NOFILE")
    guest.call("setrlimit", which, guest.struct("Rlimit", {"cur": 10, "max": 20}))
    for fields, expected in (
        ({"cur": 5, "max": 21}, errno.EPERM),
        ({"cur": 21, "max": 20}, errno.EINVAL),
    ):
        with refused(expected):
            guest.call("setrlimit", which, guest.struct("Rlimit", fields))
    old = guest.struct("Rlimit64")
    guest.call("prlimit64", 0, which, guest.struct("Rlimit64", {"cur": 20, "max": 20}), old)
    assert guest.record("Rlimit64", old)["cur"] == 10
    assert guest.process.files.limit == 20


def test_unknown_resources_and_processes(guest: Guest) -> None:
    for pid, which, expected in ((0, 99, errno.EINVAL), (1, 0, errno.ESRCH)):
        with refused(expected):
            guest.call("prlimit64", pid, which, 0, guest.struct("Rlimit64"))


def test_the_first_process_begins_within_its_limits(make_guest: type[Guest]) -> None:
    guest = make_guest("x86-64", Options(files=100, cpu_time=1000))
    asked: list[tuple[int, tuple[int, int]]] = []
    guest.thread.host.setrlimit = lambda which, pair: asked.append((which, pair))
    begin(guest.process)
    assert guest.process.files.limit == 100
    assert asked == [(resource.RLIMIT_CPU, (1000, 1000))]
