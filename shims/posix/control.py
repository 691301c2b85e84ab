"""Control messages, which travel beside the data of sendmsg and recvmsg: cmsg(3)."""

from __future__ import annotations

import errno
import socket as host_names
import struct
from collections.abc import Iterator, Sequence
from typing import Final

from compat.abi.structs import Record
from compat.host import ControlMessage
from shims.posix.controldata import from_host, is_known, to_host
from shims.posix.rights import host_credentials, host_rights, receive_rights, show_credentials
from shims.posix.socketfiles import Socket
from shims.posix.state import PosixThread

__all__ = ["read_control", "write_control"]

_MOST: Final = 131072  # net.core.optmem_max
_SOL_SOCKET: Final = host_names.SOL_SOCKET
_SCM_RIGHTS: Final = getattr(host_names, "SCM_RIGHTS", 1)
_SCM_CREDENTIALS: Final = getattr(host_names, "SCM_CREDENTIALS", 2)
_OF_UNIX: Final = ("SCM_RIGHTS", "SCM_CREDENTIALS")


# --- sending ---


def read_control(thread: PosixThread, kind: Socket, message: Record) -> list[ControlMessage]:
    """The host's control messages for those of a struct msghdr.

    Raises:
        OSError: EINVAL for one that is malformed or of no known type, ENOBUFS for too many; for descriptors EBADF; for
            credentials EPERM.
    """
    address, size = message.int("control"), message.int("controllen")
    if not address or not size:
        return []
    if size > _MOST:
        raise OSError(errno.ENOBUFS, "controllen")
    found = list[ControlMessage]()
    for level, number, data in _messages(thread, thread.memory.read(address, size)):
        found += _to_host(thread, kind, level, number, data)
    return found


def _messages(thread: PosixThread, raw: bytes) -> Iterator[tuple[str, int, bytes]]:
    """Level by name, type and data; raises OSError EINVAL where CMSG_OK() of linux/socket.h does not hold."""
    layout, levels = thread.abi.layout("Cmsghdr"), thread.abi.constants("SocketLevel")
    place = 0
    while len(raw) - place >= layout.size:
        header = layout.unpack(raw[place : place + layout.size])
        length = header.int("len")
        if not layout.size <= length <= len(raw) - place:
            raise OSError(errno.EINVAL, "cmsg_len")
        yield str(levels.decode(header.int("level"))), header.int("type"), raw[place + layout.size : place + length]
        place += _aligned(thread, length)


def _aligned(thread: PosixThread, size: int) -> int:
    return -(-size // thread.abi.cpu.word) * thread.abi.cpu.word


def _to_host(thread: PosixThread, kind: Socket, level: str, number: int, data: bytes) -> list[ControlMessage]:
    name = thread.abi.constants("ControlType").decode(number) if level == "SOL_SOCKET" else ""
    if kind.family != "AF_UNIX":  # sock_cmsg_send() passes over descriptors and credentials
        return [] if name in _OF_UNIX else to_host(thread, level, number, data)
    if level != "SOL_SOCKET":
        return []
    if name not in _OF_UNIX:
        raise OSError(errno.EINVAL, f"control message {number}")
    if name == "SCM_RIGHTS":
        rights = host_rights(thread, data)
        return [ControlMessage(_SOL_SOCKET, _SCM_RIGHTS, rights)] if rights else []
    return [ControlMessage(_SOL_SOCKET, _SCM_CREDENTIALS, host_credentials(thread, data))]


# --- receiving ---


def write_control(
    thread: PosixThread, kind: Socket, message: Record, found: Sequence[ControlMessage], *, close_on_exec: bool
) -> tuple[int, bool]:
    """Put *found*, the host's, into the room that a struct msghdr gives.

    Returns the bytes used, and whether something was cut off (MSG_CTRUNC). As put_cmsg() and scm_detach_fds().
    """
    room = _Room(thread, message.int("control"), message.int("controllen"))
    for level, number, data in found:
        if (level, number) == (_SOL_SOCKET, _SCM_RIGHTS):
            _give_rights(thread, room, data, close_on_exec)
        elif (level, number) == (_SOL_SOCKET, _SCM_CREDENTIALS):
            room.put("SOL_SOCKET", _type(thread, "SCM_CREDENTIALS"), show_credentials(thread, data))
        elif is_known(level, number):
            room.put(*from_host(thread, kind, level, number, data))
    return room.used, room.cut


def _type(thread: PosixThread, name: str) -> int:
    return thread.abi.constants("ControlType").encode(name)


def _give_rights(thread: PosixThread, room: _Room, data: bytes, close_on_exec: bool) -> None:
    """As many descriptors as there is room for; the others are closed."""
    fits = max(0, (room.left - room.header) // 4)
    numbers, cut = receive_rights(thread, data, fits, close_on_exec=close_on_exec)
    room.cut |= cut
    if numbers:
        data = struct.pack(f"{thread.abi.cpu.order}{len(numbers)}i", *numbers)
        room.put("SOL_SOCKET", _type(thread, "SCM_RIGHTS"), data)


class _Room:
    """The guest's buffer for control messages: *left* and *used* in bytes, *cut* once one did not fit."""

    def __init__(self, thread: PosixThread, address: int, size: int) -> None:
        self._thread = thread
        self._address = address
        self._layout = thread.abi.layout("Cmsghdr")
        self.header = self._layout.size
        self.left = size if address else 0
        self.used = 0
        self.cut = False

    def put(self, level: str, number: int, data: bytes) -> None:
        """One message, cut where it does not fit."""
        if self.left < self.header:
            self.cut = True
            return
        length = min(self.left, self.header + len(data))
        self.cut |= length < self.header + len(data)
        levels = self._thread.abi.constants("SocketLevel")
        head = self._layout.pack({"len": length, "level": levels.encode(level), "type": number})
        self._thread.memory.write(self._address, (head + data)[:length])
        taken = min(self.left, _aligned(self._thread, self.header + len(data)))
        self._address += taken
        self.used += taken
        self.left -= taken
