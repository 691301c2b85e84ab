"""ioctl on sockets: a loopback interface that is down, or the host's interfaces where the network was granted."""

from __future__ import annotations

import os
import socket
import struct

import pytest

from tests.guests import FakeGuest
from tests.linux.test_sockets import internet, name_of, pair


@pytest.fixture
def guest(fake_guest: FakeGuest) -> FakeGuest:
    return fake_guest


def ask(guest: FakeGuest, fd: int, command: str, name: bytes = b"lo", value: bytes = b"") -> bytes:
    layout = guest.abi.layout("Ifreq")
    place = guest.put(layout.pack({"name": name, "value": value}))
    guest.call("ioctl", fd, command, place)
    return guest.read(place, 32)


def number(guest: FakeGuest, raw: bytes, form: str = "i") -> int:
    (found,) = struct.unpack_from(guest.abi.cpu.order + form, raw, 16)
    return int(found)


def test_a_machine_without_a_network(guest: FakeGuest) -> None:
    fd = guest.call("socket", "AF_INET", "SOCK_DGRAM", 0)
    assert number(guest, ask(guest, fd, "SIOCGIFINDEX")) == 1
    assert number(guest, ask(guest, fd, "SIOCGIFFLAGS"), "H") == 8  # IFF_LOOPBACK and not IFF_UP
    assert ask(guest, fd, "SIOCGIFNAME", value=struct.pack(guest.abi.cpu.order + "i", 1))[:3] == b"lo\0"
    place = guest.put(guest.abi.layout("Ifreq").pack({"name": b"eth0"}))
    assert guest.fails("ioctl", fd, "SIOCGIFINDEX", place) == "ENODEV"
    loopback = guest.put(guest.abi.layout("Ifreq").pack({"name": b"lo"}))
    assert guest.fails("ioctl", fd, "SIOCGIFADDR", loopback) == "EADDRNOTAVAIL"
    assert guest.fails("ioctl", guest.open(b"/"), "SIOCGIFINDEX", place) == "ENOTTY"
    conf = guest.pack("Ifconf", len=400, buf=guest.room(400))
    guest.call("ioctl", fd, "SIOCGIFCONF", conf)
    assert guest.struct("Ifconf", conf).int("len") == 0


def test_the_hosts_interfaces(guest: FakeGuest) -> None:
    guest.process.options.network = True
    fd = guest.call("socket", "AF_INET", "SOCK_DGRAM", 0)
    assert number(guest, ask(guest, fd, "SIOCGIFINDEX")) == socket.if_nametoindex("lo")
    room, layout = guest.room(4000), guest.abi.layout("Ifreq")
    conf = guest.pack("Ifconf", len=4000, buf=room)
    guest.call("ioctl", fd, "SIOCGIFCONF", conf)
    size = guest.struct("Ifconf", conf).int("len")
    raw = guest.read(room, size)
    found = [layout.unpack(raw[k : k + layout.size]) for k in range(0, size, layout.size)]
    family = struct.pack(guest.abi.cpu.order + "H", 2)
    loopback = family + bytes(2) + socket.inet_aton("127.0.0.1") + bytes(8)
    assert any(each["name"] == b"lo".ljust(16, b"\0") and each["value"] == loopback for each in found)


def test_the_socket_itself(guest: FakeGuest) -> None:
    first, second = pair(guest)
    guest.call("write", first, guest.put(b"four"), 4)
    place = guest.room(4)
    guest.call("ioctl", second, "FIONREAD", place)
    assert struct.unpack(guest.abi.cpu.order + "i", guest.read(place, 4)) == (4,)


def test_the_owner_of_a_socket(guest: FakeGuest) -> None:
    fd, _ = pair(guest)
    pid = struct.pack(guest.abi.cpu.order + "i", os.getpid())
    guest.call("ioctl", fd, "SIOCSPGRP", guest.put(pid))
    assert guest.call("fcntl", fd, "F_GETOWN") == os.getpid()
    assert guest.fails("fcntl", fd, "F_SETOWN", 1) == "ESRCH"
    guest.call("ioctl", fd, "FIOASYNC", guest.put(struct.pack(guest.abi.cpu.order + "i", 1)))
    assert guest.call("fcntl", fd, "F_GETFL") & guest.abi.flags("OpenFlags").values["O_ASYNC"]


def test_the_time_of_the_last_packet(guest: FakeGuest) -> None:
    guest.process.options.network = True
    server, client = (guest.call("socket", "AF_INET", "SOCK_DGRAM", 0) for _ in range(2))
    place = guest.room(32)
    assert guest.fails("ioctl", server, "SIOCGSTAMP_NEW", place) == "ENOENT"
    guest.call("bind", server, *internet(guest, "127.0.0.1", 0))
    port = int.from_bytes(name_of(guest, "getsockname", server)[2:4], "big")
    for _ in range(2):  # the first question asks the host to keep the time
        guest.call("sendto", client, guest.put(b"x"), 1, "", *internet(guest, "127.0.0.1", port))
        guest.call("recvfrom", server, guest.room(8), 8, "", 0, 0)
    for request, name in (("SIOCGSTAMP_OLD", "Timeval"), ("SIOCGSTAMPNS_NEW", "Timespec64")):
        guest.call("ioctl", server, request, place)
        assert guest.struct(name, place).int("sec") > 1_500_000_000


def test_what_would_change_the_host(guest: FakeGuest) -> None:
    fd = guest.call("socket", "AF_INET", "SOCK_DGRAM", 0)
    for request in ("SIOCADDRT", "SIOCSARP", "SIOCDARP"):
        assert guest.fails("ioctl", fd, request, 0) == "EPERM"
    assert guest.fails("ioctl", fd, "SIOCETHTOOL", 0) == "EOPNOTSUPP"
