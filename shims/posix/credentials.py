"""Whom a process acts for: real, effective, saved and file-system ids, and groups.

A guest has no capabilities, whoever its user is: it may give itself only ids that it has already (setresuid(2)).
"""

from __future__ import annotations

import errno

from compat.data import dataclass, replace
from compat.host import Host

__all__ = ["NO_CHANGE", "Credentials", "Ids"]

NO_CHANGE = 0xFFFFFFFF
"""(uid_t) -1, which leaves an id as it is."""


@dataclass(frozen=True)
class Ids:
    """The ids of one kind, users or groups."""

    real: int
    effective: int
    saved: int
    files: int

    def change(self, real: int, effective: int, saved: int) -> Ids:
        """The ids with those that are not NO_CHANGE replaced; raises OSError(EPERM) for an id that is none of these."""
        wanted = [new for new in (real, effective, saved) if new != NO_CHANGE]
        if any(new not in (self.real, self.effective, self.saved) for new in wanted):
            raise OSError(errno.EPERM, "an id that the process does not have")
        effective = _either(effective, self.effective)
        return Ids(_either(real, self.real), effective, _either(saved, self.saved), effective)

    def change_pair(self, real: int, effective: int) -> Ids:
        """setreuid: the saved id follows the effective one when the real one is set, or the effective one differs from
        it (kernel/sys.c, __sys_setreuid). Raises OSError(EPERM)."""
        if real not in (NO_CHANGE, self.real, self.effective):
            raise OSError(errno.EPERM, "a real id that the process does not have")
        changed = self.change(real, effective, NO_CHANGE)
        follows = real != NO_CHANGE or (effective != NO_CHANGE and effective != self.real)
        return replace(changed, saved=changed.effective) if follows else changed

    def change_files(self, wanted: int) -> Ids:
        """setfsuid: a foreign id is ignored."""
        return replace(self, files=wanted) if wanted in (self.real, self.effective, self.saved, self.files) else self


@dataclass
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
