"""ioctl(2) on terminals and other open files."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import termios
from typing import Final

from compat.abi.flags import Constant, FlagSet
from compat.abi.handles import Pointer
from compat.abi.structs import Layout, Record
from compat.host import constants
from compat.sandbox.place import Opened
from shims.linux.state import LinuxThread
from shims.linux.termios import from_host, to_host
from shims.posix.names import open_file
from shims.posix.opening import host_flags, install

__all__ = [
    "clear_close_on_exec", "flow", "flush", "get_block_size", "get_discipline", "get_group", "get_lock",
    "get_modes", "get_number", "get_session", "get_size", "leave", "open_peer", "output_queue", "packet_mode",
    "readable", "send_break", "set_async", "set_blocking", "set_close_on_exec", "set_discipline", "set_exclusive",
    "set_group", "set_lock", "set_modes", "set_modes_drained", "set_modes_flushed", "set_shared", "set_size",
    "take",
]  # fmt: skip

_ACTIONS: Final = (termios.TCOOFF, termios.TCOON, termios.TCIOFF, termios.TCION)
_QUEUES: Final = (termios.TCIFLUSH, termios.TCOFLUSH, termios.TCIOFLUSH)


def _fd(thread: LinuxThread, fd: int) -> int:
    return open_file(thread, fd).fd


# --- modes ---


def get_modes(thread: LinuxThread, fd: int, cmd: Constant, modes: Pointer[Record]) -> None:
    """TCGETS, TCGETS2, TCGETA."""
    found = thread.host.tcgetattr(_fd(thread, fd))
    layout = modes.codec
    assert isinstance(layout, Layout)
    modes.write(from_host(thread.abi, found, layout))


def set_modes(thread: LinuxThread, fd: int, cmd: Constant, modes: Pointer[Record]) -> None:
    """TCSETS, TCSETS2, TCSETA."""
    _set_modes(thread, fd, modes, termios.TCSANOW)


def set_modes_drained(thread: LinuxThread, fd: int, cmd: Constant, modes: Pointer[Record]) -> None:
    """TCSETSW, TCSETSW2, TCSETAW."""
    _set_modes(thread, fd, modes, termios.TCSADRAIN)


def set_modes_flushed(thread: LinuxThread, fd: int, cmd: Constant, modes: Pointer[Record]) -> None:
    """TCSETSF, TCSETSF2, TCSETAF."""
    _set_modes(thread, fd, modes, termios.TCSAFLUSH)


def _set_modes(thread: LinuxThread, fd: int, modes: Pointer[Record], when: int) -> None:
    host_fd = _fd(thread, fd)
    old = thread.host.tcgetattr(host_fd)
    thread.host.tcsetattr(host_fd, when, to_host(thread.abi, modes.read(), old))


def send_break(thread: LinuxThread, fd: int, cmd: Constant, value: int) -> None:
    """TCSBRK, TCSBRKP: a break for 0, else wait until all output is sent."""
    host_fd = _fd(thread, fd)
    if cmd == "TCSBRK" and value:
        thread.host.tcdrain(host_fd)
    else:
        thread.host.tcsendbreak(host_fd, 0)


def flow(thread: LinuxThread, fd: int, cmd: Constant, action: int) -> None:
    """TCXONC."""
    thread.host.tcflow(_fd(thread, fd), _pick(thread, fd, _ACTIONS, action))


def flush(thread: LinuxThread, fd: int, cmd: Constant, queue: int) -> None:
    """TCFLSH."""
    thread.host.tcflush(_fd(thread, fd), _pick(thread, fd, _QUEUES, queue))


def _pick(thread: LinuxThread, fd: int, choices: tuple[int, ...], index: int) -> int:
    """ENOTTY before EINVAL."""
    thread.host.tcgetattr(_fd(thread, fd))
    if not 0 <= index < len(choices):
        raise OSError(errno.EINVAL, "arg")
    return choices[index]


# --- size, groups, the controlling terminal ---


def get_size(thread: LinuxThread, fd: int, cmd: Constant, size: Pointer[Record]) -> None:
    """TIOCGWINSZ."""
    room = bytearray(8)
    thread.host.ioctl(_fd(thread, fd), termios.TIOCGWINSZ, room)
    size.write(dict(zip(("row", "col", "xpixel", "ypixel"), struct.unpack("4H", room), strict=True)))


def set_size(thread: LinuxThread, fd: int, cmd: Constant, size: Pointer[Record]) -> None:
    """TIOCSWINSZ."""
    host_fd = _fd(thread, fd)
    record = size.read()
    numbers = [record.int(name) for name in ("row", "col", "xpixel", "ypixel")]
    thread.host.ioctl(host_fd, termios.TIOCSWINSZ, bytearray(struct.pack("4H", *numbers)))


def get_group(thread: LinuxThread, fd: int, cmd: Constant, group: Pointer[int]) -> None:
    """TIOCGPGRP."""
    _tell(group, thread.host.tcgetpgrp(_fd(thread, fd)))


def set_group(thread: LinuxThread, fd: int, cmd: Constant, group: Pointer[int]) -> None:
    """TIOCSPGRP."""
    host_fd = _fd(thread, fd)
    thread.host.tcgetattr(host_fd)
    thread.host.tcsetpgrp(host_fd, group.read())


def get_session(thread: LinuxThread, fd: int, cmd: Constant, session: Pointer[int]) -> None:
    """TIOCGSID."""
    _tell(session, _ask(thread, fd, constants.TIOCGSID))


def take(thread: LinuxThread, fd: int, cmd: Constant, steal: int) -> None:
    """TIOCSCTTY; nothing is ever stolen."""
    thread.host.ioctl(_fd(thread, fd), termios.TIOCSCTTY, 0)


def leave(thread: LinuxThread, fd: int, cmd: Constant) -> None:
    """TIOCNOTTY."""
    thread.host.ioctl(_fd(thread, fd), termios.TIOCNOTTY)


def set_exclusive(thread: LinuxThread, fd: int, cmd: Constant) -> None:
    """TIOCEXCL."""
    thread.host.ioctl(_fd(thread, fd), termios.TIOCEXCL)


def set_shared(thread: LinuxThread, fd: int, cmd: Constant) -> None:
    """TIOCNXCL."""
    thread.host.ioctl(_fd(thread, fd), termios.TIOCNXCL)


def get_discipline(thread: LinuxThread, fd: int, cmd: Constant, discipline: Pointer[int]) -> None:
    """TIOCGETD."""
    _tell(discipline, _ask(thread, fd, termios.TIOCGETD))


def set_discipline(thread: LinuxThread, fd: int, cmd: Constant, discipline: Pointer[int]) -> None:
    """TIOCSETD: the usual one (N_TTY) only; others would load drivers on the host."""
    thread.host.tcgetattr(_fd(thread, fd))
    if discipline.read() != 0:
        raise OSError(errno.EINVAL, "discipline")


def output_queue(thread: LinuxThread, fd: int, cmd: Constant, count: Pointer[int]) -> None:
    """TIOCOUTQ."""
    _tell(count, _ask(thread, fd, termios.TIOCOUTQ))


# --- pseudo-terminals ---


def get_number(thread: LinuxThread, fd: int, cmd: Constant, number: Pointer[int]) -> None:
    """TIOCGPTN."""
    _tell(number, _ask(thread, fd, constants.TIOCGPTN))


def get_lock(thread: LinuxThread, fd: int, cmd: Constant, locked: Pointer[int]) -> None:
    """TIOCGPTLCK."""
    _tell(locked, _ask(thread, fd, constants.TIOCGPTLCK))


def set_lock(thread: LinuxThread, fd: int, cmd: Constant, locked: Pointer[int]) -> None:
    """TIOCSPTLCK."""
    _say(thread, fd, constants.TIOCSPTLCK, locked)


def packet_mode(thread: LinuxThread, fd: int, cmd: Constant, on: Pointer[int]) -> None:
    """TIOCPKT."""
    _say(thread, fd, termios.TIOCPKT, on)


def open_peer(thread: LinuxThread, fd: int, cmd: Constant, flags: FlagSet) -> int:
    """TIOCGPTPEER."""
    file = open_file(thread, fd)
    thread.process.files.free_number()
    bits = host_flags(flags) | os.O_NOCTTY | os.O_CLOEXEC
    peer = thread.host.ioctl(file.fd, constants.TIOCGPTPEER, bits)
    return install(thread, Opened(peer, None, b"", None), flags | {"O_LARGEFILE"})


# --- any open file ---


def set_close_on_exec(thread: LinuxThread, fd: int, cmd: Constant) -> None:
    """FIOCLEX."""
    open_file(thread, fd)
    thread.process.files.slot(fd).close_on_exec = True


def clear_close_on_exec(thread: LinuxThread, fd: int, cmd: Constant) -> None:
    """FIONCLEX."""
    open_file(thread, fd)
    thread.process.files.slot(fd).close_on_exec = False


def set_blocking(thread: LinuxThread, fd: int, cmd: Constant, on: Pointer[int]) -> None:
    """FIONBIO."""
    host_fd = _fd(thread, fd)
    thread.host.set_blocking(host_fd, not on.read())


def set_async(thread: LinuxThread, fd: int, cmd: Constant, on: Pointer[int]) -> None:
    """FIOASYNC: as O_ASYNC; ENOTTY for a file that can't tell, as ioctl_fioasync()."""
    file = open_file(thread, fd)
    wanted, bits = bool(on.read()), thread.host.fcntl(file.fd, fcntl.F_GETFL)
    thread.host.fcntl(file.fd, fcntl.F_SETFL, bits | os.O_ASYNC if wanted else bits & ~os.O_ASYNC)
    told = bool(thread.host.fcntl(file.fd, fcntl.F_GETFL) & os.O_ASYNC)
    if told != wanted:
        raise OSError(errno.ENOTTY, "cmd")


def readable(thread: LinuxThread, fd: int, cmd: Constant, count: Pointer[int]) -> None:
    """FIONREAD."""
    _tell(count, _ask(thread, fd, termios.FIONREAD))


def get_block_size(thread: LinuxThread, fd: int, cmd: Constant, size: Pointer[int]) -> None:
    """FIGETBSZ."""
    _tell(size, thread.host.fstat(_fd(thread, fd)).st_blksize)


def _ask(thread: LinuxThread, fd: int, request: int) -> int:
    """The int that *request* tells."""
    room = bytearray(4)
    thread.host.ioctl(_fd(thread, fd), request, room)
    return int.from_bytes(room, "little", signed=True)


def _say(thread: LinuxThread, fd: int, request: int, value: Pointer[int]) -> None:
    host_fd = _fd(thread, fd)
    thread.host.ioctl(host_fd, request, bytearray(value.read().to_bytes(4, "little", signed=True)))


def _tell(target: Pointer[int], value: int) -> None:
    target.write(value)
