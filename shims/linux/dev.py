"""The guest's /dev: devices that lead nowhere, the user's own terminal, and terminals that the guest makes itself."""

from __future__ import annotations

import errno
import os
import stat
import struct
from collections.abc import Mapping
from typing import Final

from compat.host import AT_FDCWD, Host
from compat.host.constants import LINUX
from compat.sandbox.synthetic import Device, Directory, Link, Node
from shims.linux.state import LinuxProcess

__all__ = ["Terminals", "dev_tree"]

_TIOCGPTN: Final = 0x80045430  # include/uapi/asm-generic/ioctls.h
_PTS_MAJORS: Final = range(136, 144)  # UNIX98_PTY_SLAVE_MAJOR and those after it


class Terminals:
    """The pseudo-terminals that a guest may open by name: the user's own, and those it made through /dev/ptmx."""

    def __init__(self) -> None:
        self._numbers: set[int] = set()

    def adopt(self, host: Host, fd: int) -> None:
        """Allow the terminal that *fd* is; anything else is ignored."""
        try:
            state = host.fstat(fd)
        except OSError:
            return
        if stat.S_ISCHR(state.st_mode) and os.major(state.st_rdev) in _PTS_MAJORS:
            self._numbers.add((os.major(state.st_rdev) - _PTS_MAJORS[0]) * 256 + os.minor(state.st_rdev))

    def made(self, host: Host, fd: int) -> None:
        """Allow the other end of the master at *fd*."""
        if LINUX:
            room = bytearray(4)
            host.ioctl(fd, _TIOCGPTN, room)
            self._numbers.add(struct.unpack("I", room)[0])

    def entries(self) -> Mapping[bytes, Node]:
        return {b"%d" % n: Terminal(n) for n in sorted(self._numbers)}


class Terminal(Device):
    """One end of a pseudo-terminal, which programs find by comparing its attributes with an open file's."""

    def __init__(self, number: int) -> None:
        super().__init__(b"/dev/pts/%d" % number, (_PTS_MAJORS[0], number), mode=0o620)
        self._owner = None  # the user's, as devpts has it

    def stat(self, host: Host) -> os.stat_result | None:
        try:
            return host.fstatat(AT_FDCWD, self.host_path, 0)
        except OSError:
            return None

    def chmod(self, host: Host, mode: int) -> None:
        host.fchmodat(AT_FDCWD, self.host_path, mode, 0)

    def chown(self, host: Host, owner: int, group: int) -> None:
        host.fchownat(AT_FDCWD, self.host_path, owner, group)


class Multiplexer(Device):
    """/dev/ptmx: each opening makes a terminal."""

    def __init__(self, terminals: Terminals) -> None:
        super().__init__(b"/dev/ptmx", (5, 2))
        self._terminals = terminals

    def open(self, host: Host, flags: int) -> int:
        fd = super().open(host, flags | os.O_NOCTTY)
        try:
            self._terminals.made(host, fd)
        except OSError:
            host.close(fd)
            raise
        return fd


class Full(Device):
    """/dev/full, which some hosts lack."""

    def open(self, host: Host, flags: int) -> int:
        try:
            return super().open(host, flags)
        except FileNotFoundError:
            raise OSError(errno.ENXIO, "the host has no /dev/full") from None


def dev_tree(process: LinuxProcess) -> Directory:
    """The tree at /dev."""
    terminals = Terminals()
    for number in (0, 1, 2):
        terminals.adopt(process.host, number)
    links = {
        b"fd": b"/proc/self/fd",
        b"stdin": b"/proc/self/fd/0",
        b"stdout": b"/proc/self/fd/1",
        b"stderr": b"/proc/self/fd/2",
    }
    devices: dict[bytes, Node] = {
        b"null": Device(b"/dev/null", (1, 3)),
        b"zero": Device(b"/dev/zero", (1, 5)),
        b"full": Full(b"/dev/full", (1, 7)),
        b"random": Device(b"/dev/random", (1, 8)),
        b"urandom": Device(b"/dev/urandom", (1, 9)),
        b"tty": Device(b"/dev/tty", (5, 0)),
        b"ptmx": Multiplexer(terminals),
        b"pts": Directory(lambda: {**terminals.entries(), b"ptmx": Multiplexer(terminals)}, mode=0o755),
        b"shm": Directory({}, mode=0o1777),
    }
    return Directory({**devices, **{name: Link(target) for name, target in links.items()}}, mode=0o755)
