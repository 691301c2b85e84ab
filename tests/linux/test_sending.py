"""Signals that a guest sends: to itself, to its threads, to its children, and to nobody else."""

from __future__ import annotations

import errno
import os
import signal

import pytest

from compat.host.tree import Relation
from shims.linux.state import LinuxThread
from tests.linux.guest import Guest, refused


def number(guest: Guest, name: str) -> int:
    return guest.abi.signals.encode(name)


def test_a_signal_to_oneself_waits_for_the_process(guest: Guest) -> None:
    usr1 = number(guest, "SIGUSR1")
    guest.call("kill", guest.process.pid, usr1)
    guest.call("kill", guest.process.pid, usr1)
    (pending,) = guest.process.pending
    assert (pending.number, pending.code) == (usr1, "SI_USER")
    assert pending.fields == {"pid": os.getpid(), "uid": os.getuid()}
    assert guest.process.attention


def test_real_time_signals_are_counted(guest: Guest) -> None:
    for _ in range(2):
        guest.call("kill", guest.process.pid, 40)
    assert len(guest.process.pending) == 2


def test_signal_0_only_asks(guest: Guest) -> None:
    assert guest.call("kill", guest.process.pid, 0) == 0
    assert not guest.process.pending


def test_threads(guest: Guest) -> None:
    other = LinuxThread(guest.process, 5000, guest.engine.copy_registers())
    guest.process.threads[5000] = other
    usr2 = number(guest, "SIGUSR2")
    guest.call("tgkill", guest.process.pid, 5000, usr2)
    guest.call("tkill", guest.process.pid, usr2)
    assert [p.code for p in other.pending] == [p.code for p in guest.thread.pending] == ["SI_TKILL"]
    assert not guest.process.pending


@pytest.mark.parametrize("cpu", ["x86-64", "mips"])
def test_children_receive_the_hosts_signal_of_that_name(make_guest: type[Guest], cpu: str) -> None:
    guest = make_guest(cpu)
    reader, writer = os.pipe()
    pid = guest.call("fork")
    if pid == 0:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    guest.call("kill", pid, number(guest, "SIGUSR1"))
    assert os.waitpid(pid, 0)[1] == signal.SIGUSR1
    os.close(reader)
    os.close(writer)


def test_grandchildren_are_kin(guest: Guest) -> None:
    reader, writer = os.pipe()
    hold, let_go = os.pipe()
    pid = guest.call("fork")
    if pid == 0:
        os.close(let_go)
        grandchild = os.fork()
        if grandchild == 0:
            os.read(hold, 1)
            os._exit(0)
        os.write(writer, str(grandchild).encode())
        os._exit(os.waitpid(grandchild, 0)[1])
    grandchild = int(os.read(reader, 20))
    guest.call("kill", grandchild, number(guest, "SIGTERM"))
    assert os.waitpid(pid, 0)[1] == signal.SIGTERM << 8
    for fd in (reader, writer, hold, let_go):
        os.close(fd)


@pytest.mark.parametrize("name", ["kill", "tkill"])
def test_strangers_do_not_exist(guest: Guest, name: str) -> None:
    for pid in (1, os.getppid()):
        with pytest.raises(ProcessLookupError):
            guest.call(name, pid, 0)
    with pytest.raises(ProcessLookupError):
        guest.call("tgkill", 1, 1, 0)


def test_a_group_means_only_kin(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[int, int]] = []
    own, group = guest.process.pid, os.getpgrp()
    kin = {own: Relation(1, group, 1), 500: Relation(own, group, 1), 501: Relation(own, 501, 1)}
    monkeypatch.setattr(guest.thread.host, "kill", lambda pid, number: sent.append((pid, number)))
    monkeypatch.setattr(guest.thread.host, "descendants", lambda root: kin)
    guest.call("kill", 0, number(guest, "SIGTERM"))
    assert sent == [(500, 15)]
    assert [p.number for p in guest.process.pending] == [15]
    guest.call("kill", -1, 9)
    guest.call("kill", -501, 1)
    assert sent[1:] == [(500, 9), (501, 9), (501, 1)]
    with pytest.raises(ProcessLookupError):
        guest.call("kill", -1 << 22, 15)


def test_a_member_that_ends_meanwhile_is_no_error(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(pid: int, number: int) -> None:
        if pid == 500:
            raise ProcessLookupError(errno.ESRCH, "gone")

    kin = {500: Relation(guest.process.pid, 600, 1), 501: Relation(guest.process.pid, 600, 1)}
    monkeypatch.setattr(guest.thread.host, "kill", gone)
    monkeypatch.setattr(guest.thread.host, "descendants", lambda root: kin)
    guest.call("kill", -600, 15)
    del kin[501]
    with pytest.raises(ProcessLookupError):
        guest.call("kill", -600, 15)


@pytest.mark.parametrize(
    ("name", "arguments"), [("kill", (1, 200)), ("tkill", (1, -1)), ("tkill", (0, 1)), ("tgkill", (0, 1, 1))]
)
def test_bad_numbers(guest: Guest, name: str, arguments: tuple[int, ...]) -> None:
    with refused(errno.EINVAL):
        guest.call(name, *arguments)


def test_a_signal_with_a_value(guest: Guest) -> None:
    code = guest.abi.constants("CodeGeneric").encode("SI_QUEUE")
    layout = guest.abi.layout("SiginfoQueue")
    info = guest.put(layout.pack({"head.code": code, "pid": 1, "uid": 2, "value": 0xABCD}).ljust(128, b"\0"))
    guest.call("rt_sigqueueinfo", guest.process.pid, 40, info)
    guest.call("rt_tgsigqueueinfo", guest.process.pid, guest.thread.id, 40, info)
    for queue in (guest.process.pending, guest.thread.pending):
        assert (queue[0].code, queue[0].fields["value"]) == ("SI_QUEUE", 0xABCD)
