"""Files of the user's cache folder that hold for table files in one state: parsed tables, and a mark that all is well.

Each begins with that state, every file's path, time and size, and counts only while it is still so. A cache that can't
be read or written only costs time. A guest that was given the user's home could write here, so nothing that is loaded
is code, and every shape is checked (compat.abi.kept_text): a file that is not as expected counts as missing.
"""

from __future__ import annotations

import binascii
import os
from collections.abc import Sequence

from compat.abi.grids import StrPath
from compat.abi.kept_text import Kept, from_text, to_text
from compat.errors import BadTable
from compat.version import VERSION

__all__ = ["Entry", "Mark", "state_of"]

_FORMAT = 3
_LARGEST = 4 << 20
_MOST = 64  # files of one kind: one for each CPU and set of folders


def state_of(files: Sequence[StrPath]) -> str:
    """What tells this state of *files* from any other; raises BadTable for a file that can't be read."""
    lines = [f"{_FORMAT} {VERSION}"]
    for path in files:
        try:
            state = os.stat(path)
        except OSError as error:
            raise BadTable(f"{path!s}: {error.strerror}") from None
        lines.append(f"{state.st_mtime_ns} {state.st_size} {path!s}")
    return "\n".join(lines)


class _File:
    """A file of the cache folder for *name* and *folders*; *state* is that of the files it was made from.

    Each place that compat is installed in has its own.
    """

    def __init__(self, name: str, folders: Sequence[StrPath], state: str) -> None:
        folder = _folder()
        place = binascii.crc32("\n".join([__file__, *map(str, folders)]).encode(errors="surrogateescape"))
        self._kind = name.partition("-")[0] + "-"
        self._path = os.path.join(folder, f"{name}-{place:08x}") if folder else None
        self._state = state

    def read(self) -> str:
        """What was written for this state. Raises OSError or ValueError where there is nothing."""
        if self._path is None:
            raise FileNotFoundError
        with open(self._path, "rb") as file:
            state, end, content = file.read(_LARGEST).decode().partition("\n\n")
        if state != self._state or not end:
            raise ValueError("of another state")
        return content

    def write(self, content: str) -> None:
        """Write the file at once or not at all."""
        if self._path is None:
            return
        import tempfile  # only here: a warm start does not come by

        folder = os.path.dirname(self._path)
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            self._make_room(folder)
            handle, draft = tempfile.mkstemp(dir=folder, prefix="draft-")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(f"{self._state}\n\n{content}")
            os.replace(draft, self._path)
        except (OSError, ValueError):
            pass

    def _make_room(self, folder: str) -> None:
        """Drop the oldest files of this kind."""
        with os.scandir(folder) as entries:
            found = [(entry.stat().st_mtime_ns, entry.path) for entry in entries if entry.name.startswith(self._kind)]
        for _, path in sorted(found)[: max(0, len(found) - _MOST)]:
            os.unlink(path)


class Mark:
    """Remembers that something was done for files in their present state."""

    def __init__(self, name: str, folders: Sequence[StrPath], state: str) -> None:
        self._file = _File(name, folders, state)

    def stands(self) -> bool:
        try:
            return self._file.read() == "yes"
        except (OSError, ValueError):
            return False

    def set(self) -> None:
        self._file.write("yes")


class Entry:
    """The parsed tables *name*."""

    def __init__(self, name: str, folders: Sequence[StrPath], state: str) -> None:
        self._file = _File(f"tables-{name}", folders, state)

    def load(self) -> Kept | None:
        """What was stored, or None for nothing or for anything else."""
        try:
            return from_text(self._file.read())
        except (OSError, ValueError):
            return None

    def store(self, content: Kept) -> None:
        try:
            self._file.write(to_text(content))
        except ValueError:
            pass  # a note with a tab in it


def _folder() -> str | None:
    """The user's cache folder (XDG Base Directory Specification), or None where there is no home."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        base = os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "compat") if os.path.isabs(base) else None
