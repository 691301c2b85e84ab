"""poll, select and their forms with a signal mask."""

from __future__ import annotations

import os
import threading
import time

import pytest

from compat.errors import Interrupted
from shims.posix.state import Action
from tests.guests import FakeGuest


@pytest.fixture
def pipe(guest: FakeGuest) -> FakeGuest:
    """Descriptor 0 reads what 1 writes."""
    guest.call("pipe2", guest.room(8), "")
    return guest


def pollfds(guest: FakeGuest, *pairs: tuple[int, str]) -> int:
    kinds, layout = guest.abi.flags("PollEvents"), guest.abi.layout("Pollfd")
    packed = [layout.pack({"fd": fd, "events": kinds.encode(names.split("|")), "revents": 0}) for fd, names in pairs]
    return guest.put(b"".join(packed))


def revents(guest: FakeGuest, address: int, index: int) -> frozenset[str]:
    layout = guest.abi.layout("Pollfd")
    record = layout.unpack(guest.read(address + index * layout.size, layout.size))
    return guest.abi.flags("PollEvents").decode(record.int("revents"))


def test_poll(pipe: FakeGuest) -> None:
    fds = pollfds(pipe, (0, "POLLIN"), (1, "POLLOUT"), (-1, "POLLIN"), (77, "POLLIN"))
    assert pipe.call("poll", fds, 4, -1) == 2
    assert revents(pipe, fds, 0) == frozenset()
    assert "POLLOUT" in revents(pipe, fds, 1)
    assert revents(pipe, fds, 2) == frozenset()
    assert revents(pipe, fds, 3) == {"POLLNVAL"}
    pipe.call("write", 1, pipe.put(b"x"), 1)
    assert pipe.call("poll", fds, 1, 0) == 1
    pipe.call("close", 1)
    assert pipe.call("poll", fds, 1, 0) == 1
    assert revents(pipe, fds, 0) >= {"POLLIN", "POLLHUP"}


def test_poll_timeout(pipe: FakeGuest) -> None:
    fds = pollfds(pipe, (0, "POLLIN"))
    assert pipe.call("poll", fds, 1, 0) == 0
    start = time.monotonic()
    assert pipe.call("poll", fds, 1, 30) == 0
    assert time.monotonic() - start >= 0.03
    wait = pipe.waits("poll", fds, 1, -1)
    assert wait.until is None
    assert pipe.interrupted("poll", wait, fds, 1, -1) == "no_handler"
    threading.Timer(0.03, lambda: os.write(pipe.host_fd(1), b"x")).start()
    assert pipe.call("poll", fds, 1, -1) == 1


def test_poll_refusals(pipe: FakeGuest) -> None:
    assert pipe.fails("poll", 8, 1, 0) == "EFAULT"
    assert pipe.fails("poll", pipe.room(8), pipe.process.files.limit + 1, 0) == "EINVAL"
    assert pipe.call("poll", 0, 0, 0) == 0


def bits(guest: FakeGuest, *numbers: int) -> int:
    word = guest.abi.cpu.word
    words = [0] * (1024 // guest.abi.cpu.bits)
    for number in numbers:
        words[number // guest.abi.cpu.bits] |= 1 << number % guest.abi.cpu.bits
    return guest.put(b"".join(each.to_bytes(word, guest.abi.cpu.endian) for each in words))


def test_select(pipe: FakeGuest) -> None:
    name = "select" if pipe.abi.cpu.bits == 64 else "_newselect"
    pipe.call("dup2", 1, 70)
    readable, writable = bits(pipe, 0), bits(pipe, 1, 70)
    assert pipe.call(name, 71, readable, writable, 0, 0) == 2
    assert pipe.read(readable, 128) == bytes(128)
    assert pipe.read(writable, 128) == pipe.read(bits(pipe, 1, 70), 128)
    assert pipe.fails(name, 90, bits(pipe, 80), 0, 0, 0) == "EBADF"
    assert pipe.fails(name, -1, 0, 0, 0, 0) == "EINVAL"
    timeout = pipe.pack("Timeval", sec=0, usec=20_000)
    assert pipe.call(name, 1, bits(pipe, 0), 0, 0, timeout) == 0
    assert pipe.struct("Timeval", timeout) == {"sec": 0, "usec": 0}
    assert pipe.fails(name, 1, 0, 0, 0, pipe.pack("Timeval", sec=-1)) == "EINVAL"


def test_rest_of_the_timeout_comes_back(pipe: FakeGuest) -> None:
    timeout = pipe.pack("Timespec", sec=100)
    threading.Timer(0.02, lambda: os.write(pipe.host_fd(1), b"x")).start()
    assert pipe.call("pselect6", 1, bits(pipe, 0), 0, 0, timeout, 0) == 1
    assert 90 <= pipe.struct("Timespec", timeout).int("sec") <= 99


def mask_at(guest: FakeGuest, signal: str) -> int:
    number = guest.abi.signals.encode(signal) - 1
    words = [0] * (guest.abi.layout("Sigset").size // guest.abi.cpu.word)
    words[number // guest.abi.cpu.bits] = 1 << number % guest.abi.cpu.bits
    return guest.pack("Sigset", bits=tuple(words))


def test_mask_while_waiting(pipe: FakeGuest) -> None:
    usr1 = 1 << (pipe.abi.signals.encode("SIGUSR1") - 1)
    usr2 = 1 << (pipe.abi.signals.encode("SIGUSR2") - 1)
    pipe.thread.mask = usr1
    size = pipe.abi.layout("Sigset").size
    arguments = (pollfds(pipe, (0, "POLLIN")), 1, 0, mask_at(pipe, "SIGUSR2"), size)
    wait = pipe.waits("ppoll", *arguments)
    assert (pipe.thread.mask, pipe.thread.saved_mask) == (usr2, usr1)
    pipe.process.actions[1] = Action()
    with pytest.raises(Interrupted):
        pipe.resumed("ppoll", wait, *arguments)
    assert (pipe.thread.mask, pipe.thread.saved_mask) == (usr2, usr1), "delivery puts it back"


def test_mask_comes_back_without_a_signal(pipe: FakeGuest) -> None:
    pipe.thread.mask = 4
    size = pipe.abi.layout("Sigset").size
    argument = pipe.pack("SigsetArgument", set=mask_at(pipe, "SIGUSR2"), size=size)
    pipe.call("write", 1, pipe.put(b"x"), 1)
    assert pipe.call("pselect6", 1, bits(pipe, 0), 0, 0, 0, argument) == 1
    assert (pipe.thread.mask, pipe.thread.saved_mask) == (4, None)
    timeout = pipe.pack("Timespec", nsec=1000)
    assert pipe.call("ppoll", 0, 0, timeout, mask_at(pipe, "SIGUSR2"), size) == 0
    assert (pipe.thread.mask, pipe.thread.saved_mask) == (4, None)
    assert pipe.fails("ppoll", 8, 1, 0, mask_at(pipe, "SIGUSR2"), size) == "EFAULT"
    assert (pipe.thread.mask, pipe.thread.saved_mask) == (4, None)
    assert pipe.fails("ppoll", 0, 0, timeout, mask_at(pipe, "SIGUSR2"), size + 1) == "EINVAL"
    assert pipe.fails("ppoll", 0, 0, pipe.pack("Timespec", nsec=10**9), 0, 0) == "EINVAL"


def test_wide_time(pipe: FakeGuest) -> None:
    if pipe.abi.cpu.bits == 64:
        pytest.skip("no time64 calls on this CPU")
    timeout = pipe.pack("Timespec64", sec=0, nsec=1_000_000)
    assert pipe.call("ppoll_time64", pollfds(pipe, (0, "POLLIN")), 1, timeout, 0, 0) == 0
    assert pipe.call("pselect6_time64", 0, 0, 0, 0, pipe.pack("Timespec64"), 0) == 0
