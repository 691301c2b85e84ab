"""Who a process is: file-system ids, and the 16-bit ids that x86 and arm were born with."""

from __future__ import annotations

import errno

from compat.abi.handles import ArrayHandle, Pointer
from shims.linux.state import LinuxThread
from shims.posix import identity
from shims.posix.becoming import become_group, become_user
from shims.posix.credentials import NO_CHANGE

# --- file-system ids ---


def setfsuid(thread: LinuxThread, uid: int) -> int:
    """Set the user of file accesses if the process may; returns the old one, whatever happened."""
    users = thread.process.credentials.users
    become_user(thread, users.change_files(uid, identity.may_become_user(thread)))
    return users.files


def setfsgid(thread: LinuxThread, gid: int) -> int:
    """Set the group of file accesses if the process may; returns the old one, whatever happened."""
    groups = thread.process.credentials.groups
    become_group(thread, groups.change_files(gid, identity.may_become_group(thread)))
    return groups.files


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
