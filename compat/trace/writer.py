"""Where a trace goes: the user's stderr, or a file."""

from __future__ import annotations

import os

from compat.errors import CompatError

__all__ = ["Writer"]


class Writer:
    """Writes whole lines, one write(2) each, so that a forked child and its parent don't mix theirs.

    The descriptor is a copy: whatever the guest does to its own standard error, the trace goes on.
    """

    def __init__(self, name: str | None) -> None:
        """Open *name* anew, or take stderr for None; raises CompatError if the file can't be written."""
        try:
            self._fd = os.dup(2) if name is None else os.open(name, _NEW, 0o666)
        except OSError as error:
            raise CompatError(f"can't write the trace to {name or 'stderr'}: {error.strerror}") from None

    def line(self, text: str) -> None:
        """Write *text* and a line feed. A trace that can't be written any more (a full disk, a closed pipe) ends."""
        data = text.encode("utf-8", "backslashreplace") + b"\n"
        try:
            while data and self._fd >= 0:
                data = data[os.write(self._fd, data) :]
        except OSError:
            self.close()

    def close(self) -> None:
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)


_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
