"""Who a process is: file-system ids, capabilities, and the 16-bit ids that x86 and arm were born with."""

from __future__ import annotations

import errno

from compat.abi.handles import ArrayHandle, Pointer
from compat.abi.structs import Record
from shims.linux.state import LinuxThread
from shims.posix import identity
from shims.posix.credentials import NO_CHANGE
from shims.posix.family import check_visible

# --- file-system ids ---


def setfsuid(thread: LinuxThread, uid: int) -> int:
    """Set the user of file accesses if the process may; returns the old one, whatever happened."""
    credentials = thread.process.credentials
    old = credentials.users.files
    credentials.users = credentials.users.change_files(uid)
    return old


def setfsgid(thread: LinuxThread, gid: int) -> int:
    """Set the group of file accesses if the process may; returns the old one, whatever happened."""
    credentials = thread.process.credentials
    old = credentials.groups.files
    credentials.groups = credentials.groups.change_files(gid)
    return old


# --- capabilities: a guest has none ---

_WORDS = {"_LINUX_CAPABILITY_VERSION_1": 1, "_LINUX_CAPABILITY_VERSION_2": 2, "_LINUX_CAPABILITY_VERSION_3": 2}
_INIT = 1
_PREFERRED = "_LINUX_CAPABILITY_VERSION_3"


def capget(thread: LinuxThread, header: Pointer[Record], data: int) -> None:
    """The capabilities of a process: none. Those of the first, which is out of sight, are not told, but there is one.

    Raises:
        OSError: EINVAL for an unknown version (the known one is written back), ESRCH for no process.
    """
    words = _capability_words(thread, header, probe=not data)
    if not words:
        return
    pid = header.read().int("pid")
    if pid < 0:
        raise OSError(errno.EINVAL, "capget pid")
    if pid != _INIT:
        check_visible(thread.process, pid)
    thread.memory.write(data, bytes(words * thread.abi.layout("CapData").size))


def capset(thread: LinuxThread, header: Pointer[Record], data: int) -> None:
    """Give up capabilities, of which there are none.

    Raises:
        OSError: EINVAL for an unknown version, EPERM for another process or for a capability that is asked for.
    """
    words = _capability_words(thread, header, probe=False)
    if header.read().int("pid") not in (0, thread.process.pid, thread.id):
        raise OSError(errno.EPERM, "capabilities of another process")
    if any(thread.memory.read(data, words * thread.abi.layout("CapData").size)):
        raise OSError(errno.EPERM, "no capability can be gained")


def _capability_words(thread: LinuxThread, header: Pointer[Record], *, probe: bool) -> int:
    """How many CapData follow; 0 for a *probe* that only asks for the version."""
    found, versions = header.read(), thread.abi.constants("CapVersion")
    words = _WORDS.get(versions.decode(found.int("version")), 0)
    if not words:
        header.write({**found, "version": versions.encode(_PREFERRED)})
        if not probe:
            raise OSError(errno.EINVAL, "capability version")
    return 0 if probe else words


# --- 16-bit ids: 0xffff leaves an id as it is, and stands in no result (include/linux/highuid.h) ---

_OVERFLOW = 65534


def _low(wide: int) -> int:
    return wide if wide < 0x10000 else _OVERFLOW


def _wide(low: int) -> int:
    return NO_CHANGE if low == 0xFFFF else low


def getuid16(thread: LinuxThread) -> int:
    return _low(identity.getuid(thread))


def geteuid16(thread: LinuxThread) -> int:
    return _low(identity.geteuid(thread))


def getgid16(thread: LinuxThread) -> int:
    return _low(identity.getgid(thread))


def getegid16(thread: LinuxThread) -> int:
    return _low(identity.getegid(thread))


def setuid16(thread: LinuxThread, uid: int) -> None:
    """See setuid. Raises OSError: EPERM, EINVAL."""
    identity.setuid(thread, _wide(uid))


def setgid16(thread: LinuxThread, gid: int) -> None:
    """See setgid. Raises OSError: EPERM, EINVAL."""
    identity.setgid(thread, _wide(gid))


def setreuid16(thread: LinuxThread, real: int, effective: int) -> None:
    """See setreuid. Raises OSError(EPERM)."""
    identity.setreuid(thread, _wide(real), _wide(effective))


def setregid16(thread: LinuxThread, real: int, effective: int) -> None:
    """See setregid. Raises OSError(EPERM)."""
    identity.setregid(thread, _wide(real), _wide(effective))


def setresuid16(thread: LinuxThread, real: int, effective: int, saved: int) -> None:
    """See setresuid. Raises OSError(EPERM)."""
    identity.setresuid(thread, _wide(real), _wide(effective), _wide(saved))


def setresgid16(thread: LinuxThread, real: int, effective: int, saved: int) -> None:
    """See setresgid. Raises OSError(EPERM)."""
    identity.setresgid(thread, _wide(real), _wide(effective), _wide(saved))


def getresuid16(thread: LinuxThread, real: Pointer[int], effective: Pointer[int], saved: Pointer[int]) -> None:
    users = thread.process.credentials.users
    for place, value in ((real, users.real), (effective, users.effective), (saved, users.saved)):
        place.write(_low(value))


def getresgid16(thread: LinuxThread, real: Pointer[int], effective: Pointer[int], saved: Pointer[int]) -> None:
    groups = thread.process.credentials.groups
    for place, value in ((real, groups.real), (effective, groups.effective), (saved, groups.saved)):
        place.write(_low(value))


def getgroups16(thread: LinuxThread, count: int, groups: ArrayHandle[int]) -> int:
    """See getgroups. Raises OSError(EINVAL)."""
    found = thread.process.credentials.supplementary
    if count < 0 or 0 < count < len(found):
        raise OSError(errno.EINVAL, "fewer places than groups")
    if count:
        groups.write([_low(group) for group in found])
    return len(found)


def setfsuid16(thread: LinuxThread, uid: int) -> int:
    return _low(setfsuid(thread, _wide(uid)))


def setfsgid16(thread: LinuxThread, gid: int) -> int:
    return _low(setfsgid(thread, _wide(gid)))
