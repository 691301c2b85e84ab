"""/proc/locks: the locks that the guest's own processes hold or wait for (proc_locks(5))."""

from __future__ import annotations

from shims.linux.proc_machine import host_text
from shims.linux.state import LinuxProcess
from shims.posix.family import visible

__all__ = ["locks"]

_PID = 4  # which word of a line tells who took the lock


def locks(process: LinuxProcess) -> bytes:
    """The host's lines of those processes; locks of open files belong to none."""
    own = {b"%d" % pid for pid in (process.pid, *visible(process))}
    shown = list[bytes]()
    for line in host_text(process.host, b"/proc/locks").splitlines():
        words = line.replace(b"->", b"").split()
        if len(words) > _PID and words[_PID] in own:
            shown.append(b"%d: %s\n" % (len(shown) + 1, line.partition(b": ")[2]))
    return b"".join(shown)
