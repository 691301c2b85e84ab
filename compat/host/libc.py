"""Calls of the C library that Python's os module lacks or whose error number it hides."""

from __future__ import annotations

import errno
import os
import struct
from functools import cached_property
from typing import Any

Times = tuple[tuple[int, int], tuple[int, int]]
"""Access and modification time as (seconds, nanoseconds); nanoseconds may be UTIME_NOW or UTIME_OMIT."""


class Libc:
    """The C library of this process, reached through ctypes.

    ctypes is imported at the first call: it costs 2.5 ms, and many guests never need it.
    """

    def __init__(self) -> None:
        import ctypes

        self._ctypes = ctypes
        self._library = ctypes.CDLL(None, use_errno=True)
        self._kinds: dict[str, Any] = {
            "i": ctypes.c_int,
            "l": ctypes.c_long,
            "u": ctypes.c_uint,
            "q": ctypes.c_longlong,
            "z": ctypes.c_size_t,
            "s": ctypes.c_char_p,
            "p": ctypes.c_void_p,
        }
        self._functions: dict[tuple[str, str], Any] = {}

    def call(self, name: str, kinds: str, *arguments: object) -> int:
        """Call *name*; *kinds* has one letter per argument (int long uint quad size string pointer).

        Raises:
            OSError: with the call's errno when it returns -1; ENOSYS when the library has no such function.
        """
        function = self._functions.get((name, kinds)) or self._find(name, kinds)
        result: int = function(*arguments)
        if result == -1:
            raise_errno(self._ctypes.get_errno())
        return result

    def _find(self, name: str, kinds: str) -> Any:
        try:
            function = self._library[name]  # anew each time: "syscall" has many forms
        except AttributeError:
            raise_errno(errno.ENOSYS)
        function.argtypes = [self._kinds[kind] for kind in kinds]
        function.restype = self._ctypes.c_long if name == "syscall" else self._ctypes.c_int
        self._functions[name, kinds] = function
        return function

    def buffer(self, size: int) -> Any:
        """*size* zeroed bytes that a pointer argument may name; bytes(...) reads them."""
        return self._ctypes.create_string_buffer(size)

    def word(self, place: int) -> int:
        """The 32 bits at an address of this process, unsigned."""
        found: int = self._ctypes.c_uint.from_address(place).value
        return found

    def address(self, buffer: Any) -> int:
        """Where *buffer* lies, for a struct that points to it; the caller keeps the buffer alive."""
        place: int = self._ctypes.addressof(buffer)
        return place


class WithLibc:
    """Base of the host's parts: the libc handle, opened at first need."""

    @cached_property
    def _libc(self) -> Libc:
        return Libc()


def raise_errno(number: int) -> Any:
    """Raise OSError with the system's own words for *number*."""
    raise OSError(number, os.strerror(number))


def member(module: object, name: str) -> Any:
    """*name* of *module*, or OSError(ENOSYS) where this host's Python does not have it."""
    found = getattr(module, name, None)
    return found if found is not None else raise_errno(errno.ENOSYS)


def timespecs(times: Times | None) -> bytes | None:
    """struct timespec[2] of this host; None, which the kernel takes as now, stays None."""
    return None if times is None else struct.pack("4l", *times[0], *times[1])
