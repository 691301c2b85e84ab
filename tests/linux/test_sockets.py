"""Sockets of Linux guests: AF_UNIX always, the Internet as on a machine without one, or the host's where granted."""

from __future__ import annotations

import os
import socket
import stat
import struct

import pytest

from tests.guests import FakeGuest


@pytest.fixture
def guest(fake_guest: FakeGuest) -> FakeGuest:
    return fake_guest


@pytest.fixture
def online(guest: FakeGuest) -> FakeGuest:
    guest.process.options.network = True
    return guest


def number(guest: FakeGuest, family: str) -> bytes:
    return struct.pack(guest.abi.cpu.order + "H", guest.abi.constants("AddressFamily").encode(family))


def unix(guest: FakeGuest, name: bytes) -> tuple[int, int]:
    """Address and size of a struct sockaddr_un."""
    raw = number(guest, "AF_UNIX") + name
    return guest.put(raw), len(raw)


def internet(guest: FakeGuest, address: str, port: int) -> tuple[int, int]:
    family = "AF_INET6" if ":" in address else "AF_INET"
    packed = socket.inet_pton(getattr(socket, family), address)
    raw = number(guest, family) + port.to_bytes(2, "big")
    raw += packed + bytes(8) if family == "AF_INET" else bytes(4) + packed + bytes(4)
    return guest.put(raw), len(raw)


def name_of(guest: FakeGuest, call: str, fd: int, room: int = 128) -> bytes:
    place, size = guest.room(128), guest.put(struct.pack(guest.abi.cpu.order + "i", room))
    guest.call(call, fd, place, size)
    (length,) = struct.unpack(guest.abi.cpu.order + "i", guest.read(size, 4))
    return guest.read(place, length)


def pair(guest: FakeGuest, type: str = "SOCK_STREAM") -> tuple[int, int]:
    place = guest.room(8)
    guest.call("socketpair", "AF_UNIX", type, 0, place)
    first, second = struct.unpack(guest.abi.cpu.order + "2i", guest.read(place, 8))
    return first, second


def listening(guest: FakeGuest, name: bytes) -> int:
    fd = guest.call("socket", "AF_UNIX", "SOCK_STREAM", 0)
    guest.call("bind", fd, *unix(guest, name))
    guest.call("listen", fd, 5)
    return fd


def option(guest: FakeGuest, fd: int, level: str, name: str) -> int:
    place, size = guest.room(4), guest.put(struct.pack(guest.abi.cpu.order + "i", 4))
    guest.call("getsockopt", fd, level, name, place, size)
    value: int = struct.unpack(guest.abi.cpu.order + "i", guest.read(place, 4))[0]
    return value


# --- AF_UNIX ---


def test_a_pair_carries_bytes_both_ways(guest: FakeGuest) -> None:
    first, second = pair(guest)
    room = guest.room(16)
    assert guest.call("write", first, guest.put(b"there"), 5) == 5
    assert guest.call("read", second, room, 16) == 5
    assert guest.read(room, 5) == b"there"
    assert guest.call("sendto", second, guest.put(b"back"), 4, "MSG_NOSIGNAL", 0, 0) == 4
    assert guest.call("recvfrom", first, room, 16, "MSG_PEEK", 0, 0) == 4
    assert guest.call("recvfrom", first, room, 2, "", 0, 0) == 2
    assert guest.call("recvfrom", first, room, 16, "MSG_DONTWAIT", 0, 0) == 2
    assert guest.fails("recvfrom", first, room, 16, "MSG_DONTWAIT", 0, 0) == "EAGAIN"


def test_a_pair_of_datagrams_keeps_their_borders(guest: FakeGuest) -> None:
    first, second = pair(guest, "SOCK_DGRAM")
    data, room = guest.put(bytes(9000)), guest.room(9000)
    assert guest.call("write", first, data, 9000) == 9000
    assert guest.call("write", first, data, 1) == 1
    assert guest.call("read", second, room, 9000) == 9000
    assert guest.call("read", second, room, 9000) == 1


def test_reading_waits_without_blocking_the_host(guest: FakeGuest) -> None:
    first, _ = pair(guest)
    room = guest.room(4)
    wait = guest.waits("read", first, room, 4)
    assert list(wait.descriptors) == [guest.host_fd(first)]
    assert guest.interrupted("read", wait, first, room, 4) == "sa_restart"


def test_nonblocking_and_cloexec(guest: FakeGuest) -> None:
    fd = guest.call("socket", "AF_UNIX", "SOCK_DGRAM|SOCK_NONBLOCK|SOCK_CLOEXEC", 0)
    assert not os.get_blocking(guest.host_fd(fd))
    assert guest.process.files.slot(fd).close_on_exec
    assert guest.fails("recvfrom", fd, guest.room(1), 1, "", 0, 0) == "EAGAIN"


def test_a_receive_timeout_ends_the_wait(guest: FakeGuest) -> None:
    first, _ = pair(guest)
    layout = guest.abi.layout("Timeval")
    value = guest.put(layout.pack({"usec": 1000}))
    guest.call("setsockopt", first, "SOL_SOCKET", "SO_RCVTIMEO_OLD", value, layout.size)
    assert guest.fails("read", first, guest.room(1), 1) == "EAGAIN"


def test_waitall_fills_the_buffer(guest: FakeGuest) -> None:
    first, second = pair(guest)
    room = guest.room(6)
    guest.call("write", second, guest.put(b"one"), 3)
    wait = guest.waits("recvfrom", first, room, 6, "MSG_WAITALL", 0, 0)
    guest.call("write", second, guest.put(b"two"), 3)
    assert guest.resumed("recvfrom", wait, first, room, 6, "MSG_WAITALL", 0, 0) == 6
    assert guest.read(room, 6) == b"onetwo"


@pytest.mark.parametrize(("flags", "pending"), [("", 1), ("MSG_NOSIGNAL", 0)])
def test_a_broken_stream_raises_sigpipe(guest: FakeGuest, flags: str, pending: int) -> None:
    first, second = pair(guest)
    guest.call("close", second)
    assert guest.fails("sendto", first, guest.put(b"x"), 1, flags, 0, 0) == "EPIPE"
    assert len(guest.thread.pending) == pending


def test_connecting_by_path(guest: FakeGuest) -> None:
    server = listening(guest, b"/door\0")
    assert stat.S_ISSOCK((guest.root / "door").stat().st_mode)
    client = guest.call("socket", "AF_UNIX", "SOCK_STREAM", 0)
    guest.call("connect", client, *unix(guest, b"/door\0"))
    place, size = guest.room(128), guest.put(struct.pack(guest.abi.cpu.order + "i", 128))
    accepted = guest.call("accept", server, place, size)
    assert struct.unpack(guest.abi.cpu.order + "i", guest.read(size, 4)) == (2,)
    assert name_of(guest, "getsockname", accepted) == number(guest, "AF_UNIX") + b"/door\0"
    assert name_of(guest, "getpeername", client) == number(guest, "AF_UNIX") + b"/door\0"
    assert guest.call("write", client, guest.put(b"hi"), 2) == 2
    assert guest.call("read", accepted, place, 9) == 2


def test_nobody_at_the_path(guest: FakeGuest) -> None:
    (guest.root / "file").write_bytes(b"")
    client = guest.call("socket", "AF_UNIX", "SOCK_STREAM", 0)
    assert guest.fails("connect", client, *unix(guest, b"/var/run/nscd/socket\0")) == "ENOENT"
    assert guest.fails("connect", client, *unix(guest, b"/file\0")) == "ECONNREFUSED"
    guest.call("close", listening(guest, b"/door\0"))
    assert guest.fails("connect", client, *unix(guest, b"/door\0")) == "ECONNREFUSED"
    assert guest.fails("bind", client, *unix(guest, b"/door\0")) == "EADDRINUSE"
    assert guest.fails("bind", client, *unix(guest, b"/none/door\0")) == "ENOENT"


def test_a_link_does_not_lead_out(guest: FakeGuest) -> None:
    outside = guest.root.parent / "outside"
    with socket.socket(socket.AF_UNIX) as host:
        host.bind(os.fspath(outside))
        host.listen()
        (guest.root / "link").symlink_to(outside)
        client = guest.call("socket", "AF_UNIX", "SOCK_STREAM", 0)
        assert guest.fails("connect", client, *unix(guest, b"/link\0")) == "ENOENT"
        assert guest.fails("bind", client, *unix(guest, b"/link\0")) == "EADDRINUSE"


def test_a_read_only_mount_is_no_way_out(guest: FakeGuest) -> None:
    guest.call("close", listening(guest, b"/door\0"))
    guest.view.mounts()[0].read_only = True
    client = guest.call("socket", "AF_UNIX", "SOCK_STREAM", 0)
    assert guest.fails("connect", client, *unix(guest, b"/door\0")) == "EACCES"
    assert guest.fails("bind", client, *unix(guest, b"/new\0")) == "EROFS"


def test_abstract_names_are_private(guest: FakeGuest) -> None:
    server = listening(guest, b"\0compat-test")
    with socket.socket(socket.AF_UNIX) as host, pytest.raises(ConnectionRefusedError):
        host.connect(b"\0compat-test")
    client = guest.call("socket", "AF_UNIX", "SOCK_STREAM", 0)
    guest.call("connect", client, *unix(guest, b"\0compat-test"))
    assert name_of(guest, "getsockname", server)[2:] == b"\0compat-test"
    assert name_of(guest, "getpeername", client)[2:] == b"\0compat-test"


def test_the_longest_abstract_name(guest: FakeGuest) -> None:
    name = b"\0" + b"h" * 107
    server = listening(guest, name)
    client = guest.call("socket", "AF_UNIX", "SOCK_STREAM", 0)
    guest.call("connect", client, *unix(guest, name))
    assert name_of(guest, "getpeername", client)[2:] == name
    assert name_of(guest, "getsockname", server)[2:] == name
    assert guest.fails("connect", client, *unix(guest, name + b"h")) == "EINVAL"


def test_the_system_chooses_a_name(guest: FakeGuest) -> None:
    fd = guest.call("socket", "AF_UNIX", "SOCK_DGRAM", 0)
    guest.call("bind", fd, *unix(guest, b""))
    name = name_of(guest, "getsockname", fd)
    assert name[2:3] == b"\0"
    assert len(name) == 8
    assert guest.fails("bind", fd, *unix(guest, b"")) == "EINVAL"


def test_datagrams_tell_who_sent_them(guest: FakeGuest) -> None:
    server, client = (guest.call("socket", "AF_UNIX", "SOCK_DGRAM", 0) for _ in range(2))
    guest.call("bind", server, *unix(guest, b"/server\0"))
    guest.call("bind", client, *unix(guest, b"/client\0"))
    assert guest.call("sendto", client, guest.put(b"x"), 1, "", *unix(guest, b"/server\0")) == 1
    place, size = guest.room(128), guest.put(struct.pack(guest.abi.cpu.order + "i", 128))
    assert guest.call("recvfrom", server, guest.room(1), 1, "", place, size) == 1
    assert guest.read(place, 10)[2:] == b"/client\0"


def test_messages_of_several_parts(guest: FakeGuest) -> None:
    first, second = pair(guest, "SOCK_SEQPACKET")
    vector = guest.iovec((guest.put(b"ab"), 2), (guest.put(b"cd"), 2))
    assert guest.call("sendmsg", first, guest.pack("Msghdr", iov=vector, iovlen=2), "") == 4
    room = guest.room(4)
    message = guest.pack("Msghdr", iov=guest.iovec((room, 1), (room + 1, 2)), iovlen=2)
    assert guest.call("recvmsg", second, message, "") == 3
    assert guest.read(room, 4) == b"abc\0"
    told = guest.struct("Msghdr", message).int("flags")
    assert "MSG_TRUNC" in guest.abi.flags("MessageFlags").decode(told)


def test_several_messages(guest: FakeGuest) -> None:
    first, second = pair(guest, "SOCK_DGRAM")
    layout = guest.abi.layout("Mmsghdr")
    vectors = [guest.iovec((guest.put(data), len(data))) for data in (b"one", b"three")]
    array = guest.put(b"".join(layout.pack({"hdr.iov": each, "hdr.iovlen": 1}) for each in vectors))
    assert guest.call("sendmmsg", first, array, 2, "") == 2
    assert [guest.struct("Mmsghdr", array + k * layout.size).int("len") for k in range(2)] == [3, 5]
    assert [guest.call("read", second, guest.room(8), 8) for _ in range(2)] == [3, 5]


def test_many_messages_come_at_once(guest: FakeGuest) -> None:
    first, second = pair(guest, "SOCK_DGRAM")
    layout, names = guest.abi.layout("Mmsghdr"), "recvmmsg_time64" if guest.abi.cpu.bits == 32 else "recvmmsg"
    array = guest.put(layout.pack({"hdr.iov": guest.iovec((guest.room(8), 8)), "hdr.iovlen": 1}) * 3)
    timeout = guest.abi.layout("Timespec64")
    patience = guest.put(timeout.pack({"sec": 5}))
    wait = guest.waits(names, second, array, 3, "", patience)
    guest.call("write", first, guest.put(b"one"), 3)
    assert guest.resumed(names, wait, second, array, 1, "", patience) == 1
    assert guest.struct("Mmsghdr", array).int("len") == 3
    left = timeout.unpack(guest.read(patience, timeout.size))
    assert (left.int("sec"), left.int("nsec") > 0) == (4, True)
    guest.call("write", first, guest.put(b"three"), 5)
    assert guest.call(names, second, array, 3, "MSG_WAITFORONE", 0) == 1
    assert guest.fails(names, second, array, 3, "MSG_DONTWAIT", 0) == "EAGAIN"
    guest.call("write", first, guest.put(b"late"), 4)
    assert guest.call(names, second, array, 3, "", guest.put(timeout.pack({}))) == 1
    assert guest.fails(names, second, array, 3, "", guest.put(timeout.pack({"sec": -1}))) == "EINVAL"


def test_the_size_of_a_message_that_was_cut(guest: FakeGuest) -> None:
    first, second = pair(guest, "SOCK_DGRAM")
    guest.call("write", first, guest.put(b"datagram"), 8)
    room = guest.room(8)
    assert guest.call("recvfrom", second, room, 2, "MSG_TRUNC", 0, 0) == 8
    assert guest.read(room, 4) == b"da\0\0"


def test_shutdown_ends_reading(guest: FakeGuest) -> None:
    first, second = pair(guest)
    guest.call("shutdown", first, "SHUT_WR")
    assert guest.call("read", second, guest.room(1), 1) == 0


# --- the Internet ---


@pytest.mark.parametrize(
    ("family", "address", "unreachable"),
    [("AF_INET", "127.0.0.1", "ENETUNREACH"), ("AF_INET6", "::1", "EADDRNOTAVAIL")],
)
def test_a_machine_without_a_network(guest: FakeGuest, family: str, address: str, unreachable: str) -> None:
    with socket.socket(getattr(socket, family)) as host:
        host.bind((address, 0))
        host.listen()
        there = internet(guest, address, host.getsockname()[1])
        stream = guest.call("socket", family, "SOCK_STREAM", 0)
        assert guest.fails("connect", stream, *there) == unreachable
        assert guest.fails("bind", stream, *there) == "EADDRNOTAVAIL"
        assert guest.fails("listen", stream, 1) == "EADDRNOTAVAIL"
        assert guest.fails("sendto", stream, guest.put(b"x"), 1, "", *there) == "EPIPE"
        assert guest.fails("sendto", stream, guest.put(b"x"), 1, "MSG_FASTOPEN", *there) == unreachable
    datagram = guest.call("socket", family, "SOCK_DGRAM", 0)
    assert guest.fails("connect", datagram, *there) == unreachable
    assert guest.fails("sendto", datagram, guest.put(b"x"), 1, "", *there) == unreachable
    assert guest.fails("write", datagram, guest.put(b"x"), 1) == "EDESTADDRREQ"
    guest.call("bind", datagram, *internet(guest, "::" if family == "AF_INET6" else "0.0.0.0", 0))
    assert int.from_bytes(name_of(guest, "getsockname", datagram)[2:4], "big") >= 32768
    for fd in (stream, datagram):
        assert not socket.socket(fileno=os.dup(guest.host_fd(fd))).getsockname()[1]


def test_families_that_are_not_there(guest: FakeGuest) -> None:
    assert guest.fails("socket", "AF_NETLINK", "SOCK_RAW", 9) == "EPROTONOSUPPORT"
    assert guest.fails("socket", "AF_X25", "SOCK_RAW", 0) == "EAFNOSUPPORT"
    assert guest.fails("socketpair", "AF_INET", "SOCK_STREAM", 0, guest.room(8)) == "EOPNOTSUPP"
    assert guest.fails("listen", guest.open(b"/"), 1) == "ENOTSOCK"


def test_a_connection_over_the_hosts_network(online: FakeGuest) -> None:
    guest = online
    server, client = (guest.call("socket", "AF_INET", "SOCK_STREAM", 0) for _ in range(2))
    guest.call("bind", server, *internet(guest, "127.0.0.1", 0))
    guest.call("listen", server, 1)
    port = int.from_bytes(name_of(guest, "getsockname", server)[2:4], "big")
    guest.call("connect", client, *internet(guest, "127.0.0.1", port))
    accepted = guest.call("accept4", server, 0, 0, "SOCK_CLOEXEC")
    assert name_of(guest, "getpeername", accepted) == name_of(guest, "getsockname", client)
    assert guest.call("sendto", client, guest.put(b"hi"), 2, "", 0, 0) == 2
    assert guest.call("read", accepted, guest.room(8), 8) == 2
    assert os.get_blocking(guest.host_fd(client))
    assert os.get_blocking(guest.host_fd(server))


def test_a_connection_that_is_refused(online: FakeGuest) -> None:
    with socket.socket() as host:
        host.bind(("127.0.0.1", 0))
        there = internet(online, "127.0.0.1", host.getsockname()[1])
        client = online.call("socket", "AF_INET", "SOCK_STREAM", 0)
        assert online.fails("connect", client, *there) == "ECONNREFUSED"


def test_datagrams_over_the_hosts_network(online: FakeGuest) -> None:
    guest = online
    server, client = (guest.call("socket", "AF_INET6", "SOCK_DGRAM", 0) for _ in range(2))
    guest.call("bind", server, *internet(guest, "::1", 0))
    port = int.from_bytes(name_of(guest, "getsockname", server)[2:4], "big")
    assert guest.call("sendto", client, guest.put(b"hello"), 5, "", *internet(guest, "::1", port)) == 5
    place, size = guest.room(128), guest.put(struct.pack(guest.abi.cpu.order + "i", 128))
    assert guest.call("recvfrom", server, guest.room(8), 8, "", place, size) == 5
    assert guest.read(place, 24)[8:] == socket.inet_pton(socket.AF_INET6, "::1")


# --- options ---


def test_options_by_name(guest: FakeGuest) -> None:
    fd = guest.call("socket", "AF_INET", "SOCK_STREAM", 0)
    one = guest.put(struct.pack(guest.abi.cpu.order + "i", 1))
    for level, name in (("SOL_SOCKET", "SO_REUSEADDR"), ("SOL_SOCKET", "SO_KEEPALIVE"), ("SOL_TCP", "TCP_NODELAY")):
        assert option(guest, fd, level, name) == 0
        guest.call("setsockopt", fd, level, name, one, 4)
        assert option(guest, fd, level, name) == 1
    assert option(guest, fd, "SOL_SOCKET", "SO_TYPE") == guest.abi.flags("SocketType").encode(["SOCK_STREAM"])
    assert option(guest, fd, "SOL_SOCKET", "SO_DOMAIN") == 2
    assert option(guest, fd, "SOL_SOCKET", "SO_PROTOCOL") == 6
    assert option(guest, fd, "SOL_SOCKET", "SO_ERROR") == 0
    assert guest.fails("setsockopt", fd, "SOL_SOCKET", "SO_REUSEADDR", one, 3) == "EINVAL"
    assert guest.fails("setsockopt", fd, "SOL_SOCKET", "SO_ATTACH_BPF", one, 4) == "ENOPROTOOPT"
    assert guest.fails("setsockopt", fd, "SOL_SOCKET", "SO_COOKIE", one, 4) == "ENOPROTOOPT"
    assert guest.fails("setsockopt", fd, "SOL_IP", "IP_ADD_MEMBERSHIP", one, 4) == "ENODEV"


def test_linger(guest: FakeGuest) -> None:
    fd = guest.call("socket", "AF_INET", "SOCK_STREAM", 0)
    guest.call("setsockopt", fd, "SOL_SOCKET", "SO_LINGER", guest.pack("Linger", onoff=1, linger=7), 8)
    place, size = guest.room(8), guest.put(struct.pack(guest.abi.cpu.order + "i", 8))
    guest.call("getsockopt", fd, "SOL_SOCKET", "SO_LINGER", place, size)
    assert guest.struct("Linger", place) == {"onoff": 1, "linger": 7}


def test_structured_options(online: FakeGuest) -> None:
    guest, order = online, online.abi.cpu.order
    stream, datagram = (guest.call("socket", "AF_INET", kind, 0) for kind in ("SOCK_STREAM", "SOCK_DGRAM"))
    value, size = guest.room(256), guest.put(struct.pack(order + "i", 256))
    guest.call("getsockopt", stream, "SOL_TCP", "TCP_INFO", value, size)
    (length,) = struct.unpack(order + "i", guest.read(size, 4))
    assert length >= 104
    assert guest.read(value, 1)[0] == 7  # TCP_CLOSE
    assert 0 < struct.unpack(order + "I", guest.read(value + 16, 4))[0] < 10000  # tcpi_snd_mss
    loopback = socket.inet_aton("127.0.0.1")
    guest.call("setsockopt", datagram, "SOL_IP", "IP_MULTICAST_IF", guest.put(loopback), 4)
    guest.call("getsockopt", datagram, "SOL_IP", "IP_MULTICAST_IF", value, guest.put(struct.pack(order + "i", 4)))
    assert guest.read(value, 4) == loopback
    group = guest.put(socket.inet_aton("224.0.0.251") + loopback)
    guest.call("setsockopt", datagram, "SOL_IP", "IP_ADD_MEMBERSHIP", group, 8)
    assert guest.fails("setsockopt", datagram, "SOL_IP", "IP_ADD_MEMBERSHIP", group, 8) == "EADDRINUSE"


# --- socketcall ---


@pytest.mark.parametrize("cpu", ["x86", "s390x", "ppc"])
def test_one_call_for_all(cpu: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    guest = FakeGuest(cpu, tmp_path_factory.mktemp("root"))

    def call(name: str, *words: int) -> int:
        codec = guest.abi.word_codec()
        return guest.call("socketcall", name, guest.put(b"".join(codec.pack(word) for word in words)))

    stream, ends = guest.abi.flags("SocketType").encode(["SOCK_STREAM"]), guest.room(8)
    server, client = call("SYS_SOCKET", 1, stream, 0), call("SYS_SOCKET", 1, stream, 0)
    call("SYS_BIND", server, *unix(guest, b"/door\0"))
    call("SYS_LISTEN", server, 1)
    call("SYS_CONNECT", client, *unix(guest, b"/door\0"))
    accepted = call("SYS_ACCEPT", server, 0, 0)
    assert call("SYS_SENDTO", client, guest.put(b"hi"), 2, 0, 0, 0) == 2
    assert call("SYS_RECV", accepted, guest.room(4), 4, 0) == 2
    call("SYS_SOCKETPAIR", 1, stream, 0, ends)
    assert guest.fails("socketcall", "SYS_SOCKETPAIR", guest.put(bytes(32))) == "EINVAL"
    guest.close()


# --- raw packets ---


def test_without_a_network_there_are_no_raw_packets(guest: FakeGuest) -> None:
    assert guest.fails("socket", "AF_INET", "SOCK_RAW", 1) == "EPERM"
    assert guest.fails("socket", "AF_PACKET", "SOCK_DGRAM", 0) == "EPERM"


needs_privilege = pytest.mark.skipif(os.geteuid() != 0, reason="raw packets want CAP_NET_RAW")


@needs_privilege
def test_a_raw_socket_hears_its_own_echo(online: FakeGuest) -> None:
    fd = online.call("socket", "AF_INET", "SOCK_RAW", 1)
    request = b"\x08\x00\xf7\xff\x00\x00\x00\x00"  # an echo request with its checksum
    online.call("sendto", fd, online.put(request), len(request), "", *internet(online, "127.0.0.1", 0))
    room = online.room(64)
    assert online.call("recvfrom", fd, room, 64, "", 0, 0) == 28
    assert online.read(room + 20, 8) == request


@needs_privilege
def test_a_packet_socket_tells_of_the_interface(online: FakeGuest) -> None:
    """The protocol is in network order in the call, the address and what comes back; all else in the CPU's."""
    order = online.abi.cpu.order
    (everything,) = struct.unpack(order + "H", b"\x08\x00")  # htons(ETH_P_IP)
    fd = online.call("socket", "AF_PACKET", "SOCK_DGRAM", everything)
    link = number(online, "AF_PACKET") + b"\x08\x00" + struct.pack(order + "iHBB8x", 1, 0, 0, 0)
    online.call("bind", fd, online.put(link), len(link))
    sender = online.call("socket", "AF_INET", "SOCK_DGRAM", 0)
    online.call("sendto", sender, online.put(b"x"), 1, "", *internet(online, "127.0.0.1", 9))
    room, place, size = online.room(64), online.room(32), online.put(struct.pack(order + "i", 32))
    online.call("recvfrom", fd, room, 64, "", place, size)
    assert online.read(place, 10) == link[:8] + struct.pack(order + "H", 772)  # ARPHRD_LOOPBACK
    assert name_of(online, "getsockname", fd)[:8] == link[:8]
