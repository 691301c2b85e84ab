"""The machine, its clocks, and this process in it."""

from __future__ import annotations

import os
import resource
import time

from compat.host.libc import WithLibc, member


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

    def clock_gettime(self, clock: int) -> int:
        """Nanoseconds."""
        return time.clock_gettime_ns(clock)

    def clock_getres(self, clock: int) -> int:
        """Nanoseconds."""
        return round(time.clock_getres(clock) * 1_000_000_000)

    def getrandom(self, count: int, flags: int = 0) -> bytes:
        found: bytes = os.getrandom(count, flags) if hasattr(os, "getrandom") else os.urandom(count)
        return found

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

    def pidfd_open(self, pid: int, flags: int = 0) -> int:
        fd: int = member(os, "pidfd_open")(pid, flags)
        return fd
