"""What the guest calls its AF_UNIX sockets, for all processes of a run."""

from __future__ import annotations

import binascii
import mmap
import struct
from typing import Final

__all__ = ["SocketNames"]

_SLOT: Final = struct.Struct("=B110sB110s")  # lengths and bytes of the host's name and the guest's path
_SLOTS: Final = 2048
_NEAR: Final = 8  # slots that a name may be in


class SocketNames:
    """*token* stands before every abstract name on the host, so that they are private to the run.

    A socket bound to a path is called something else on the host. The table of those names lies in memory that forked
    processes share; an old name gives way when there is no room near its place.
    """

    def __init__(self, token: bytes) -> None:
        self.token = token
        self._room = mmap.mmap(-1, _SLOT.size * _SLOTS)

    def remember(self, host_name: bytes, path: bytes) -> None:
        """The guest's *path* for what the host calls *host_name*."""
        places = self._places(host_name)
        known = [place for place in places if self._read(place)[0] in (host_name, b"")]
        _SLOT.pack_into(self._room, (known or places)[0], len(host_name), host_name, len(path), path)

    def path(self, host_name: bytes) -> bytes:
        """The guest's path; b"" for a name that is not known."""
        for place in self._places(host_name):
            name, path = self._read(place)
            if name == host_name:
                return path
        return b""

    def _places(self, host_name: bytes) -> list[int]:
        first = binascii.crc32(host_name)
        return [(first + k) % _SLOTS * _SLOT.size for k in range(_NEAR)]

    def _read(self, place: int) -> tuple[bytes, bytes]:
        size, name, length, path = _SLOT.unpack_from(self._room, place)
        return name[:size], path[:length]
