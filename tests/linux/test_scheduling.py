"""Policies and affinity, which are the host's."""

from __future__ import annotations

import errno
import os

import pytest

from tests.linux.guest import Guest, refused


def test_affinity_in_the_guests_words(guest: Guest) -> None:
    word = guest.abi.cpu.word
    place = guest.allot(128)
    size = guest.call("sched_getaffinity", 0, 128, place)
    assert size % word == 0
    raw = guest.bytes_at(place, size)
    words = [int.from_bytes(raw[at : at + word], guest.order) for at in range(0, size, word)]
    found = {cpu for cpu in range(8 * size) if words[cpu // (8 * word)] >> cpu % (8 * word) & 1}
    assert found == os.sched_getaffinity(0)
    assert guest.call("sched_setaffinity", 0, size, place) == 0
    with refused(errno.EINVAL):
        guest.call("sched_setaffinity", 0, size, guest.put(bytes(size)))
    with refused(errno.EINVAL):
        guest.call("sched_getaffinity", 0, word - 1, place)


def test_policy_and_priority(guest: Guest) -> None:
    values = guest.abi.constants("SchedPolicy").values
    assert guest.call("sched_getscheduler", 0) == os.sched_getscheduler(0)
    place = guest.struct("SchedParam", {"priority": 77})
    guest.call("sched_getparam", 0, place)
    assert guest.record("SchedParam", place)["priority"] == os.sched_getparam(0).sched_priority
    assert guest.call("sched_get_priority_max", values["SCHED_FIFO"]) == 99
    assert guest.call("sched_get_priority_min", values["SCHED_RR"]) == 1
    assert guest.call("sched_get_priority_max", values["SCHED_BATCH"]) == 0
    with refused(errno.EINVAL):
        guest.call("sched_get_priority_max", 50)


def test_attributes(guest: Guest) -> None:
    layout = guest.abi.layout("SchedAttr")
    place = guest.allot(layout.size)
    guest.call("sched_getattr", 0, place, layout.size, 0)
    found = guest.record("SchedAttr", place)
    assert (found["size"], found["nice"]) == (layout.size, os.getpriority(os.PRIO_PROCESS, 0))
    with refused(errno.EINVAL):
        guest.call("sched_getattr", 0, place, 40, 0)


def test_strangers_and_the_rest(guest: Guest) -> None:
    assert guest.call("sched_yield") == 0
    place = guest.struct("Timespec")
    guest.call("sched_rr_get_interval", 0, place)
    with pytest.raises(ProcessLookupError):
        guest.call("sched_getscheduler", 1)
    with refused(errno.EINVAL):
        guest.call("sched_getparam", -1, place)


def test_attributes_are_set(guest: Guest) -> None:
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    policy = guest.abi.constants("SchedPolicy").encode("SCHED_NORMAL")
    values = {"size": 48, "policy": policy, "nice": nice}
    assert guest.call("sched_setattr", 0, guest.struct("SchedAttr", values), 0) == 0
    assert os.getpriority(os.PRIO_PROCESS, 0) == nice
    for wrong, expected in (({"size": 20}, errno.E2BIG), ({"policy": 77}, errno.EINVAL), ({"flags": 2}, errno.EINVAL)):
        with refused(expected):
            guest.call("sched_setattr", 0, guest.struct("SchedAttr", values | wrong), 0)


def test_io_priority(guest: Guest) -> None:
    whose = guest.abi.constants("IoPriorityWho").values["IOPRIO_WHO_PROCESS"]
    before = guest.call("ioprio_get", whose, 0)
    guest.call("ioprio_set", whose, 0, 2 << 13 | 6)  # best effort, level 6
    assert guest.call("ioprio_get", whose, guest.process.pid) == 2 << 13 | 6
    guest.call("ioprio_set", whose, 0, before)
    with refused(errno.EINVAL):
        guest.call("ioprio_get", 99, 0)
    with refused(errno.ESRCH):
        guest.call("ioprio_get", whose, 1)
