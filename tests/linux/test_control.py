"""Control messages: what travels beside the data of a message."""

from __future__ import annotations

import os
import socket
import stat
import struct

import pytest

from tests.guests import FakeGuest
from tests.linux.test_sockets import internet, name_of, pair


@pytest.fixture
def guest(fake_guest: FakeGuest) -> FakeGuest:
    return fake_guest


def control(guest: FakeGuest, level: str, kind: int, data: bytes, *, length: int | None = None) -> bytes:
    layout, word = guest.abi.layout("Cmsghdr"), guest.abi.cpu.word
    number = guest.abi.constants("SocketLevel").encode(level)
    head = layout.pack({"len": layout.size + len(data) if length is None else length, "level": number, "type": kind})
    return (head + data).ljust(-(-(layout.size + len(data)) // word) * word, b"\0")


def integers(guest: FakeGuest, *values: int) -> bytes:
    return struct.pack(f"{guest.abi.cpu.order}{len(values)}i", *values)


def header(guest: FakeGuest, text: bytes, raw: bytes) -> int:
    vector = guest.iovec((guest.put(text), len(text)))
    return guest.pack("Msghdr", iov=vector, iovlen=1, control=guest.put(raw), controllen=len(raw))


def send(guest: FakeGuest, fd: int, *fds: int) -> int:
    return guest.call("sendmsg", fd, header(guest, b"x", control(guest, "SOL_SOCKET", 1, integers(guest, *fds))), "")


def take(guest: FakeGuest, fd: int, flags: str = "", room: int = 128) -> tuple[int, bytes]:
    """Type and data of the first control message that comes; (0, b"") for none."""
    layout, place = guest.abi.layout("Cmsghdr"), guest.room(128)
    message = guest.pack("Msghdr", iov=guest.iovec((guest.room(8), 8)), iovlen=1, control=place, controllen=room)
    guest.call("recvmsg", fd, message, flags)
    if not guest.struct("Msghdr", message).int("controllen"):
        return 0, b""
    found = layout.unpack(guest.read(place, layout.size))
    return found.int("type"), guest.read(place + layout.size, found.int("len") - layout.size)


def taken(guest: FakeGuest, fd: int, flags: str = "") -> int:
    """The descriptor that comes."""
    kind, data = take(guest, fd, flags)
    assert kind == 1
    (number,) = struct.unpack(guest.abi.cpu.order + "i", data)
    return int(number)


def forget(guest: FakeGuest, fd: int) -> None:
    """Let go of *fd* with a message under way, so that it arrives as from another process."""
    guest.call("close", fd)


def test_an_open_file_comes_back_as_itself(guest: FakeGuest) -> None:
    (guest.root / "file").write_bytes(b"content")
    first, second = pair(guest)
    fd = guest.open(b"/file")
    send(guest, first, fd)
    number = taken(guest, second, "MSG_CMSG_CLOEXEC")
    assert guest.process.files.get(number) is guest.process.files.get(fd)
    assert guest.process.files.slot(number).close_on_exec


def test_a_file_keeps_its_path_and_mount(guest: FakeGuest) -> None:
    (guest.root / "folder").mkdir()
    (guest.root / "folder" / "file").write_bytes(b"content")
    first, second = pair(guest)
    folder = guest.open(b"/folder", "O_RDONLY|O_DIRECTORY")
    send(guest, first, folder)
    forget(guest, folder)
    file = guest.process.files.get(taken(guest, second))
    assert (file.path, file.is_directory) == (b"/folder", True)
    assert file.opened.mount is guest.view.mounts()[0]
    with guest.view.resolve(b"../folder/file", file.opened) as place:
        assert stat.S_ISREG(place.stat().st_mode)


def test_a_file_of_nobody_has_no_path(guest: FakeGuest) -> None:
    first, second = pair(guest)
    outside = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    socket.send_fds(socket.socket(fileno=os.dup(guest.host_fd(first))), [b"x"], [outside])
    os.close(outside)
    file = guest.process.files.get(taken(guest, second))
    assert (file.path, file.opened.mount) == (b"", None)
    with pytest.raises(NotADirectoryError):  # no way into the host's files
        guest.view.resolve(b"etc", file.opened)


@pytest.mark.parametrize("call", [("eventfd2", 4, ""), ("epoll_create1", ""), ("socket", "AF_INET", "SOCK_STREAM", 0)])
def test_kinds_are_recognized(guest: FakeGuest, call: tuple[str, *tuple[str | int, ...]]) -> None:
    first, second = pair(guest)
    fd = guest.call(*call)
    kind = guest.process.files.get(fd).kind
    send(guest, first, fd)
    forget(guest, fd)
    found = guest.process.files.get(taken(guest, second)).kind
    assert type(found) is type(kind)
    assert getattr(found, "isolated", None) == getattr(kind, "isolated", None)


def test_what_is_no_control_message(guest: FakeGuest) -> None:
    first, _ = pair(guest)
    own = integers(guest, first)
    for raw, error in (
        (control(guest, "SOL_SOCKET", 1, own, length=4), "EINVAL"),
        (control(guest, "SOL_SOCKET", 1, own, length=999), "EINVAL"),
        (control(guest, "SOL_SOCKET", 77, own), "EINVAL"),
        (control(guest, "SOL_SOCKET", 1, integers(guest, 999)), "EBADF"),
        (control(guest, "SOL_SOCKET", 1, own * 254), "EINVAL"),
        (control(guest, "SOL_SOCKET", 2, integers(guest, 1, 0, 0)), "EPERM"),
        (control(guest, "SOL_SOCKET", 2, integers(guest, 1)), "EINVAL"),
        (bytes(1 << 18), "ENOBUFS"),
    ):
        assert guest.fails("sendmsg", first, header(guest, b"x", raw), "") == error, raw[:40]


def test_no_number_is_free(guest: FakeGuest) -> None:
    first, second = pair(guest)
    guest.process.files.limit = second + 2
    send(guest, first, first, first)
    before = len(os.listdir("/proc/self/fd"))
    kind, data = take(guest, second)
    assert (kind, len(data)) == (1, 4)
    assert len(os.listdir("/proc/self/fd")) == before


def test_credentials_of_the_own_process(guest: FakeGuest) -> None:
    first, second = pair(guest)
    guest.call("setsockopt", second, "SOL_SOCKET", "SO_PASSCRED", guest.put(integers(guest, 1)), 4)
    guest.call("write", first, guest.put(b"x"), 1)
    assert take(guest, second) == (2, integers(guest, os.getpid(), os.getuid(), os.getgid()))


def test_a_stranger_has_no_pid(guest: FakeGuest) -> None:
    first, _ = pair(guest)
    guest.process.root_pid = guest.process.pid = -1  # so that this process is none of the guest's
    place, size = guest.room(12), guest.put(integers(guest, 12))
    guest.call("getsockopt", first, "SOL_SOCKET", "SO_PEERCRED", place, size)
    assert guest.read(place, 12) == integers(guest, 0, os.getuid(), os.getgid())


def test_packet_information(guest: FakeGuest) -> None:
    guest.process.options.network = True
    server, client = (guest.call("socket", "AF_INET", "SOCK_DGRAM", 0) for _ in range(2))
    guest.call("bind", server, *internet(guest, "127.0.0.1", 0))
    port = int.from_bytes(name_of(guest, "getsockname", server)[2:4], "big")
    guest.call("setsockopt", server, "SOL_IP", "IP_PKTINFO", guest.put(integers(guest, 1)), 4)
    guest.call("sendto", client, guest.put(b"x"), 1, "", *internet(guest, "127.0.0.1", port))
    kind, data = take(guest, server)
    assert (kind, data[:4]) == (guest.abi.constants("IpOption").encode("IP_PKTINFO"), integers(guest, 1))
    assert data[8:] == socket.inet_aton("127.0.0.1")


def test_the_time_of_a_message(guest: FakeGuest) -> None:
    first, second = pair(guest, "SOCK_DGRAM")
    for option, name in (("SO_TIMESTAMP_OLD", "Timeval"), ("SO_TIMESTAMPNS_NEW", "Timespec64")):
        guest.call("setsockopt", second, "SOL_SOCKET", option, guest.put(integers(guest, 1)), 4)
        guest.call("write", first, guest.put(b"x"), 1)
        kind, data = take(guest, second)
        assert kind == guest.abi.constants("SocketOption").encode(option)
        assert guest.abi.layout(name).unpack(data).int("sec") > 1_500_000_000


def test_a_file_that_only_this_process_knows(guest: FakeGuest) -> None:
    first, _ = pair(guest)
    netlink = guest.call("socket", "AF_NETLINK", "SOCK_RAW", 0)
    raw = control(guest, "SOL_SOCKET", 1, integers(guest, netlink))
    assert guest.fails("sendmsg", first, header(guest, b"x", raw), "") == "EOPNOTSUPP"
