"""AF_NETLINK: what programs learn about links, addresses and routes."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator

import pytest

from shims.linux.netlink_swap import attribute, swap
from tests.guests import FakeGuest

GETLINK, GETADDR, GETROUTE, NEWLINK, NEWADDR, SETLINK = 18, 22, 26, 16, 20, 19
REQUEST, ACK, DUMP = 1, 4, 0x300
ERROR, DONE = 2, 3


@pytest.fixture
def guest(fake_guest: FakeGuest) -> FakeGuest:
    return fake_guest


def ask(
    guest: FakeGuest, kind: int, flags: int, body: bytes, *, online: bool = False, protocol: int = 0
) -> list[tuple[int, int, bytes]]:
    """(type, flags, body) of all messages that come back."""
    guest.process.options.network = online
    order, room = guest.abi.cpu.order, guest.room(1 << 16)
    fd = guest.call("socket", "AF_NETLINK", "SOCK_RAW|SOCK_CLOEXEC", protocol)
    header = struct.pack(order + "IHHII", 16 + len(body), kind, REQUEST | flags, 7, 0)
    assert guest.call("write", fd, guest.put(header + body), 16 + len(body)) == 16 + len(body)
    found = list[tuple[int, int, bytes]]()
    while not guest.fails("recvfrom", fd, room, 1, "MSG_PEEK|MSG_DONTWAIT", 0, 0):
        size = guest.call("read", fd, room, 1 << 16)
        found += messages(guest, guest.read(room, size))
    guest.call("close", fd)  # the next one gets the same port
    return found


def messages(guest: FakeGuest, data: bytes) -> Iterator[tuple[int, int, bytes]]:
    while data:
        length, kind, flags, sequence, port = struct.unpack_from(guest.abi.cpu.order + "IHHII", data)
        assert (sequence, port) == (7, guest.process.pid)
        yield kind, flags, data[16:length]
        data = data[-(-length // 4) * 4 :]


def names(guest: FakeGuest, found: list[tuple[int, int, bytes]]) -> list[bytes]:
    """IFLA_IFNAME of each link."""
    return [attributes(guest, body[16:])[3].rstrip(b"\0") for kind, _, body in found if kind == NEWLINK]


def attributes(guest: FakeGuest, data: bytes) -> dict[int, bytes]:
    found = dict[int, bytes]()
    while data:
        size, kind = struct.unpack_from(guest.abi.cpu.order + "HH", data)
        found[kind] = data[4:size]
        data = data[-(-size // 4) * 4 :]
    return found


def code(guest: FakeGuest, found: list[tuple[int, int, bytes]]) -> str:
    """The error's name in the only message, NLMSG_ERROR."""
    ((kind, _, body),) = found
    assert kind == ERROR
    (number,) = struct.unpack_from(guest.abi.cpu.order + "i", body)
    return next((name for name, value in guest.abi.errors.items() if value == -number), "")


def test_a_machine_without_a_network(guest: FakeGuest) -> None:
    links = ask(guest, GETLINK, DUMP, bytes(16))
    assert [kind for kind, _, _ in links] == [NEWLINK, DONE]
    assert names(guest, links) == [b"lo"]
    family, hardware, index, flags = struct.unpack_from(guest.abi.cpu.order + "BxHiI", links[0][2])
    assert (family, hardware, index, flags) == (0, 772, 1, 8)
    for kind in (GETADDR, GETROUTE):
        assert [each[0] for each in ask(guest, kind, DUMP, bytes(1))] == [DONE]
    assert code(guest, ask(guest, GETROUTE, 0, bytes(12))) == "ENETUNREACH"
    assert code(guest, ask(guest, SETLINK, ACK, bytes(16))) == "EPERM"
    named = bytes(16) + attribute(guest.abi.cpu.order, 3, b"eth0\0")
    assert code(guest, ask(guest, GETLINK, 0, named)) == "ENODEV"


def test_the_hosts_network(guest: FakeGuest) -> None:
    links = ask(guest, GETLINK, DUMP, bytes(16), online=True)
    assert sorted(names(guest, links)) == sorted(os.fsencode(name) for _, name in socket.if_nameindex())
    assert links[-1][0] == DONE
    addresses = ask(guest, GETADDR, DUMP, bytes([2]), online=True)
    found = [attributes(guest, body[8:]) for kind, _, body in addresses if kind == NEWADDR]
    assert socket.inet_aton("127.0.0.1") in [each.get(2) for each in found]
    assert code(guest, ask(guest, SETLINK, ACK, bytes(16), online=True)) == "EPERM"
    unknown = struct.pack(guest.abi.cpu.order + "BxHiII", 0, 0, 99999, 0, 0)
    assert code(guest, ask(guest, GETLINK, 0, unknown, online=True)) == "ENODEV"


def test_names_of_the_socket(guest: FakeGuest) -> None:
    fd, layout = guest.call("socket", "AF_NETLINK", "SOCK_DGRAM", 0), guest.abi.layout("SockaddrNl")
    family = guest.abi.constants("AddressFamily").encode("AF_NETLINK")
    guest.call("bind", fd, guest.put(layout.pack({"family": family})), layout.size)
    place, size = guest.room(128), guest.put(struct.pack(guest.abi.cpu.order + "i", 128))
    guest.call("getsockname", fd, place, size)
    assert layout.unpack(guest.read(place, layout.size)) == {
        "family": family, "pad": 0, "pid": guest.process.pid, "groups": 0,
    }  # fmt: skip
    other = guest.put(layout.pack({"family": family, "pid": 1}))
    assert guest.fails("sendto", fd, guest.put(bytes(16)), 16, "", other, layout.size) == "ECONNREFUSED"
    assert guest.fails("bind", fd, place, 4) == "EINVAL"
    assert guest.fails("socket", "AF_NETLINK", "SOCK_STREAM", 0) == "ESOCKTNOSUPPORT"
    assert guest.fails("recvfrom", fd, place, 1, "MSG_DONTWAIT", 0, 0) == "EAGAIN"


@pytest.mark.parametrize(
    "data", [b"", b"\1", bytes(15), bytes(16), b"\xff" * 40, struct.pack("=IHHII", 4, 18, 1, 0, 0)]
)
def test_what_is_no_request(guest: FakeGuest, data: bytes) -> None:
    fd = guest.call("socket", "AF_NETLINK", "SOCK_RAW", 0)
    assert guest.call("sendto", fd, guest.put(data + bytes(1)), len(data), "", 0, 0) == len(data)
    assert guest.fails("recvfrom", fd, guest.room(1), 1, "MSG_DONTWAIT", 0, 0) == "EAGAIN"


def test_orders() -> None:
    little = struct.pack("<BxHiII", 1, 2, 3, 4, 5) + attribute("<", 3, b"eth0\0") + attribute("<", 4, b"\1\2\3\4")
    big = struct.pack(">BxHiII", 1, 2, 3, 4, 5) + attribute(">", 3, b"eth0\0") + attribute(">", 4, b"\4\3\2\1")
    assert swap(16, little, "<", ">") == big
    assert swap(16, big, ">", "<") == little
    assert swap(16, little + attribute("<", 999, b"?"), "<", ">") == big  # unknown: left out
    nested = bytes(12) + attribute("<", 8, attribute("<", 2, b"\1\0\0\0"))
    assert swap(24, nested, "<", ">")[12:] == attribute(">", 8, attribute(">", 2, b"\0\0\0\1"))


# --- sock_diag ---


def question(guest: FakeGuest, family: int = 2) -> bytes:
    """struct inet_diag_req_v2 for all listening sockets of TCP."""
    return struct.pack(guest.abi.cpu.order + "4BI48x", family, 6, 0, 0, 1 << 10)


def test_listening_sockets_of_the_hosts_network(guest: FakeGuest) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port, inode = server.getsockname()[1], os.fstat(server.fileno()).st_ino
        found = ask(guest, 20, DUMP, question(guest), online=True, protocol=4)
    assert found[-1][0] == DONE
    bodies = {int.from_bytes(body[4:6], "big"): body for kind, _, body in found if kind == 20}
    assert struct.unpack_from(guest.abi.cpu.order + "I", bodies[port], 68) == (inode,)
    assert bodies[port][8:12] == socket.inet_aton("127.0.0.1")
    assert code(guest, ask(guest, 20, DUMP, question(guest, 99), online=True, protocol=4)) in ("EINVAL", "ENOENT")


def test_no_sockets_without_a_network(guest: FakeGuest) -> None:
    with socket.create_server(("127.0.0.1", 0)):
        assert [kind for kind, _, _ in ask(guest, 20, DUMP, question(guest), protocol=4)] == [DONE]
    assert code(guest, ask(guest, 20, 0, question(guest), protocol=4)) == "ENOENT"


# --- events ---


@pytest.mark.parametrize("online", [False, True])
def test_groups(guest: FakeGuest, online: bool) -> None:
    guest.process.options.network = online
    fd, layout = guest.call("socket", "AF_NETLINK", "SOCK_RAW", 0), guest.abi.layout("SockaddrNl")
    family = guest.abi.constants("AddressFamily").encode("AF_NETLINK")
    guest.call("bind", fd, guest.put(layout.pack({"family": family, "groups": 0x11})), layout.size)
    value = guest.put(struct.pack(guest.abi.cpu.order + "i", 5))
    guest.call("setsockopt", fd, "SOL_NETLINK", "NETLINK_DROP_MEMBERSHIP", value, 4)
    place, size = guest.room(128), guest.put(struct.pack(guest.abi.cpu.order + "i", 128))
    guest.call("getsockname", fd, place, size)
    assert layout.unpack(guest.read(place, layout.size)).int("groups") == 1
    assert guest.fails("setsockopt", fd, "SOL_NETLINK", "NETLINK_ADD_MEMBERSHIP", guest.room(4), 4) == "EINVAL"


def capabilities() -> str:
    with open("/proc/self/status") as file:
        return next(line for line in file if line.startswith("CapEff"))


def test_the_hosts_kernel_sees_no_privileges(guest: FakeGuest) -> None:
    """RTM_NEWADDR would change the host, were the socket root's."""
    before, body = capabilities(), struct.pack(guest.abi.cpu.order + "BBBBI", 2, 32, 0, 0, 1)
    assert code(guest, ask(guest, NEWADDR, ACK, body, online=True)) == "EPERM"
    assert capabilities() == before
