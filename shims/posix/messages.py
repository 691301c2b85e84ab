"""Sending and receiving on sockets, with addresses and flags."""

from __future__ import annotations

import errno
import socket as host_names
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Final

from compat.abi.flags import FlagSet
from compat.abi.handles import ArrayHandle, Buffer, Pointer
from compat.abi.structs import Record
from compat.data import dataclass
from compat.host import ControlMessage
from shims.posix.addresses import host_address, read_address, to_guest, write_address
from shims.posix.files import spans_of
from shims.posix.openfiles import OpenFile
from shims.posix.socketfiles import (
    LONGEST_MESSAGE,
    NOWAIT,
    Paused,
    PrivateSocket,
    Socket,
    find_socket,
    is_connected,
    no_way,
    pause,
    scatter,
    transmit,
)
from shims.posix.state import PosixThread
from shims.posix.transfers import Span, nonblocking, skip, views_of

__all__ = ["recv", "recvfrom", "recvmsg", "send", "send_message", "sendmsg", "sendto", "take_message"]

_SENT: Final = {
    name: getattr(host_names, name, 0)
    for name in ("MSG_OOB", "MSG_DONTROUTE", "MSG_EOR", "MSG_CONFIRM", "MSG_MORE")
}  # fmt: skip
_TAKEN: Final = {name: getattr(host_names, name, 0) for name in ("MSG_OOB", "MSG_PEEK", "MSG_TRUNC", "MSG_ERRQUEUE")}
_TOLD: Final = {
    name: getattr(host_names, name, 0) for name in ("MSG_OOB", "MSG_TRUNC", "MSG_CTRUNC", "MSG_EOR", "MSG_ERRQUEUE")
}  # fmt: skip
ROOM: Final = 2048
"""Bytes that the host gets for control messages: the most descriptors of one message (253) and all else."""
_FASTOPEN: Final = 0x20000000  # MSG_FASTOPEN of include/linux/socket.h
_MOST_SPANS: Final = 1024  # UIO_MAXIOV of include/uapi/linux/uio.h


@dataclass
class Taken:
    """What was received: bytes put into the guest's memory, the size to return, the host's flags, address and control
    messages."""

    size: int
    flags: int
    address: bytes
    control: tuple[ControlMessage, ...] = ()


def send(thread: PosixThread, fd: int, buf: Buffer, count: int, flags: FlagSet) -> int:
    """send(2)."""
    file, kind = find_socket(thread, fd)
    return _send(thread, file, kind, ((buf.address, count),), flags, b"")


def sendto(
    thread: PosixThread, fd: int, buf: Buffer, count: int, flags: FlagSet, addr: Buffer | None, size: int
) -> int:
    """sendto(2)."""
    file, kind = find_socket(thread, fd)
    raw = read_address(addr) if addr is not None else b""
    return _send(thread, file, kind, ((buf.address, count),), flags, raw)


def sendmsg(thread: PosixThread, fd: int, message: Pointer[Record], flags: FlagSet) -> int:
    """sendmsg(2)."""
    file, kind = find_socket(thread, fd)
    return send_message(thread, file, kind, message.read(), flags)


def send_message(thread: PosixThread, file: OpenFile, kind: Socket, message: Record, flags: FlagSet) -> int:
    """Send what a struct msghdr tells."""
    name = message.int("name")
    raw = read_address(Buffer(thread.memory, name, message.int("namelen"))) if name else b""
    control: Sequence[ControlMessage] = ()
    if message.int("control"):
        from shims.posix.control import read_control  # rarely needed

        control = read_control(thread, kind, message)
    return _send(thread, file, kind, _spans(thread, message), flags, raw, control)


def _spans(thread: PosixThread, message: Record) -> Sequence[Span]:
    count = message.int("iovlen")
    if count > _MOST_SPANS:
        raise OSError(errno.EMSGSIZE, "iovlen")
    return spans_of(ArrayHandle(thread.memory, message.int("iov"), thread.abi.layout("Iovec"), count))


def _send(
    thread: PosixThread,
    file: OpenFile,
    kind: Socket,
    spans: Sequence[Span],
    flags: FlagSet,
    raw: bytes,
    control: Sequence[ControlMessage] = (),
) -> int:
    views = views_of(thread, spans, write=False)
    if isinstance(kind, PrivateSocket):
        return kind.send(thread, b"".join(views), raw)
    bits, patient, quiet = flags.host(_SENT), "MSG_DONTWAIT" not in flags, "MSG_NOSIGNAL" in flags
    if kind.type == "SOCK_STREAM" and kind.family != "AF_UNIX":
        if "MSG_FASTOPEN" in flags and not isinstance(thread.resume, Paused):
            return _open_fast(thread, file, kind, views, bits, raw, patient=patient)
        raw = b""  # tcp_sendmsg() does not look at it
    if raw and kind.type == "SOCK_STREAM":
        raise OSError(errno.EISCONN if is_connected(thread, file) else errno.EOPNOTSUPP, "addr")
    if raw and kind.isolated:
        raise no_way(kind)
    with host_address(thread, kind, raw) if raw else nullcontext(b"") as address:
        return transmit(thread, file, kind, views, bits, address=address, control=control, patient=patient, quiet=quiet)


def _open_fast(
    thread: PosixThread, file: OpenFile, kind: Socket, views: list[memoryview], bits: int, raw: bytes, *, patient: bool
) -> int:
    """MSG_FASTOPEN: connect, and send what the first packet may carry with it; the rest follows once that stands
    (tcp_sendmsg_fastopen() of net/ipv4/tcp.c)."""
    if kind.isolated:
        raise no_way(kind)
    data = b"".join(views)
    with host_address(thread, kind, raw) if raw else nullcontext(b"") as address:
        try:
            done = thread.host.sendto(file.fd, data[:LONGEST_MESSAGE], bits | NOWAIT | _FASTOPEN, address)
        except BlockingIOError:
            if nonblocking(file) or not patient:
                raise
            done = 0
    if not (done and done == len(data)) and patient and not nonblocking(file):
        pause(thread, file, reading=False, done=done)
    return done


def recv(thread: PosixThread, fd: int, buf: Buffer, count: int, flags: FlagSet) -> int:
    """recv(2)."""
    file, kind = find_socket(thread, fd)
    return _take(thread, file, kind, ((buf.address, count),), flags).size


def recvfrom(
    thread: PosixThread, fd: int, buf: Buffer, count: int, flags: FlagSet, addr: int, size: Pointer[int] | None
) -> int:
    """recvfrom(2)."""
    file, kind = find_socket(thread, fd)
    taken = _take(thread, file, kind, ((buf.address, count),), flags)
    write_address(thread, to_guest(thread, kind, taken.address), addr, size)
    return taken.size


def recvmsg(thread: PosixThread, fd: int, message: Pointer[Record], flags: FlagSet) -> int:
    """recvmsg(2)."""
    file, kind = find_socket(thread, fd)
    size, fields = take_message(thread, file, kind, message.read(), flags)
    message.write(fields)
    return size


def take_message(
    thread: PosixThread, file: OpenFile, kind: Socket, message: Record, flags: FlagSet
) -> tuple[int, Record]:
    """Receive into what a struct msghdr tells; returns the size and the struct as it is afterwards."""
    beside = ROOM if message.int("control") and message.int("controllen") else 0
    taken = _take(thread, file, kind, _spans(thread, message), flags, beside)
    name = to_guest(thread, kind, taken.address)
    if message.int("name"):
        room = _signed(message.int("namelen"))
        if room < 0:
            raise OSError(errno.EINVAL, "namelen")
        thread.memory.write(message.int("name"), name[:room])
        message["namelen"] = len(name)
    told = {name for name, bit in _TOLD.items() if taken.flags & bit} | (flags & {"MSG_CMSG_CLOEXEC"})
    message["controllen"], cut = _give_control(thread, kind, message, taken, "MSG_CMSG_CLOEXEC" in flags)
    message["flags"] = thread.abi.flags("MessageFlags").encode(told | {"MSG_CTRUNC"} if cut else told)
    return taken.size, message


def _give_control(
    thread: PosixThread, kind: Socket, message: Record, taken: Taken, close_on_exec: bool
) -> tuple[int, bool]:
    if not taken.control:
        return 0, False
    from shims.posix.control import write_control  # rarely needed

    return write_control(thread, kind, message, taken.control, close_on_exec=close_on_exec)


def _signed(size: int) -> int:
    return size - (1 << 32) if size >> 31 else size


def _take(
    thread: PosixThread, file: OpenFile, kind: Socket, spans: Sequence[Span], flags: FlagSet, beside: int = 0
) -> Taken:
    """Receive into *spans*, with up to *beside* bytes of control messages. With MSG_WAITALL a stream fills them, unless
    it ends or descriptors come along."""
    views = views_of(thread, spans, write=True)
    stream, patient = kind.type == "SOCK_STREAM", not flags & {"MSG_DONTWAIT", "MSG_ERRQUEUE"}
    paused = thread.resume if isinstance(thread.resume, Paused) else Paused(0, None)
    total, done, control = sum(map(len, views)), paused.done, paused.control
    while True:
        rest = skip(views, done)
        room = min(total - done, LONGEST_MESSAGE)
        try:
            data, told, address, more, size = kind.receive(thread, file, room, flags.host(_TAKEN), beside)
        except BlockingIOError:
            if done and (thread.interrupted or not patient):
                return Taken(done, 0, b"", control)
            pause(thread, file, reading=True, done=done, control=control, patient=patient)
        if not ("MSG_TRUNC" in flags and stream):  # tcp(7): such bytes are discarded
            scatter(rest, data)
        done += size
        control = control or more
        if not stream or not data or done == total or "MSG_WAITALL" not in flags or "MSG_PEEK" in flags:
            return Taken(done, told, address, control)
        if more != control:  # what came along belongs to these bytes: unix_stream_read_generic()
            return Taken(done, told, address, control)
