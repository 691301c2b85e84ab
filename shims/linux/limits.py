"""prlimit64, whose numbers have 64 bits on every CPU."""

from __future__ import annotations

import errno

from compat.abi.flags import Constant
from compat.abi.handles import Pointer
from compat.abi.structs import Record
from shims.linux.state import LinuxThread
from shims.posix.family import is_visible
from shims.posix.limits import INFINITY, change, current, to_record

_OLD_INFINITY = 0x7FFFFFFF


def prlimit64(
    thread: LinuxThread,
    pid: int,
    resource: Constant,
    limit: Pointer[Record] | None,
    old_limit: Pointer[Record] | None,
) -> None:
    """Read and set a limit of the process itself.

    Raises:
        OSError: EINVAL and EPERM as `change`; ESRCH for no process that the guest sees, EPERM for another one.
    """
    process = thread.process
    limits = current(process)
    if resource not in limits:
        raise OSError(errno.EINVAL, f"no limit {resource}")
    wanted = limit.read() if limit is not None else None
    if pid not in (0, process.pid, *process.threads):
        known = is_visible(process, pid)
        raise OSError(errno.EPERM if known else errno.ESRCH, f"process {pid}")
    old = limits[resource]
    if wanted is not None:
        change(process, resource, wanted.int("cur"), wanted.int("max"))
    if old_limit is not None:
        old_limit.write(to_record(old, INFINITY))


def old_getrlimit(thread: LinuxThread, resource: Constant, limit: Pointer[Record]) -> None:
    """getrlimit as it was on 32-bit CPUs: no number above 2**31 - 1 (kernel/sys.c). Raises OSError(EINVAL)."""
    limits = current(thread.process)
    if resource not in limits:
        raise OSError(errno.EINVAL, f"no limit {resource}")
    limit.write(to_record(limits[resource], _OLD_INFINITY))
