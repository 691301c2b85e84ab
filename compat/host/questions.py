"""One process of a run asks another: by a signal, and over a socket with a name that only the run knows."""

from __future__ import annotations

import errno
import os
import select
import signal
import struct
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from compat.host.constants import LINUX

if TYPE_CHECKING:
    import socket

__all__ = ["ASKING", "Questions"]

ASKING: Final = int(getattr(signal, "SIGPWR", 0))
"""The signal by which a process is asked; 0 where there is none."""

_PATIENCE: Final = 5.0  # seconds until nobody answers
_LOOK: Final = 0.05  # seconds after which to look whether anybody still may
_UCRED: Final = struct.Struct("@3i")
_MOST_FILES: Final = 16
_SHUT_WR: Final = 1

Answer = tuple[bytes, Sequence[int]]


class Questions:
    """OSError(TimeoutError) for whoever does not answer. Descriptors that come with an answer are the caller's."""

    def ask(self, pid: int, token: bytes, question: bytes) -> tuple[bytes, list[int]]:
        """What the process *pid* answers, and descriptors."""
        end = time.monotonic() + _PATIENCE
        with _socket() as door:
            while not _bind(door, _name(pid, token)) and time.monotonic() < end:
                time.sleep(_LOOK)  # until another one has been answered
            door.listen(1)
            if not _at_a_stop(pid):
                os.kill(pid, ASKING)
            while not _ready(door):
                if time.monotonic() > end or _at_a_stop(pid):
                    raise TimeoutError("no answer")
            link, _ = door.accept()
        with link:
            link.settimeout(_PATIENCE)
            if _peer(link)[0] != pid:
                raise TimeoutError("someone else answers")
            link.sendall(question)
            link.shutdown(_SHUT_WR)
            return _receive(link)

    def answer(self, token: bytes, reply: Callable[[int, int, bytes], Answer]) -> bool:
        """Let *reply* answer from the asking pid, its user and the question; False if nobody asks this process."""
        with _socket() as link:
            link.settimeout(_PATIENCE)
            try:
                link.connect(_name(os.getpid(), token))
            except OSError:
                return False
            try:
                question, _ = _receive(link)
                pid, user, _ = _peer(link)
                data, files = reply(pid, user, question)
                _send(link, data[:1], files)
                link.sendall(data[1:])
            except OSError:
                pass  # whoever asked has given up
            return True


def _socket() -> socket.socket:
    import socket  # only here: it takes milliseconds

    return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)


def _name(pid: int, token: bytes) -> bytes:
    assert LINUX
    return b"\0compat-%s-%d" % (token, pid)


def _ready(door: socket.socket) -> bool:
    poller = select.poll()
    poller.register(door, select.POLLIN)
    return bool(poller.poll(_LOOK * 1000))


def _bind(door: socket.socket, name: bytes) -> bool:
    try:
        door.bind(name)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    return True


def _at_a_stop(pid: int) -> bool:
    """Whether the process has ended or is stopped, so that no signal reaches it now."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b") ")[2][:1] in b"TtZX"
    except OSError:
        return True


def _peer(link: socket.socket) -> tuple[int, int, int]:
    import socket

    pid, user, group = _UCRED.unpack(link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    return pid, user, group


def _send(link: socket.socket, data: bytes, files: Sequence[int]) -> None:
    import socket

    socket.send_fds(link, [data], files)


def _receive(link: socket.socket) -> tuple[bytes, list[int]]:
    """All that comes until the other side has said it all."""
    import socket

    data, files = bytearray(), list[int]()
    while True:
        part, found, _, _ = socket.recv_fds(link, 1 << 16, _MOST_FILES)
        files += found
        if not part:
            return bytes(data), files
        data += part
