"""POSIX message queues: names are private to the run and are gone with it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from compat.sandbox.default import default_view
from compat.sandbox.synthetic import Directory
from shims.linux.queues import remove_queues
from shims.linux.state import QUEUES
from tests.linux.guest import Guest, refused


@pytest.fixture
def queues(guest: Guest, tmp_path: Path) -> Iterator[Guest]:
    guest.process.view = default_view(guest.process.host, cwd=bytes(tmp_path), proc=Directory({}), dev=Directory({}))
    try:
        yield guest
    finally:
        guest.process.view.close()


def make(guest: Guest, name: bytes) -> int:
    flags = guest.abi.flags("OpenFlags").encode(["O_RDWR", "O_CREAT", "O_NONBLOCK"])
    limits = guest.struct("MqAttr", {"maxmsg": 2, "msgsize": 8})
    try:
        return guest.call("mq_open", guest.put(name + b"\0"), flags, 0o600, limits)
    except OSError as error:
        if error.errno == errno.ENOSYS:
            pytest.skip("the host has no message queues")
        raise


def test_what_is_left_is_removed(queues: Guest) -> None:
    fd = make(queues, b"left")
    assert queues.process.view.private.has(QUEUES)
    assert queues.process.files.get(fd).path == b"/left"
    remove_queues(queues.process)
    with refused(errno.ENOENT):
        queues.call("mq_unlink", queues.put(b"left\0"))
    queues.call("close", fd)


def test_attributes_and_priorities(queues: Guest) -> None:
    fd = make(queues, b"q")
    queues.call("mq_timedsend", fd, queues.put(b"one"), 3, 7, 0)
    place = queues.allot(64)
    queues.call("mq_getsetattr", fd, 0, place)
    found = queues.record("MqAttr", place)
    nonblock = queues.abi.flags("OpenFlags").encode(["O_NONBLOCK"])
    assert [found[n] for n in ("flags", "maxmsg", "msgsize", "curmsgs")] == [nonblock, 2, 8, 1]
    priority = queues.word()
    assert queues.call("mq_timedreceive", fd, place, 8, priority, 0) == 3
    assert (queues.bytes_at(place, 3), queues.int_at(priority)) == (b"one", 7)
    with refused(errno.EAGAIN):
        queues.call("mq_timedreceive", fd, place, 8, 0, 0)
    queues.call("mq_unlink", queues.put(b"q\0"))
    queues.call("close", fd)


@pytest.mark.parametrize(
    ("name", "expected"),
    [(b"a/b", errno.EACCES), (b"", errno.ENOENT), (b"..", errno.EACCES), (b"x" * 250, errno.ENAMETOOLONG)],
)
def test_bad_names(queues: Guest, name: bytes, expected: int) -> None:
    with refused(expected):
        make(queues, name)
