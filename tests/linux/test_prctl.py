"""prctl, command by command."""

from __future__ import annotations

import errno
import signal

import pytest

from tests.linux.guest import Guest, refused


def prctl(guest: Guest, name: str, *arguments: int) -> int:
    number = guest.abi.constants("PrctlCmd").encode(name)
    return guest.call(f"prctl/{name}", number, *arguments)


def test_the_name_of_a_thread_has_15_bytes(guest: Guest) -> None:
    prctl(guest, "PR_SET_NAME", guest.put(b"abcdefghijklmnopqrst\0"))
    place = guest.put(b"\xff" * 16)
    prctl(guest, "PR_GET_NAME", place)
    assert guest.bytes_at(place, 16) == b"abcdefghijklmno\0"


def test_a_short_name_at_the_end_of_memory(guest: Guest) -> None:
    end = guest.process.memory.map(4096, 3) + 4096
    guest.process.memory.write(end - 3, b"ab\0")
    prctl(guest, "PR_SET_NAME", end - 3)
    assert guest.thread.name == b"ab"


@pytest.mark.parametrize("name", ["DUMPABLE", "KEEPCAPS"])
def test_switches(guest: Guest, name: str) -> None:
    guest.process.host.set_keep_capabilities = lambda wanted: None  # type: ignore[method-assign]
    for value in (0, 1):
        prctl(guest, f"PR_SET_{name}", value)
        assert prctl(guest, f"PR_GET_{name}") == value
    with refused(errno.EINVAL):
        prctl(guest, f"PR_SET_{name}", 2)


def test_nobody_gains_privileges_by_execve(guest: Guest) -> None:
    assert prctl(guest, "PR_GET_NO_NEW_PRIVS") == 1
    with refused(errno.EINVAL):
        prctl(guest, "PR_SET_NO_NEW_PRIVS", 0)
    prctl(guest, "PR_SET_NO_NEW_PRIVS", 1)
    assert prctl(guest, "PR_GET_NO_NEW_PRIVS") == 1


def test_timer_slack(guest: Guest) -> None:
    prctl(guest, "PR_SET_TIMERSLACK", 1000)
    assert prctl(guest, "PR_GET_TIMERSLACK") == 1000
    prctl(guest, "PR_SET_TIMERSLACK", 0)
    assert prctl(guest, "PR_GET_TIMERSLACK") == 50_000


def test_the_signal_of_a_parents_death(guest: Guest) -> None:
    number, place = guest.abi.signals.encode("SIGUSR1"), guest.word()
    asked: list[int] = []
    guest.thread.host.set_parent_death_signal = asked.append  # type: ignore[assignment, method-assign]
    prctl(guest, "PR_SET_PDEATHSIG", number)
    prctl(guest, "PR_GET_PDEATHSIG", place)
    assert guest.int_at(place) == number
    assert asked == [signal.SIGUSR1]
    with refused(errno.EINVAL):
        prctl(guest, "PR_SET_PDEATHSIG", 200)


def test_the_bounding_set_is_the_hosts_but_for_what_leads_out(guest: Guest) -> None:
    chown, admin = (guest.abi.constants("Capability").encode(name) for name in ("CAP_CHOWN", "CAP_SYS_ADMIN"))
    guest.process.host.in_bounding_set = {chown, admin}.__contains__  # type: ignore[method-assign]
    assert prctl(guest, "PR_CAPBSET_READ", chown) == 1
    assert prctl(guest, "PR_CAPBSET_READ", chown + 1) == 0
    assert prctl(guest, "PR_CAPBSET_READ", admin) == 0
    with refused(errno.EINVAL):
        prctl(guest, "PR_CAPBSET_READ", 99)


def test_named_memory(guest: Guest) -> None:
    memory = guest.process.memory
    start = memory.map(3 * 4096, 3)
    memory.write(start + 4096, b"kept")
    prctl(guest, "PR_SET_VMA", 0, start + 4096, 4096, guest.put(b"heap\0"))
    area = memory.areas.find(start + 4096)
    assert area is not None
    assert (area.name, area.start, area.end) == (b"[anon:heap]", start + 4096, start + 8192)
    assert memory.read(start + 4096, 4) == b"kept"
    for what, address, name in ((1, start, b"x"), (0, start + 1, b"x"), (0, start, b"a\nb"), (0, start, b"a" * 80)):
        with refused(errno.EINVAL):
            prctl(guest, "PR_SET_VMA", what, address, 4096, guest.put(name + b"\0"))


def test_the_auxiliary_vector(guest: Guest) -> None:
    guest.process.auxv = b"0123456789"
    place = guest.allot(16)
    assert prctl(guest, "PR_GET_AUXV", place, 4) == 10
    assert guest.bytes_at(place, 5) == b"0123\0"


def test_commands_that_need_privileges_or_do_not_exist_are_refused(guest: Guest) -> None:
    rows = guest.abi.tables
    assert (rows.rows["prctl"].state, rows.rows["prctl"].target) == ("refused", "EINVAL")
    assert rows.cases["prctl"]["PR_SET_MM"].target == "EPERM"
