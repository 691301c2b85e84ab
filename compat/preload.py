"""Importing all at once what is else imported when it is needed: for a process that soon may not read these files.

Who gives up being root loses the way to an installation in root's home.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import stat
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

__all__ = ["preload"]

_LIBRARY: Final = (
    *("ctypes", "difflib", "fcntl", "hashlib", "importlib.metadata", "resource", "shutil", "tempfile", "textwrap"),
    *("threading", "traceback"),
)
"""What the packages import late from Python's own library."""

_NEVER: Final = ("__main__", "build_", "foreign", "libc_build")
"""How modules' names begin that no running guest needs: they build compat itself, or read files of other systems."""

_BEFORE: Final = "compat.cli."
"""What has done its work when a guest runs."""


def preload(packages: Sequence[str]) -> None:
    """Import every module of *packages*, unless everybody may read them anyway."""
    folders = [os.path.dirname(os.__file__), *_folders(packages)]
    if all(map(_open_to_all, folders)):
        return
    for name in (*_LIBRARY, *_modules(packages)):
        try:
            importlib.import_module(name)
        except ImportError:
            pass  # of an optional dependency that is not there


def _folders(packages: Iterable[str]) -> Iterator[str]:
    for name in packages:
        yield from importlib.import_module(name).__path__


def _modules(packages: Iterable[str]) -> Iterator[str]:
    for name in packages:
        for each in pkgutil.walk_packages(importlib.import_module(name).__path__, name + "."):
            if not (each.name.startswith(_BEFORE) or each.name.rpartition(".")[2].startswith(_NEVER)):
                yield each.name


def _open_to_all(folder: str) -> bool:
    """Whether any user may read *folder* and comes there."""
    path = os.path.realpath(folder)
    wanted = stat.S_IROTH | stat.S_IXOTH
    while os.stat(path).st_mode & wanted == wanted:
        above = os.path.dirname(path)
        if above == path:
            return True
        path, wanted = above, stat.S_IXOTH
    return False
