"""The bytes of a file, read at offsets, never as a whole."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from compat.errors import BadFile

__all__ = ["Recorder", "Source", "open_source", "printable"]


def printable(text: str | bytes) -> str:
    """*text* on one line: whatever a terminal would not show as itself is escaped."""
    if isinstance(text, bytes):
        text = os.fsdecode(text)
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


_NOT_A_PROGRAM = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class Source:
    """A file of *size* bytes that sentences call *name*."""

    __slots__ = ("_read", "name", "size")

    def __init__(self, name: str | bytes, size: int, read: Callable[[int, int], bytes]) -> None:
        self.name = printable(name)
        self.size = size
        self._read = read

    @classmethod
    def of_bytes(cls, data: bytes, name: str | bytes) -> Source:
        return cls(name, len(data), lambda offset, size: data[offset : offset + size])

    @classmethod
    def of_descriptor(cls, descriptor: int, name: str | bytes) -> Source:
        """The regular file behind an open host descriptor, whose file position is left alone.

        Raises:
            BadFile: it is not a regular file.
        """
        status = os.fstat(descriptor)
        for test, words in _NOT_A_PROGRAM:
            if test(status.st_mode):
                raise BadFile(f"{printable(name)} is {words}, not a program")
        return cls(name, status.st_size, lambda offset, count: os.pread(descriptor, count, offset))

    def read(self, offset: int, size: int) -> bytes:
        """Up to *size* bytes from *offset*: fewer where the file ends.

        Raises:
            BadFile: the host can't read the file.
        """
        if offset < 0 or size <= 0 or offset >= self.size:
            return b""
        try:
            return self._read(offset, min(size, self.size - offset))
        except OSError as error:
            raise BadFile(f"{self.name}: can't read {size} bytes at {offset:#x}: {error.strerror}") from error


class Recorder(Source):
    """A Source that remembers which bytes were asked of it."""

    __slots__ = ("_ranges",)

    def __init__(self, source: Source) -> None:
        super().__init__(source.name, source.size, source.read)
        self._ranges: set[tuple[int, int]] = set()

    def read(self, offset: int, size: int) -> bytes:
        data = super().read(offset, size)
        self._ranges.add((offset, offset + len(data)))
        return data

    def ranges(self, gap: int) -> list[tuple[int, int]]:
        """What was read as (offset, end) pairs in order, joined where they are at most *gap* bytes apart."""
        joined: list[tuple[int, int]] = []
        for start, end in sorted(self._ranges):
            if joined and start <= joined[-1][1] + gap:
                joined[-1] = (joined[-1][0], max(joined[-1][1], end))
            else:
                joined.append((start, end))
        return joined


@contextmanager
def open_source(path: str | bytes | os.PathLike[str]) -> Iterator[Source]:
    """Open a host file as a Source for as long as the context lasts.

    Raises:
        BadFile: there is no such file, it can't be read, or it is not a regular file.
    """
    name = printable(os.fspath(path))
    try:
        # O_NONBLOCK: opening a pipe that nobody writes to must not hang.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError as error:
        raise BadFile(f"{name}: {error.strerror}") from error
    except ValueError as error:
        raise BadFile(f"{name}: no file's name holds a NUL byte") from error
    try:
        yield Source.of_descriptor(descriptor, name)
    finally:
        os.close(descriptor)
