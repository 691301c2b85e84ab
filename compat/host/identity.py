"""The machine, and this process in it."""

from __future__ import annotations

import errno
import os
import resource
import struct
import time
from typing import Any

from compat.data import dataclass
from compat.host.constants import LINUX, SYS_IOPRIO
from compat.host.libc import WithLibc, member


@dataclass(frozen=True)
class Sysinfo:
    """sysinfo(2): *uptime* in seconds, *loads* times 65536, sizes in bytes."""

    uptime: int
    loads: tuple[int, int, int]
    totalram: int
    freeram: int
    sharedram: int
    bufferram: int
    totalswap: int
    freeswap: int
    procs: int
    totalhigh: int
    freehigh: int


class Identity(WithLibc):
    """Calls without a file."""

    getpid = staticmethod(os.getpid)
    getppid = staticmethod(os.getppid)
    getuid = staticmethod(os.getuid)
    geteuid = staticmethod(os.geteuid)
    getgid = staticmethod(os.getgid)
    getegid = staticmethod(os.getegid)
    getgroups = staticmethod(os.getgroups)
    getpgid = staticmethod(os.getpgid)
    getsid = staticmethod(os.getsid)
    setpgid = staticmethod(os.setpgid)
    setsid = staticmethod(os.setsid)
    umask = staticmethod(os.umask)
    kill = staticmethod(os.kill)
    uname = staticmethod(os.uname)
    getloadavg = staticmethod(os.getloadavg)
    times = staticmethod(os.times)
    sleep = staticmethod(time.sleep)
    getrusage = staticmethod(resource.getrusage)
    getrlimit = staticmethod(resource.getrlimit)
    setrlimit = staticmethod(resource.setrlimit)

    def getresuid(self) -> tuple[int, int, int]:
        found: tuple[int, int, int] = getattr(os, "getresuid", lambda: (os.getuid(), os.geteuid(), os.geteuid()))()
        return found

    def getresgid(self) -> tuple[int, int, int]:
        found: tuple[int, int, int] = getattr(os, "getresgid", lambda: (os.getgid(), os.getegid(), os.getegid()))()
        return found

    def getrandom(self, count: int, flags: int = 0) -> bytes:
        found: bytes = os.getrandom(count, flags) if hasattr(os, "getrandom") else os.urandom(count)
        return found

    def sysinfo(self) -> Sysinfo:
        """Memory, load and uptime; OSError(ENOSYS) on hosts without sysinfo(2)."""
        room = self._libc.buffer(128)  # struct sysinfo, include/uapi/linux/sysinfo.h, 64-bit
        self._libc.call("sysinfo", "p", room)
        up, a, b, c, *sizes, procs, high, free_high, unit = struct.unpack_from("@l3L6LHxxxxxx2LI", room.raw)
        total, free, shared, buffers, swap, free_swap = (size * unit for size in sizes)
        return Sysinfo(
            up, (a, b, c), total, free, shared, buffers, swap, free_swap, procs, high * unit, free_high * unit
        )

    def getcpu(self) -> int:
        """The CPU that this process runs on; 0 where the host does not tell."""
        try:
            cpu: int = self._libc.call("sched_getcpu", "")
            return cpu
        except OSError:
            return 0

    def set_parent_death_signal(self, signal: int) -> None:
        """PR_SET_PDEATHSIG of prctl(2)."""
        self._libc.call("prctl", "iulll", 1, signal, 0, 0, 0)

    def set_child_subreaper(self, wanted: bool) -> None:
        """PR_SET_CHILD_SUBREAPER of prctl(2)."""
        self._libc.call("prctl", "iulll", 36, int(wanted), 0, 0, 0)

    def sched_yield(self) -> None:
        getattr(os, "sched_yield", lambda: time.sleep(0))()

    def sched_getaffinity(self, pid: int) -> set[int]:
        if hasattr(os, "sched_getaffinity"):
            return os.sched_getaffinity(pid)
        return set(range(os.cpu_count() or 1))

    def getpriority(self, which: int, who: int) -> int:
        return os.getpriority(which, who)

    def setpriority(self, which: int, who: int, priority: int) -> None:
        os.setpriority(which, who, priority)

    def fork(self) -> int:
        return os.fork()

    def wait4(self, pid: int, options: int) -> tuple[int, int, resource.struct_rusage]:
        found: tuple[int, int, resource.struct_rusage] = os.wait4(pid, options)
        return found

    def waitid(self, kind: int, which: int, options: int) -> Any:
        """os.waitid_result, or None where WNOHANG found nothing."""
        return member(os, "waitid")(kind, which, options)

    def sched_setaffinity(self, pid: int, cpus: set[int]) -> None:
        member(os, "sched_setaffinity")(pid, cpus)

    def sched_getscheduler(self, pid: int) -> int:
        policy: int = member(os, "sched_getscheduler")(pid)
        return policy

    def sched_getpriority(self, pid: int) -> int:
        """sched_getparam(2), whose struct has one number."""
        priority: int = member(os, "sched_getparam")(pid).sched_priority
        return priority

    def sched_setscheduler(self, pid: int, policy: int, priority: int) -> None:
        member(os, "sched_setscheduler")(pid, policy, member(os, "sched_param")(priority))

    def sched_rr_get_interval(self, pid: int) -> int:
        """Nanoseconds."""
        seconds: float = member(os, "sched_rr_get_interval")(pid)
        return round(seconds * 1e9)

    def pidfd_pid(self, fd: int) -> int:
        """The pid of the process that a pidfd stands for, -1 if it has ended; raises OSError(EBADF) for no pidfd."""
        with open(f"/proc/self/fdinfo/{fd}", "rb") as file:
            for line in file:
                if line.startswith(b"Pid:"):
                    return int(line.split()[1])
        raise OSError(errno.EBADF, "no pidfd")

    def ioprio_get(self, which: int, who: int) -> int:
        """ioprio_get(2); ENOSYS where its number is not known."""
        return self._libc.call("syscall", "lii", self._io_numbers()[1], which, who)

    def ioprio_set(self, which: int, who: int, priority: int) -> None:
        self._libc.call("syscall", "liii", self._io_numbers()[0], which, who, priority)

    def _io_numbers(self) -> tuple[int, int]:
        if SYS_IOPRIO is None or not LINUX:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        return SYS_IOPRIO

    def pidfd_open(self, pid: int, flags: int = 0) -> int:
        fd: int = member(os, "pidfd_open")(pid, flags)
        return fd
