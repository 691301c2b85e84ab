"""Guest paths as text: bytes, split at slashes. Nothing here looks at a file."""

from __future__ import annotations

import errno
import os
from typing import Final, Literal

from compat.data import dataclass

Last = Literal["name", ".", "..", "/"]
"""What a path ends in; calls that create or remove a name refuse all but "name" (LAST_* of Linux's
fs/namei.c).
"""

MAX_PATH: Final = 4095
"""Bytes of a path without its NUL: PATH_MAX of Linux's include/uapi/linux/limits.h, less one."""

MAX_NAME: Final = 255
MAX_LINKS: Final = 40
"""Symbolic links followed in one resolution: MAXSYMLINKS of Linux's include/linux/namei.h."""


@dataclass(frozen=True)
class Parsed:
    """A path split: *names* without empty ones and "."; *directory* when it ends as only a folder's may."""

    names: list[bytes]
    absolute: bool
    last: Last
    slash: bool

    @property
    def directory(self) -> bool:
        return self.slash or self.last != "name"


def parse(path: bytes) -> Parsed:
    """Split *path*.

    Raises:
        OSError: ENOENT for an empty path, ENAMETOOLONG beyond MAX_PATH, EINVAL for a NUL byte.
    """
    if not path:
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
    if len(path) > MAX_PATH:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
    if b"\0" in path:
        raise OSError(errno.EINVAL, "a NUL byte in a path")
    every = path.split(b"/")
    names = [name for name in every if name and name != b"."]
    slash = not every[-1]
    return Parsed(names, not every[0], _last(every), slash)


def _last(every: list[bytes]) -> Last:
    final = every[-1] or next((name for name in reversed(every) if name), b"")
    if final == b".":
        return "."
    if final == b"..":
        return ".."
    return "name" if final else "/"


def names_of(path: bytes) -> list[bytes]:
    """The names of a canonical absolute path; none for the root."""
    return path[1:].split(b"/") if len(path) > 1 else []


def join(names: list[bytes]) -> bytes:
    """The canonical absolute path of *names*."""
    return b"/" + b"/".join(names)


def refuse(number: int) -> OSError:
    """An OSError with the system's own words for *number*."""
    return OSError(number, os.strerror(number))
