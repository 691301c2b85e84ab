"""Which host processes descend from which."""

from __future__ import annotations

import errno
import os

from compat.data import dataclass
from compat.host.constants import LINUX
from compat.host.libc import WithLibc, raise_errno


@dataclass(frozen=True)
class Relation:
    """A process's parent, process group and session, as host pids; when it was *born*, in ticks since the host's boot,
    which no later process of the same pid shares."""

    parent: int
    group: int
    session: int
    born: int = 0


class Tree(WithLibc):
    """The relations of host processes, from /proc; OSError(ENOSYS) on hosts without it."""

    def relation(self, pid: int) -> Relation:
        """That of one process; raises OSError(ESRCH) if there is none."""
        if not LINUX:
            raise_errno(errno.ENOSYS)
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                text = file.read()
        except (FileNotFoundError, ProcessLookupError):
            raise_errno(errno.ESRCH)
        fields = text[text.rindex(b")") + 2 :].split()  # proc_pid_stat(5): state ppid pgrp session … starttime
        return Relation(int(fields[1]), int(fields[2]), int(fields[3]), int(fields[19]))

    def rights(self, pid: int) -> dict[str, int]:
        """Whom a process acts for: its first thread's real user and group as `Uid` and `Gid`, the effective ones as
        `Euid` and `Egid`, and its sets of capabilities as `CapEff`, `CapPrm`, `CapInh`, `CapBnd` and `CapAmb`, as bits
        (proc_pid_status(5)).

        Raises OSError: ESRCH if there is none, ENOSYS.
        """
        if not LINUX:
            raise_errno(errno.ENOSYS)
        try:
            with open(f"/proc/{pid}/status", "rb") as file:
                lines = [line.split() for line in file]
        except (FileNotFoundError, ProcessLookupError):
            raise_errno(errno.ESRCH)
        found = {words[0][:-1].decode(): words[1:] for words in lines}
        ids = {name: int(found[name][0]) for name in ("Uid", "Gid")}
        ids |= {"E" + name.lower(): int(found[name][1]) for name in ("Uid", "Gid")}
        return ids | {name: int(words[0], 16) for name, words in found.items() if name.startswith("Cap")}

    def descendants(self, root: int) -> dict[int, Relation]:
        """*root* and every process below it."""
        known: dict[int, Relation] = {}
        for name in os.listdir("/proc") if LINUX else raise_errno(errno.ENOSYS):
            if name.isdecimal():
                try:
                    known[int(name)] = self.relation(int(name))
                except OSError:
                    pass  # gone meanwhile
        found = {root} & known.keys()
        while grown := {pid for pid, each in known.items() if each.parent in found} - found:
            found |= grown
        return {pid: known[pid] for pid in found}
