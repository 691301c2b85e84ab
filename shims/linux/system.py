"""The machine and its kernel: names, load, random numbers."""

from __future__ import annotations

import errno

from compat.abi.flags import FlagSet
from compat.abi.handles import Buffer, Pointer
from compat.abi.structs import Record
from shims.linux.state import LinuxProcess, LinuxThread

__all__ = ["RELEASE", "VERSION", "getrandom", "oldolduname", "olduname", "sysinfo", "uname"]

RELEASE = b"6.12.0"
"""The kernel whose calls the tables know."""
VERSION = b"#1 SMP compat"

_MACHINES_32 = {"x86_64": b"i686", "aarch64": b"armv8l", "ppc64": b"ppc", "ppc64le": b"ppcle", "mips64": b"mips"}
"""What PER_LINUX32 makes of a 64-bit machine (COMPAT_UTS_MACHINE of each architecture)."""

_CHUNK = 1 << 20


def uname(thread: LinuxThread, info: Pointer[Record]) -> None:
    """The names of the system: what this project is to the guest, and the host's node name."""
    info.write(_names(thread, 65))


def olduname(thread: LinuxThread, info: Pointer[Record]) -> None:
    """uname without the domain."""
    info.write(_names(thread, 65))


def oldolduname(thread: LinuxThread, info: Pointer[Record]) -> None:
    """uname with names of at most eight bytes."""
    info.write(_names(thread, 9))


def _names(thread: LinuxThread, size: int) -> dict[str, object]:
    found = {
        "sysname": b"Linux",
        "nodename": thread.host.uname().nodename.encode(),
        "release": _release(thread.process),
        "version": VERSION,
        "machine": _machine(thread.process),
        "domainname": b"(none)",
    }
    return {field: text[: size - 1] for field, text in found.items()}


def _machine(process: LinuxProcess) -> bytes:
    machine = process.abi.cpu.machine
    wants_32 = process.personality & 0xFF == process.abi.flags("Personality").values["PER_LINUX32"]
    return _MACHINES_32.get(machine, machine.encode()) if wants_32 else machine.encode()


def _release(process: LinuxProcess) -> bytes:
    """UNAME26: version 6.x calls itself 2.6.(60 + x) (kernel/sys.c, override_release)."""
    if not process.personality & process.abi.flags("Personality").values["UNAME26"]:
        return RELEASE
    return b"2.6.%d" % (60 + int(RELEASE.split(b".")[1]))


def getrandom(thread: LinuxThread, buf: Buffer, count: int, flags: FlagSet) -> int:
    """Random bytes. Raises OSError(EINVAL) for unknown flags or GRND_RANDOM with GRND_INSECURE."""
    if flags.unknown or {"GRND_RANDOM", "GRND_INSECURE"} <= flags:
        raise OSError(errno.EINVAL, "getrandom flags")
    done = 0
    for view in buf.views(write=True, limit=0x7FFFFFFF):
        for start in range(0, len(view), _CHUNK):
            piece = view[start : start + _CHUNK]
            piece[:] = thread.host.getrandom(len(piece))
            done += len(piece)
    return done


def sysinfo(thread: LinuxThread, info: Pointer[Record]) -> None:
    """Memory, load and uptime. Where a number would not fit, the unit of memory grows to a page (kernel/sys.c)."""
    found = thread.host.sysinfo()
    memory = {field: getattr(found, field) for field in _MEMORY}
    unit = 1
    if thread.abi.cpu.bits == 32 and max(memory.values()) >= 1 << 32:
        unit = 4096
    values: dict[str, object] = {field: size // unit for field, size in memory.items()}
    info.write({**values, "uptime": found.uptime, "loads": found.loads, "procs": found.procs, "mem_unit": unit})


_MEMORY = ("totalram", "freeram", "sharedram", "bufferram", "totalswap", "freeswap", "totalhigh", "freehigh")
