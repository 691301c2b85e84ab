"""What an open socket is: its family and type by name, what it is called, whether packets may leave it."""

from __future__ import annotations

import errno
import os
import select
import socket as host_names
import stat
import struct
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fcntl import F_GETFL, F_SETFL
from typing import Final, NoReturn

from compat.data import dataclass
from compat.errors import Restart
from compat.host import ControlMessage, Received
from shims.posix.names import open_file
from shims.posix.openfiles import OpenFile, SpecialFile
from shims.posix.sending import queue_for_thread, sender
from shims.posix.state import Pending, PosixThread
from shims.posix.transfers import Progress, nonblocking, skip

__all__ = [
    "FAMILIES", "HOST_TIME", "LONGEST_MESSAGE", "NOWAIT", "TYPES", "Paused", "PrivateSocket", "Socket", "find_socket",
    "has_network", "is_connected", "no_way", "nonblocking_host", "pause", "recognize_socket", "scatter", "transmit",
]  # fmt: skip

FAMILIES: Final[dict[str, int]] = {
    name: getattr(host_names, name)
    for name in ("AF_UNIX", "AF_INET", "AF_INET6", "AF_PACKET")
    if hasattr(host_names, name)
}
TYPES: Final[dict[str, int]] = {
    name: getattr(host_names, name) for name in ("SOCK_STREAM", "SOCK_DGRAM", "SOCK_SEQPACKET", "SOCK_RAW")
}
HOST_TIME: Final = struct.Struct("@2l")  # struct timeval
_CLOSE_ON_EXEC: Final[int] = getattr(host_names, "MSG_CMSG_CLOEXEC", 0)  # packet(7) does not take it
_SO_PROTOCOL: Final = 38  # asm-generic/socket.h
_SO_DOMAIN: Final = 39
LONGEST_MESSAGE: Final = 1 << 20  # most bytes that one host call moves
_TRY_AGAIN: Final = 0.02  # seconds; no event tells that another socket's queue has room
NOWAIT: Final = host_names.MSG_DONTWAIT | getattr(host_names, "MSG_NOSIGNAL", 0)


@dataclass(frozen=True)
class Paused(Progress):
    """Kept while a call on a socket waits: *until* is SO_RCVTIMEO's or SO_SNDTIMEO's end, a time.monotonic() value,
    *control* what has come along already."""

    until: float | None
    control: tuple[ControlMessage, ...] = ()


class Socket(SpecialFile):
    """*family* and *type* are names (AF_UNIX, SOCK_STREAM), *protocol* is a number. *name* is the guest's struct
    sockaddr that it was bound to. *isolated* marks an Internet socket on a machine without a network: its host socket
    is never bound, connected or given an address, so that no packet can leave it. *stamp* and *stamping* are
    the options that asked for the time of each message, or ""."""

    travels = True

    def __init__(self, family: str, type: str, protocol: int, *, isolated: bool = False, name: bytes = b"") -> None:
        self.family = family
        self.type = type
        self.protocol = protocol
        self.isolated = isolated
        self.spliceable = not isolated
        self.name = name
        self.stamp = ""
        self.stamping = ""

    def read(self, thread: PosixThread, file: OpenFile, views: list[memoryview]) -> int:
        room = min(sum(map(len, views)), LONGEST_MESSAGE)
        try:
            data = self.receive(thread, file, room, 0, 0).data
        except BlockingIOError:
            pause(thread, file, reading=True)
        scatter(views, data)
        return len(data)

    def receive(self, thread: PosixThread, file: OpenFile, room: int, flags: int, beside: int) -> Received:
        """What the host has now, up to *room* bytes and *beside* of control messages; *flags* are the host's."""
        flags |= host_names.MSG_DONTWAIT | (_CLOSE_ON_EXEC if self.family == "AF_UNIX" else 0)
        return thread.host.recvmsg(file.fd, room, flags, beside)

    def write(self, thread: PosixThread, file: OpenFile, views: list[memoryview]) -> int:
        return transmit(thread, file, self, views)


class PrivateSocket(Socket):
    """A socket whose other end is this program itself: it has the calls that reach there. Names are the guest's struct
    sockaddr; errors are those of the calls."""

    travels = False

    def write(self, thread: PosixThread, file: OpenFile, views: list[memoryview]) -> int:
        return self.send(thread, b"".join(views), b"")

    def bind(self, thread: PosixThread, raw: bytes) -> None:
        raise NotImplementedError

    def connect(self, thread: PosixThread, raw: bytes) -> None:
        raise NotImplementedError

    def own_name(self, thread: PosixThread) -> bytes:
        raise NotImplementedError

    def peer_name(self, thread: PosixThread) -> bytes:
        raise NotImplementedError

    def name_from(self, thread: PosixThread, host: bytes) -> bytes:
        """The sender of a message, for its address on the *host*."""
        return self.peer_name(thread)

    def set_option(self, thread: PosixThread, name: str, value: int) -> None:
        """Set an option of the family's own level; raises OSError ENOPROTOOPT."""
        raise OSError(errno.ENOPROTOOPT, f"option {name}")

    def send(self, thread: PosixThread, data: bytes, raw: bytes) -> int:
        """Take *data* for the name *raw*, or for the peer where that is empty."""
        raise NotImplementedError


def scatter(views: list[memoryview], data: bytes) -> None:
    """Fill *views* from *data*, which fits."""
    place = 0
    for view in views:
        piece = data[place : place + len(view)]
        view[: len(piece)] = piece
        place += len(piece)


def transmit(
    thread: PosixThread,
    file: OpenFile,
    kind: Socket,
    views: list[memoryview],
    flags: int = 0,
    *,
    address: bytes = b"",
    control: Sequence[ControlMessage] = (),
    patient: bool = True,
    quiet: bool = False,
) -> int:
    """Send *views*; a stream takes all of them in the end. *flags*, *address* and *control* are the host's.

    Not *patient*: as with MSG_DONTWAIT. *quiet*: no SIGPIPE. Returns bytes sent; *views*, *flags* and *address* must
    be the same when the call is entered again after a wait.
    """
    stream = kind.type == "SOCK_STREAM"
    if kind.isolated and not is_connected(thread, file):  # the host would bind it to a port before it refuses
        if stream and not quiet:
            _break_pipe(thread)
        raise OSError(errno.EPIPE if stream else errno.EDESTADDRREQ, "not connected")
    total = sum(map(len, views))
    done = thread.resume.done if isinstance(thread.resume, Progress) else 0
    while True:
        piece = b"".join(skip(views, done))
        try:
            piece = piece[:LONGEST_MESSAGE] if stream else piece
            if control and not done:
                done += thread.host.sendmsg(file.fd, piece, flags | NOWAIT, address, control)
            else:
                done += thread.host.sendto(file.fd, piece, flags | NOWAIT, address)
        except BlockingIOError:
            if done and (thread.interrupted or not patient or nonblocking(file)):
                return done
            pause(thread, file, reading=False, done=done, patient=patient, polled=not address)
        except BrokenPipeError:
            if done:
                return done
            if stream and not quiet:
                _break_pipe(thread)
            raise
        except OSError:
            if not done:
                raise
            return done
        if done >= total or not stream:
            return done


def _break_pipe(thread: PosixThread) -> None:
    queue_for_thread(thread, Pending(thread.abi.signals.encode("SIGPIPE"), "SI_USER", fields=sender(thread)))


def is_connected(thread: PosixThread, file: OpenFile) -> bool:
    """Whether it has a peer; without a network only a socket that this program was started with can."""
    try:
        thread.host.getpeername(file.fd)
    except OSError:
        return False
    return True


def pause(
    thread: PosixThread,
    file: OpenFile,
    *,
    reading: bool,
    done: int = 0,
    control: tuple[ControlMessage, ...] = (),
    patient: bool = True,
    polled: bool = True,
) -> NoReturn:
    """Wait until the socket may be ready; always raises. Not *polled*: no event tells, so look again soon.

    Raises:
        Wait, Interrupted.
        BlockingIOError: the socket is O_NONBLOCK, the call not *patient*, or the socket's own timeout is over.
    """
    if not patient or nonblocking(file):
        raise BlockingIOError(errno.EAGAIN, "would block")
    until = thread.resume.until if isinstance(thread.resume, Paused) else _timeout(thread, file, reading)
    if until is not None and time.monotonic() >= until:
        raise BlockingIOError(errno.EAGAIN, "the socket's timeout is over")
    events = {file.fd: select.POLLIN if reading else select.POLLOUT} if polled else {}
    soon = until if polled else min(until or float("inf"), time.monotonic() + _TRY_AGAIN)
    restart: Restart = "sa_restart" if until is None else "never"  # sock_intr_errno() of include/net/sock.h
    thread.wait(descriptors=events, until=soon, resume=Paused(done, until, control), restart=restart)


def _timeout(thread: PosixThread, file: OpenFile, reading: bool) -> float | None:
    option = host_names.SO_RCVTIMEO if reading else host_names.SO_SNDTIMEO
    raw = thread.host.getsockopt(file.fd, host_names.SOL_SOCKET, option, HOST_TIME.size)
    seconds, micros = HOST_TIME.unpack(raw)
    return time.monotonic() + seconds + micros / 1e6 if seconds or micros else None


@contextmanager
def nonblocking_host(file: OpenFile) -> Iterator[None]:
    """For calls without MSG_DONTWAIT (connect, accept): the host must not block, whatever the guest's O_NONBLOCK."""
    flags = file.host.fcntl(file.fd, F_GETFL)
    if flags & os.O_NONBLOCK:
        yield
        return
    file.host.fcntl(file.fd, F_SETFL, flags | os.O_NONBLOCK)
    try:
        yield
    finally:
        file.host.fcntl(file.fd, F_SETFL, flags)


def no_way(kind: Socket) -> OSError:
    """Why an isolated socket reaches nobody: no route for IPv4; for IPv6 no address to send from."""
    return OSError(errno.ENETUNREACH if kind.family == "AF_INET" else errno.EADDRNOTAVAIL, "no network")


def has_network(thread: PosixThread) -> bool:
    """Whether the user granted the host's network."""
    return thread.process.options.network or thread.process.options.trust


def find_socket(thread: PosixThread, fd: int) -> tuple[OpenFile, Socket]:
    """The open socket at *fd*; raises OSError EBADF, ENOTSOCK."""
    file = open_file(thread, fd)
    if file.kind is None and file.opened.node is None and stat.S_ISSOCK(thread.host.fstat(file.fd).st_mode):
        file.kind = recognize_socket(thread, file.fd)
    if not isinstance(file.kind, Socket):
        raise OSError(errno.ENOTSOCK, "fd")
    return file, file.kind


def recognize_socket(thread: PosixThread, fd: int) -> Socket | None:
    """What the host's socket *fd* is that this process did not make itself: its standard input, say, or one passed to
    it; None for a family or type that guests don't have."""
    family, kind, protocol = (
        int.from_bytes(thread.host.getsockopt(fd, host_names.SOL_SOCKET, option, 4), sys.byteorder)
        for option in (_SO_DOMAIN, host_names.SO_TYPE, _SO_PROTOCOL)
    )
    names = {number: name for name, number in FAMILIES.items()}, {number: name for name, number in TYPES.items()}
    if family not in names[0] or kind not in names[1]:
        return None
    isolated = names[0][family] != "AF_UNIX" and not has_network(thread)
    return Socket(names[0][family], names[1][kind], protocol, isolated=isolated)
