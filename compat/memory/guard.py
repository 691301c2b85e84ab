"""The guard: this process survives when another one cuts off a file that is mapped into the RAM.

The host answers an access beyond the end of a file with SIGBUS, in the middle of translated code or of a copy. Python's
own handlers run too late for that, so this one is called by the host at once: it lays a page of zeros there and lets
the access go on. The guest reads zeros once and gets its own SIGBUS from then on; a kernel would have sent it the first
time.
"""

from __future__ import annotations

import signal
import struct
import sys
from collections.abc import Callable
from typing import Any

from compat.host._libc import ffi, lib

__all__ = ["Guard"]

_LINUX = sys.platform.startswith("linux")
_SA_SIGINFO = 4 if _LINUX else 0x40
# struct sigaction: Linux C libraries have handler, a mask of 1024 bits, flags, restorer; macOS handler, mask, flags
_ACTION = struct.Struct("P128xi4xP") if _LINUX else struct.Struct("PIi")
_FLAGS = 1 if _LINUX else 2
_ADDRESS = 16 if _LINUX else 24  # of si_addr in siginfo_t on 64-bit hosts


class Guard:
    """Handles SIGBUS while it lives. *repair* is asked with the host address, and answers whether it was its own."""

    def __init__(self, repair: Callable[[int], bool]) -> None:
        self._repair = repair
        self._callback = ffi.callback("void(int, char *, char *)", self._handle)
        self._previous = ffi.new("char[]", _ACTION.size)
        handler = int(ffi.cast("intptr_t", self._callback))
        fields = (handler, _SA_SIGINFO, 0) if _LINUX else (handler, 0, _SA_SIGINFO)
        lib.sigaction(signal.SIGBUS, _ACTION.pack(*fields), self._previous)

    def _handle(self, number: int, information: Any, context: Any) -> None:
        (address,) = struct.unpack("P", ffi.buffer(information + _ADDRESS, struct.calcsize("P")))
        if self._repair(address):
            return
        fields = _ACTION.unpack(ffi.buffer(self._previous))
        if fields[_FLAGS] & _SA_SIGINFO and fields[0]:
            ffi.cast("void(*)(int, char *, char *)", fields[0])(number, information, context)
        else:
            self.close()  # the access faults again and meets whoever was there before

    def close(self) -> None:
        """Put back what handled the signal before."""
        lib.sigaction(signal.SIGBUS, self._previous, ffi.NULL)
