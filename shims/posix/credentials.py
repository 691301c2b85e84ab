"""Whom a process acts for: its users and groups, and who may take on which (credentials(7), setresuid(2)).

*may* is asked only for ids that the process does not have: whether it may take on any.
"""

from __future__ import annotations

import errno
from collections.abc import Callable

from compat.data import dataclass, replace
from compat.host import Host

__all__ = ["NO_CHANGE", "Credentials", "Ids"]

NO_CHANGE = 0xFFFFFFFF
"""(uid_t) -1, which leaves an id as it is."""

May = Callable[[], bool]


@dataclass(frozen=True)
class Ids:
    """The ids of one kind, users or groups. All that change them raise OSError(EPERM)."""

    real: int
    effective: int
    saved: int
    files: int

    def change(self, real: int, effective: int, saved: int, may: May) -> Ids:
        """setresuid: the ids with those that are not NO_CHANGE replaced."""
        self._check({real, effective, saved}, {self.real, self.effective, self.saved}, may)
        effective = _either(effective, self.effective)
        return Ids(_either(real, self.real), effective, _either(saved, self.saved), effective)

    def change_pair(self, real: int, effective: int, may: May) -> Ids:
        """setreuid: the saved id follows the effective one when the real one is set, or the effective one differs from
        it (kernel/sys.c, __sys_setreuid)."""
        self._check({real}, {self.real, self.effective}, may)
        changed = self.change(real, effective, NO_CHANGE, may)
        follows = real != NO_CHANGE or (effective != NO_CHANGE and effective != self.real)
        return replace(changed, saved=changed.effective) if follows else changed

    def change_one(self, wanted: int, may: May) -> Ids:
        """setuid: who may take on any id takes it on for good."""
        if may():
            return Ids(wanted, wanted, wanted, wanted)
        self._check({wanted}, {self.real, self.saved}, may)
        return self.change(NO_CHANGE, wanted, NO_CHANGE, may)

    def change_files(self, wanted: int, may: May) -> Ids:
        """setfsuid, which refuses nothing: a foreign id is ignored."""
        own = wanted in (self.real, self.effective, self.saved, self.files)
        return replace(self, files=wanted) if own or (wanted != NO_CHANGE and may()) else self

    def _check(self, wanted: set[int], own: set[int], may: May) -> None:
        if not wanted - {NO_CHANGE} <= own and not may():
            raise OSError(errno.EPERM, "an id that the process does not have")


@dataclass(frozen=True)
class Credentials:
    """A process's users, groups and supplementary groups."""

    users: Ids
    groups: Ids
    supplementary: tuple[int, ...]

    @classmethod
    def of(cls, host: Host) -> Credentials:
        """Those of the host's process."""
        users, groups = host.getresuid(), host.getresgid()
        return cls(Ids(*users, users[1]), Ids(*groups, groups[1]), tuple(host.getgroups()))


def _either(new: int, old: int) -> int:
    return old if new == NO_CHANGE else new
