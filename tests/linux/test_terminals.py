"""ioctl(2) on a pseudo-terminal: modes by name, whatever the guest's numbers are."""

from __future__ import annotations

import os
import termios
from collections.abc import Iterator

import pytest

from shims.posix.openfiles import OpenFile
from tests.guests import FakeGuest


@pytest.fixture
def guest(fake_guest: FakeGuest) -> FakeGuest:
    return fake_guest


@pytest.fixture
def terminal(guest: FakeGuest) -> Iterator[FakeGuest]:
    """Descriptor 0 is a terminal; the host holds its other side."""
    master, slave = os.openpty()
    guest.process.files.add(OpenFile(guest.host, slave))
    yield guest
    os.close(master)


def modes(guest: FakeGuest, address: int) -> dict[str, frozenset[str]]:
    record = guest.struct("Termios", address)
    kinds = {"iflag": "InputModes", "oflag": "OutputModes", "cflag": "ControlModes", "lflag": "LocalModes"}
    return {name: guest.abi.flags(kind).decode(record.int(name)) for name, kind in kinds.items()}


def native(guest: FakeGuest) -> list[object]:
    return termios.tcgetattr(guest.host_fd(0))


def test_modes_by_name(terminal: FakeGuest) -> None:
    room = terminal.room(80)
    terminal.call("ioctl", 0, "TCGETS", room)
    found = modes(terminal, room)
    assert found["iflag"] >= {"ICRNL", "IXON"}
    assert found["oflag"] >= {"OPOST", "ONLCR", "NL0"}
    assert found["cflag"] >= {"CS8", "CREAD", "B38400"}
    assert found["lflag"] >= {"ISIG", "ICANON", "ECHO", "IEXTEN"}
    characters = terminal.struct("Termios", room)["cc"]
    assert isinstance(characters, bytes)
    index = terminal.abi.constants("TermControl").values
    assert (characters[index["VINTR"]], characters[index["VEOF"]]) == (3, 4)


def test_raw_mode_and_back(terminal: FakeGuest) -> None:
    room = terminal.room(80)
    before = native(terminal)
    terminal.call("ioctl", 0, "TCGETS", room)
    saved = terminal.read(room, terminal.abi.layout("Termios").size)
    record = terminal.struct("Termios", room)
    local, control = terminal.abi.flags("LocalModes"), terminal.abi.flags("ControlModes")
    index = terminal.abi.constants("TermControl").values
    characters = bytearray(record["cc"])  # type: ignore[call-overload]
    characters[index["VMIN"]], characters[index["VTIME"]] = 3, 7
    changed = {
        **record,
        "lflag": record.int("lflag") & ~local.encode(["ICANON", "ECHO"]),
        "cflag": record.int("cflag") & ~control.values["CBAUD"] | control.encode(["B9600", "CSTOPB"]),
        "cc": bytes(characters),
    }
    terminal.call("ioctl", 0, "TCSETSW", terminal.put(terminal.abi.layout("Termios").pack(changed)))
    found = native(terminal)
    flags = found[3]
    assert isinstance(flags, int)
    assert not flags & (termios.ICANON | termios.ECHO)
    assert flags & termios.ISIG
    cflags, cc = found[2], found[6]
    assert isinstance(cflags, int)
    assert isinstance(cc, list)
    assert cflags & (termios.CSTOPB | termios.CSIZE) == termios.CSTOPB | termios.CS8
    assert found[5] == termios.B9600
    assert (cc[termios.VMIN], cc[termios.VTIME]) == (3, 7)
    terminal.call("ioctl", 0, "TCSETSF", terminal.put(saved))
    assert native(terminal) == before


def test_half_words_keep_the_upper_bits(terminal: FakeGuest) -> None:
    room = terminal.room(40)
    terminal.call("ioctl", 0, "TCGETA", room)
    before = native(terminal)
    terminal.call("ioctl", 0, "TCSETA", room)
    assert native(terminal) == before


def test_window_size(terminal: FakeGuest) -> None:
    terminal.call("ioctl", 0, "TIOCSWINSZ", terminal.pack("Winsize", row=30, col=90))
    room = terminal.room(8)
    terminal.call("ioctl", 0, "TIOCGWINSZ", room)
    assert terminal.struct("Winsize", room) == {"row": 30, "col": 90, "xpixel": 0, "ypixel": 0}
    assert terminal.fails("ioctl", 0, "TIOCGWINSZ", 8) == "EFAULT"


def test_not_a_terminal(guest: FakeGuest) -> None:
    fd = guest.open(b"/f", "O_RDWR|O_CREAT")
    room = guest.room(80)
    for command in ("TCGETS", "TCSETS", "TIOCGWINSZ", "TIOCGPGRP", "TIOCSCTTY", "TCFLSH"):
        assert guest.fails("ioctl", fd, command, room) == "ENOTTY", command
        assert guest.fails("ioctl", 99, command, room) == "EBADF", command
    assert guest.fails("ioctl", fd, 0x1234, 0) == "ENOTTY"
    assert guest.fails("ioctl", 99, 0x1234, 0) == "EBADF"


def test_typing_for_the_user_is_refused(terminal: FakeGuest) -> None:
    assert terminal.fails("ioctl", 0, "TIOCSTI", terminal.put(b"x")) == "EIO"
    assert terminal.fails("ioctl", 0, "TIOCSETD", terminal.put((3).to_bytes(4, terminal.abi.cpu.endian))) == "EINVAL"


def test_queues(terminal: FakeGuest) -> None:
    assert terminal.call("ioctl", 0, "TCFLSH", 2) == 0
    assert terminal.fails("ioctl", 0, "TCFLSH", 9) == "EINVAL"
    assert terminal.call("ioctl", 0, "TCSBRK", 1) == 0
    assert terminal.call("ioctl", 0, "TCXONC", 1) == 0


def test_any_file(guest: FakeGuest) -> None:
    guest.call("pipe2", guest.room(8), "")
    guest.call("write", 1, guest.put(b"abc"), 3)
    room = guest.room(4)
    guest.call("ioctl", 0, "FIONREAD", room)
    assert int.from_bytes(guest.read(room, 4), guest.abi.cpu.endian) == 3
    guest.call("ioctl", 0, "FIOCLEX")
    assert guest.call("fcntl", 0, "F_GETFD") == 1
    guest.call("ioctl", 0, "FIONCLEX")
    assert guest.call("fcntl", 0, "F_GETFD") == 0
    guest.call("ioctl", 0, "FIONBIO", guest.put((1).to_bytes(4, guest.abi.cpu.endian)))
    guest.call("read", 0, guest.room(3), 3)
    assert guest.fails("read", 0, guest.room(3), 3) == "EAGAIN"


def test_reading_a_terminal_waits(terminal: FakeGuest) -> None:
    wait = terminal.waits("read", 0, terminal.room(4), 4)
    assert list(wait.descriptors) == [terminal.host_fd(0)]
    assert terminal.call("write", 0, terminal.put(b"ok"), 2) == 2
