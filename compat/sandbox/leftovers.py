"""Private folders that outlived their run, because it was killed: found by their names, which tell whose they were."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

__all__ = ["PREFIX", "abandoned", "owner_tag"]

PREFIX = b"compat-"


def owner_tag() -> bytes:
    """What names this process in a folder's name: its pid, and the pid namespace that this holds in (0: unknown)."""
    return b"%d.%d" % (os.getpid(), _namespace())


def abandoned(parent: bytes) -> Iterator[bytes]:
    """Paths of this user's private folders in *parent* whose owner, of this pid namespace, is no more."""
    try:
        with os.scandir(parent) as entries:
            names = [entry.name for entry in entries if entry.name.startswith(PREFIX)]
    except OSError:
        return
    for name in names:
        pid, dot, namespace = name[len(PREFIX) :].partition(b"-")[0].partition(b".")
        if dot and pid.isdigit() and namespace == b"%d" % _namespace() != b"0" and not _lives(int(pid)):
            path = os.path.join(parent, name)
            if _is_ours(path):
                yield path


def _namespace() -> int:
    """The inode number of this process's pid namespace; 0 where there is no /proc (pid_namespaces(7))."""
    try:
        return os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        return 0


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass  # somebody else's, or no pid at all
    return True


def _is_ours(path: bytes) -> bool:
    try:
        state = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISDIR(state.st_mode) and state.st_uid == os.geteuid()
