"""Windows's paths as the Linux side has them: drive Z: is the root, and there is no other drive yet."""

from __future__ import annotations

import errno
from typing import Final

__all__ = ["linux_path"]

_DEVICES: Final = (("nul", b"/dev/null"), ("con", b"/dev/tty"), ("conin$", b"/dev/tty"), ("conout$", b"/dev/tty"))
_LONGEST: Final = 0x7FFF  # units of a path (Maximum Path Length Limitation)


def linux_path(name: str) -> bytes:
    """The path that *name* means. Raises OSError: ENOENT for an empty name, a drive that isn't there or another
    computer's share, EINVAL for a character that no name may have."""
    if len(name) > _LONGEST:
        raise OSError(errno.ENAMETOOLONG, "path")
    path = name.removeprefix("\\\\?\\").removeprefix("\\\\.\\").replace("\\", "/")
    for device, place in _DEVICES:
        if path.lower() == device:
            return place
    if path[1:2] == ":":
        if path[0] not in "zZ":
            raise OSError(errno.ENOENT, f"drive {path[0]}:")
        path = path[2:]
    if not path or path.startswith("//"):
        raise OSError(errno.ENOENT, "path")
    if any(letter in '<>"|?*' or letter < " " for letter in path):
        raise OSError(errno.EINVAL, "path")
    return path.encode("utf-8", "replace")
