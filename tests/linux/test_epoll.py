"""epoll sets: events carry the guest's data in the guest's struct."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator

import pytest

from compat.errors import Wait
from shims.posix.openfiles import OpenFile
from tests.linux.guest import Guest, refused

ADD, DEL, MOD = 1, 2, 3


class Pipe:
    """A pipe of the guest: *reader* is its descriptor, `feed` writes to it."""

    def __init__(self, guest: Guest) -> None:
        reader, self.writer = os.pipe()
        self.file = OpenFile(guest.thread.host, reader)
        self.reader = guest.process.files.add(self.file)

    def feed(self) -> None:
        os.write(self.writer, b"x")


def event(guest: Guest, names: list[str], data: bytes) -> int:
    return guest.struct("EpollEvent", {"events": guest.abi.flags("EpollEvents").encode(names), "data": data})


def wait(guest: Guest, epoll: int, timeout: int = 0) -> list[tuple[object, object]]:
    layout = guest.abi.layout("EpollEvent")
    place = guest.allot(4 * layout.size)
    count = guest.call("epoll_wait", epoll, place, 4, timeout)
    found = [guest.record("EpollEvent", place + k * layout.size) for k in range(count)]
    return [(each["events"], each["data"]) for each in found]


def test_events_carry_the_guests_data(guest: Guest) -> None:
    one, two, epoll = Pipe(guest), Pipe(guest), guest.call("epoll_create1", 0)
    for pipe, data in ((one, b"12345678"), (two, b"abcdefgh")):
        guest.call("epoll_ctl", epoll, ADD, pipe.reader, event(guest, ["EPOLLIN"], data))
    assert wait(guest, epoll) == []
    two.feed()
    assert wait(guest, epoll, -1) == [(1, b"abcdefgh")]
    guest.call("epoll_ctl", epoll, MOD, two.reader, event(guest, ["EPOLLIN", "EPOLLET"], b"ABCDEFGH"))
    assert wait(guest, epoll) == [(1, b"ABCDEFGH")]
    assert wait(guest, epoll) == []
    guest.call("epoll_ctl", epoll, DEL, one.reader, 0)
    one.feed()
    assert wait(guest, epoll) == []


@pytest.fixture
def many_files() -> Iterator[int]:
    """How many descriptors may be open, at least 1,500."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 1500:
        pytest.skip(f"the host lets a process have {hard} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1500), hard))
    yield 1500
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_thousands_at_once(guest: Guest, many_files: int) -> None:
    pipe, epoll, layout = Pipe(guest), guest.call("epoll_create1", 0), guest.abi.layout("EpollEvent")
    guest.process.files.limit = many_files
    for fd in [pipe.reader, *(guest.process.files.add(pipe.file) for _ in range(1200))]:
        guest.call("epoll_ctl", epoll, ADD, fd, event(guest, ["EPOLLIN"], b"12345678"))
    pipe.feed()
    place = guest.allot(1300 * layout.size)
    assert guest.call("epoll_wait", epoll, place, 1300, -1) == 1201
    pipe.file.close()


def test_nothing_has_happened(guest: Guest) -> None:
    epoll = guest.call("epoll_create", 1)
    place = guest.allot(64)
    with pytest.raises(Wait) as waited:
        guest.enter("epoll_wait", epoll, place, 1, -1)
    assert waited.value.descriptors == {guest.process.files.get(epoll).fd: 1}
    guest.thread.leave()
    assert guest.call("epoll_wait", epoll, place, 1, 5) == 0


def test_a_second_number_of_one_file(guest: Guest) -> None:
    pipe, epoll = Pipe(guest), guest.call("epoll_create1", 0)
    again = guest.process.files.add(pipe.file)
    for fd, data in ((pipe.reader, b"1" * 8), (again, b"2" * 8)):
        guest.call("epoll_ctl", epoll, ADD, fd, event(guest, ["EPOLLIN"], data))
    pipe.feed()
    assert sorted(data for _, data in wait(guest, epoll)) == [b"1" * 8, b"2" * 8]  # type: ignore[type-var]
    guest.call("epoll_ctl", epoll, DEL, again, 0)
    assert wait(guest, epoll) == [(1, b"1" * 8)]


def test_a_number_used_again_after_close(guest: Guest) -> None:
    pipe, epoll = Pipe(guest), guest.call("epoll_create1", 0)
    guest.call("epoll_ctl", epoll, ADD, pipe.reader, event(guest, ["EPOLLIN"], b"1" * 8))
    guest.process.files.close(pipe.reader)
    other = Pipe(guest)
    assert other.reader == pipe.reader
    guest.call("epoll_ctl", epoll, ADD, other.reader, event(guest, ["EPOLLIN"], b"2" * 8))
    other.feed()
    assert wait(guest, epoll) == [(1, b"2" * 8)]


def test_epoll_refuses(guest: Guest) -> None:
    pipe, epoll = Pipe(guest), guest.call("epoll_create1", 0)
    asked = event(guest, ["EPOLLIN"], bytes(8))
    regular = guest.process.files.add(OpenFile(guest.thread.host, os.open(__file__, os.O_RDONLY)))
    for arguments, expected in (
        ((epoll, ADD, 99, asked), errno.EBADF),
        ((99, ADD, pipe.reader, asked), errno.EBADF),
        ((pipe.reader, ADD, epoll, asked), errno.EINVAL),
        ((epoll, ADD, epoll, asked), errno.EINVAL),
        ((epoll, MOD, pipe.reader, asked), errno.ENOENT),
        ((epoll, DEL, pipe.reader, 0), errno.ENOENT),
        ((epoll, 9, pipe.reader, asked), errno.EINVAL),
        ((epoll, ADD, regular, asked), errno.EPERM),
        ((epoll, ADD, pipe.reader, 0), errno.EFAULT),
    ):
        with refused(expected):
            guest.call("epoll_ctl", *arguments)
    guest.call("epoll_ctl", epoll, ADD, pipe.reader, asked)
    with refused(errno.EEXIST):
        guest.call("epoll_ctl", epoll, ADD, pipe.reader, asked)
    for count in (0, -1):
        with refused(errno.EINVAL):
            guest.call("epoll_wait", epoll, guest.allot(16), count, 0)
    for name, argument in (("epoll_create", 0), ("epoll_create1", 1)):
        with refused(errno.EINVAL):
            guest.call(name, argument)
