"""/proc about the machine: memory, processors' time, load. The numbers are the host's (proc(5))."""

from __future__ import annotations

import os
import time

from compat.host import Host
from shims.linux.state import LinuxProcess
from shims.linux.system import RELEASE, VERSION

__all__ = ["DEVICES", "FILESYSTEMS", "host_text", "loadavg", "meminfo", "stat", "uptime", "version", "vmstat"]

FILESYSTEMS = (
    b"nodev\tsysfs\nnodev\tproc\nnodev\ttmpfs\nnodev\tdevtmpfs\nnodev\tdevpts\nnodev\tpipefs\nnodev\tsockfs\n\text4\n"
)
DEVICES = b"Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n136 pts\n\nBlock devices:\n"
_MOST = 1 << 20  # bytes that are read of one of the host's files
_STAT = (b"cpu", b"ctxt", b"btime", b"processes", b"procs_running", b"procs_blocked")


def host_text(host: Host, path: bytes) -> bytes:
    """The host's own file at *path*; b"" where it has none."""
    try:
        fd = host.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        pieces = list[bytes]()
        while sum(map(len, pieces)) < _MOST and (piece := host.read(fd, 1 << 16)):
            pieces.append(piece)
        return b"".join(pieces)
    except OSError:
        return b""
    finally:
        host.close(fd)


def meminfo(process: LinuxProcess) -> bytes:
    """/proc/meminfo, with no more memory than the user granted."""
    text = host_text(process.host, b"/proc/meminfo")
    most = process.options.memory
    if not text:
        text = _own_meminfo(process)
    if most is None:
        return text
    lines = text.splitlines(keepends=True)
    return b"".join(_cut(line, most // 1024) for line in lines)


def _cut(line: bytes, most: int) -> bytes:
    """A line of meminfo with at most *most* KiB, for what counts the whole of memory."""
    name, _, rest = line.partition(b":")
    if name not in (b"MemTotal", b"MemFree", b"MemAvailable"):
        return line
    return b"%-16s%8d kB\n" % (name + b":", min(int(rest.split()[0]), most))


def _own_meminfo(process: LinuxProcess) -> bytes:
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    total = pages * size // 1024
    lines = ((b"MemTotal:", total), (b"MemFree:", total // 2), (b"MemAvailable:", total // 2), (b"SwapTotal:", 0))
    return b"".join(b"%-16s%8d kB\n" % line for line in lines)


def stat(process: LinuxProcess) -> bytes:
    """/proc/stat without the list of interrupts."""
    lines = host_text(process.host, b"/proc/stat").splitlines(keepends=True)
    kept = [line for line in lines if line.startswith(_STAT)]
    if kept:
        kept.insert(sum(line.startswith(b"cpu") for line in kept), b"intr 0\n")
        return b"".join(kept)
    count = len(process.host.sched_getaffinity(0))
    zeros = b" 0" * 10 + b"\n"
    return b"cpu " + zeros + b"".join(b"cpu%d" % k + zeros for k in range(count)) + b"intr 0\nctxt 0\nbtime 0\n"


def uptime(process: LinuxProcess) -> bytes:
    return host_text(process.host, b"/proc/uptime") or b"%.2f 0.00\n" % (
        process.host.clock_gettime(time.CLOCK_MONOTONIC) / 1e9
    )


def loadavg(process: LinuxProcess) -> bytes:
    """/proc/loadavg: the last number is the youngest process that this guest can know of."""
    loads = process.host.getloadavg()
    return b"%.2f %.2f %.2f 1/%d %d\n" % (*loads, 1 + len(process.threads), process.pid)


def version(process: LinuxProcess) -> bytes:
    return b"Linux version %s (compat@compat) (compat) %s\n" % (RELEASE, VERSION)


def vmstat(process: LinuxProcess) -> bytes:
    """/proc/vmstat, the counters that programs read."""
    wanted = (b"nr_free_pages", b"pgpgin", b"pgpgout", b"pswpin", b"pswpout", b"pgfault", b"pgmajfault", b"oom_kill")
    lines = host_text(process.host, b"/proc/vmstat").splitlines(keepends=True)
    return b"".join(line for line in lines if line.split(b" ")[0] in wanted)
