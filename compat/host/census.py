"""The census: what each process of a run tells the others of itself.

To the host, processes that serve guests are Pythons like any other, and one whose parent has ended descends from the
first no more. So each has a slot, found by its pid, in a sparse file without a name that all of them inherit.
"""

from __future__ import annotations

import marshal
import mmap
import os

from compat.data import dataclass
from compat.host.libc import member

__all__ = ["Census", "Entry"]

_SLOT = 1 << 16
_PIDS = 1 << 22  # PID_MAX_LIMIT (include/linux/threads.h)
_MOST = 16384  # bytes of one text
_HEAD = 4
_USUAL = 4096  # bytes of most slots


@dataclass(frozen=True)
class Entry:
    """*born* as in compat.host.tree.Relation; whether it has *executed* a program since its birth; its short name, its
    program's path, its arguments with a NUL behind each, the *size* of its memory in bytes, its environment as the
    arguments, and its program's *file* as device and inode number."""

    born: int
    executed: bool
    name: bytes
    program: bytes
    arguments: bytes
    size: int
    environment: bytes = b""
    file: tuple[int, int] = (0, 0)


class Census:
    """Raises OSError where the host has no such files."""

    def __init__(self) -> None:
        self._fd: int = member(os, "memfd_create")("compat-census")
        try:
            os.ftruncate(self._fd, _SLOT * _PIDS)
        except OSError:
            os.close(self._fd)
            raise

    def enter(self, pid: int, entry: Entry) -> None:
        """Let the others see *entry*."""
        texts = entry.name, entry.program[:_MOST], entry.arguments[:_MOST]
        text = marshal.dumps(
            (entry.born, entry.executed, *texts, entry.size, entry.environment[:_MOST], tuple(entry.file))
        )
        with mmap.mmap(self._fd, _SLOT, offset=pid * _SLOT) as slot:  # stores know no RLIMIT_FSIZE
            slot[:_HEAD] = bytes(_HEAD)
            slot[_HEAD : _HEAD + len(text)] = text
            slot[:_HEAD] = len(text).to_bytes(_HEAD, "little")

    def entry(self, pid: int) -> Entry | None:
        """What was last said by a process *pid*, which may have ended."""
        data = os.pread(self._fd, _USUAL, pid * _SLOT)
        size = int.from_bytes(data[:_HEAD], "little")
        if size > _USUAL - _HEAD:
            data = os.pread(self._fd, _SLOT, pid * _SLOT)
        if not 0 < size <= len(data) - _HEAD:
            return None
        try:
            return Entry(*marshal.loads(data[_HEAD : _HEAD + size]))
        except (EOFError, ValueError, TypeError):
            return None  # written just now

    def ask(self, pid: int) -> None:
        """Note that the process *pid* is about to be asked something (compat.host.questions)."""
        self._mark(pid, b"\1")

    def was_asked(self, pid: int) -> bool:
        """Whether somebody asked since this was last looked at."""
        found = os.pread(self._fd, 1, (pid + 1) * _SLOT - 1) == b"\1"
        if found:
            self._mark(pid, b"\0")
        return found

    def _mark(self, pid: int, value: bytes) -> None:
        with mmap.mmap(self._fd, mmap.PAGESIZE, offset=(pid + 1) * _SLOT - mmap.PAGESIZE) as page:
            page[-1:] = value

    def has(self, pid: int, born: int) -> bool:
        """Whether the process that was *born* then and has the pid *pid* is one of the run."""
        found = self.entry(pid) if 0 < pid < _PIDS else None
        return found is not None and found.born == born

    def pids(self) -> list[int]:
        """All that were entered and not struck out."""
        found = list[int]()
        at = 0
        while True:
            try:
                at = os.lseek(self._fd, at, os.SEEK_DATA)
            except OSError:
                return found  # ENXIO: no data behind
            found.append(at // _SLOT)
            at = (at // _SLOT + 1) * _SLOT

    def strike(self, pid: int) -> None:
        """The process *pid* is no more."""
        with mmap.mmap(self._fd, _SLOT, offset=pid * _SLOT) as slot:
            slot.madvise(mmap.MADV_REMOVE)
