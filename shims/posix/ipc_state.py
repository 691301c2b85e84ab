"""What a run's processes share of System V IPC: semaphores, queues, segments by id. Plain values, fit for marshal."""

from __future__ import annotations

import errno
import marshal
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from compat.data import dataclass, field, fields
from shims.posix.credentials import Credentials

__all__ = ["KINDS", "PRIVATE", "Entry", "Namespace", "Queue", "Segment", "SemaphoreSet"]

PRIVATE: Final = 0
"""IPC_PRIVATE: the key of what is found by its id only."""

_SLOTS: Final = 32768  # IPCMNI, include/linux/ipc_namespace.h: an id is a sequence number and a slot
_SEQUENCES: Final = 65536
_READ: Final = 4
_ROOT: Final = 0  # who has CAP_IPC_OWNER and may change what is others'
_PLAIN: Final = 2  # the version of marshal whose bytes depend on the values alone


@dataclass
class Entry:
    """What all kinds have. Times in seconds since 1970; *waiting* has a note for each thread that waits, by the name
    of its gate (see shims/posix/ipc.py)."""

    key: int
    owner: int
    group: int
    creator: int
    creator_group: int
    mode: int
    sequence: int
    changed: int
    waiting: dict[bytes, Any] = field(default_factory=dict)

    def check(self, who: Credentials, mode: int) -> None:
        """Raise OSError(EACCES) unless *who* has all of *mode*, as three permission bits (ipcperms, ipc/util.c)."""
        granted = self.mode
        if who.users.effective in (self.owner, self.creator):
            granted >>= 6
        elif {who.groups.effective, *who.supplementary} & {self.group, self.creator_group}:
            granted >>= 3
        if mode & 7 & ~granted and who.users.effective != _ROOT:
            raise OSError(errno.EACCES, "IPC permissions")

    def check_read(self, who: Credentials) -> None:
        self.check(who, _READ)

    def check_owner(self, who: Credentials) -> None:
        """Raise OSError(EPERM) unless *who* may change or remove it."""
        if who.users.effective not in (self.owner, self.creator, _ROOT):
            raise OSError(errno.EPERM, "not the owner")

    def permissions(self) -> dict[str, object]:
        """The fields of IpcPerm."""
        names = ("key", "uid", "gid", "cuid", "cgid", "mode", "seq")
        values = (self.key, self.owner, self.group, self.creator, self.creator_group, self.mode, self.sequence)
        return {f"perm.{name}": value for name, value in zip(names, values, strict=True)}

    def forget(self, pid: int) -> bool:
        """The process *pid* has ended; returns whether that changed anything."""
        return False


@dataclass
class SemaphoreSet(Entry):
    """*pids* tells who changed each value last; *undo* what each process's end adds to the values (SEM_UNDO)."""

    values: list[int] = field(default_factory=list)
    pids: list[int] = field(default_factory=list)
    operated: int = 0
    undo: dict[int, list[int]] = field(default_factory=dict)

    def forget(self, pid: int) -> bool:
        for index, change in enumerate(self.undo.pop(pid, ())):
            if change:
                self.values[index] = min(max(0, self.values[index] + change), 32767)
                self.pids[index] = pid
        return True


@dataclass
class Queue(Entry):
    """*messages* are pairs of type and text; *limit* is the most bytes of all texts."""

    messages: list[tuple[int, bytes]] = field(default_factory=list)
    limit: int = 16384
    sent: int = 0
    received: int = 0
    sender: int = 0
    receiver: int = 0


@dataclass
class Segment(Entry):
    """Shared memory of *size* bytes. *attached* counts the mappings of each process; *doomed* ones go with the last."""

    size: int = 0
    maker: int = 0
    last: int = 0
    attached_at: int = 0
    detached_at: int = 0
    attached: dict[int, int] = field(default_factory=dict)
    doomed: bool = False

    def forget(self, pid: int) -> bool:
        return self.attached.pop(pid, 0) > 0


KINDS: Final[Mapping[str, type[Entry]]] = {"sem": SemaphoreSet, "msg": Queue, "shm": Segment}

_E = TypeVar("_E", bound=Entry)


class Namespace:
    """All entries by kind and id."""

    def __init__(self, raw: bytes = b"") -> None:
        stored: Any = marshal.loads(raw) if raw else {}
        self.sequence: int = stored.get("sequence", 0)
        self.entries: dict[type[Entry], dict[int, Entry]] = {
            kind: {id: kind(*values) for id, values in stored.get(name, {}).items()} for name, kind in KINDS.items()
        }

    def pack(self) -> bytes:
        """Everything, as `Namespace` takes it."""
        plain: dict[str, object] = {"sequence": self.sequence}
        for name, kind in KINDS.items():
            names = fields(kind)
            plain[name] = {id: [getattr(each, f) for f in names] for id, each in self.entries[kind].items()}
        return marshal.dumps(plain, _PLAIN)

    def all(self, kind: type[_E]) -> dict[int, _E]:
        """Entries of one kind by id."""
        return self.entries[kind]  # type: ignore[return-value]

    def get(self, kind: type[_E], id: int) -> _E:
        """The entry *id*; raises OSError(EINVAL)."""
        found = self.all(kind).get(id)
        if found is None:
            raise OSError(errno.EINVAL, f"no id {id}")
        return found

    def find(self, kind: type[_E], key: int) -> tuple[int, _E] | None:
        """The entry with *key*, unless that is PRIVATE."""
        matches = ((id, each) for id, each in self.all(kind).items() if each.key == key != PRIVATE)
        return next(matches, None)

    def slot(self, kind: type[_E], index: int) -> tuple[int, _E]:
        """The entry at a place in the kernel's table, which the *_STAT commands walk; raises OSError(EINVAL)."""
        for id, each in self.all(kind).items():
            if id % _SLOTS == index:
                return id, each
        raise OSError(errno.EINVAL, f"nothing at {index}")

    def seen(self, kind: type[_E], id: int, command: str, who: Credentials) -> tuple[int, _E]:
        """What IPC_STAT, *_STAT or *_STAT_ANY returns, and the entry of which it tells *who*. The first takes an id,
        the others a place in the table, and the last asks for no permission. Raises OSError: EINVAL, EACCES."""
        result, entry = (0, self.get(kind, id)) if command == "IPC_STAT" else self.slot(kind, id)
        if not command.endswith("_ANY"):
            entry.check_read(who)
        return result, entry

    def highest(self, kind: type[Entry]) -> int:
        """The last place in use, 0 if there is none."""
        return max((id % _SLOTS for id in self.entries[kind]), default=0)

    def add(self, entry: Entry, most: int) -> int:
        """Give *entry* an id; raises OSError(ENOSPC) where *most* of its kind exist."""
        table = self.entries[type(entry)]
        if len(table) >= most:
            raise OSError(errno.ENOSPC, "too many")
        taken = {id % _SLOTS for id in table}
        place = next(k for k in range(len(taken) + 1) if k not in taken)
        entry.sequence = self.sequence
        self.sequence = (self.sequence + 1) % _SEQUENCES
        id = entry.sequence * _SLOTS + place
        table[id] = entry
        return id
