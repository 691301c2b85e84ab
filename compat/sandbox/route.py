"""One path resolution under way: what is still to be walked, and from where."""

from __future__ import annotations

import errno
import stat
from collections.abc import Callable

from compat.sandbox.paths import MAX_LINKS, Parsed, parse, refuse
from compat.sandbox.place import Opened, Place, Site


class MagicMet(Exception):
    """A magic link stands at names[index]; it leads to *target* itself, whatever its text says."""

    def __init__(self, index: int, target: Opened) -> None:
        super().__init__(index, target)
        self.index = index
        self.target = target


class Route:
    """*names* are still to be walked from the open folder *base*, or from the guest's root.

    *follow* a link at the last name; *entry* means that the name itself is wanted, to create or remove it.
    *again* resolves the same path anew.
    """

    def __init__(self, parsed: Parsed, base: Opened, *, follow: bool, entry: bool) -> None:
        dots = parsed.last in (".", "..")
        self.base = None if parsed.absolute else base
        self.names = parsed.names
        self.last = parsed.last
        self.slash = parsed.slash or (dots and not entry)
        self.follow = follow or dots or (parsed.slash and not entry)
        self.entry = entry
        self.again: Callable[[], Place] | None = None
        self._dots = dots
        self._links = 0

    def splice(self, index: int, target: bytes) -> None:
        """Put the text of the link at *index* into the path.

        Raises:
            OSError: ELOOP after MAX_LINKS of them.
        """
        parsed = parse(target)
        if index == len(self.names) - 1 and parsed.directory:
            self.slash = True
        if parsed.absolute:
            self.base = None
        before = [] if parsed.absolute else self.names[:index]
        self._count_link()
        self.names = before + parsed.names + self.names[index + 1 :]

    def jump(self, index: int, folder: Opened) -> None:
        """Go on from *folder*, to which the magic link at *index* leads."""
        self._count_link()
        self.base = folder
        self.names = self.names[index + 1 :]

    def _count_link(self) -> None:
        self._links += 1
        if self._links > MAX_LINKS:
            raise refuse(errno.ELOOP)

    def site(self, guest_path: bytes, *, busy: bool) -> Site:
        return Site(guest_path, self.last, self.slash, busy)

    def check(self, mode: int | None) -> None:
        """Refuse a last name that is not the folder which the path's ending asks for; *mode* None: it is
        missing.
        """
        if mode is None:
            if self._dots:
                raise refuse(errno.ENOENT)
        elif not stat.S_ISDIR(mode) and (self._dots or (self.slash and not self.entry)):
            raise refuse(errno.ENOTDIR)
