"""Capabilities (capabilities(7)): those of the host process, less what compat does for nobody.

A program that is started never gains any, as with no_new_privs: what the host process has given up is gone.
"""

from __future__ import annotations

import errno
from typing import Final

from compat.abi.flags import Constant
from compat.abi.handles import Pointer
from compat.abi.structs import Record
from compat.host import Capabilities
from shims.linux.state import LinuxProcess, LinuxThread
from shims.posix.becoming import become_group, become_user
from shims.posix.credentials import Ids
from shims.posix.family import check_visible
from shims.posix.state import PosixProcess

__all__ = ["granted", "keep_through_execve"]

_GRANTED: Final = (
    *("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID"),
    *("CAP_SETUID", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_IPC_OWNER", "CAP_SYS_CHROOT", "CAP_SYS_NICE"),
    "CAP_SETFCAP",
)
"""What calls of a guest come to that need it. The others would lead out of the guest's own world."""

_WORDS: Final = {"_LINUX_CAPABILITY_VERSION_1": 1, "_LINUX_CAPABILITY_VERSION_2": 2, "_LINUX_CAPABILITY_VERSION_3": 2}
_PREFERRED: Final = "_LINUX_CAPABILITY_VERSION_3"
_LOW: Final = 0xFFFF_FFFF
_INIT: Final = 1
_NOROOT: Final = 1 << 0  # SECBIT_NOROOT of linux/securebits.h
_AMBIENT_IS_SET, _AMBIENT_CLEAR_ALL = 1, 4  # PR_CAP_AMBIENT_* of linux/prctl.h


def granted(process: PosixProcess) -> int:
    """The capabilities that a guest may have at all, as a set of bits."""
    numbers = process.abi.constants("Capability").values
    return sum(1 << numbers[name] for name in _GRANTED)


def own(process: PosixProcess) -> Capabilities:
    """Those of the process."""
    mask, found = granted(process), process.host.capget()
    return Capabilities(found.effective & mask, found.permitted & mask, found.inheritable & mask)


# --- capget and capset ---


def capget(thread: LinuxThread, header: Pointer[Record], data: int) -> None:
    """The capabilities of a process. Those of the first, which is out of sight, are not told, but there is one.

    Raises:
        OSError: EINVAL for an unknown version (the known one is written back), ESRCH for no process.
    """
    words = _words(thread, header, probe=not data)
    if not words:
        return
    pid = header.read().int("pid")
    if pid < 0:
        raise OSError(errno.EINVAL, "capget pid")
    found = _of(thread, pid)
    sets = {"effective": found.effective, "permitted": found.permitted, "inheritable": found.inheritable}
    layout = thread.abi.layout("CapData")
    parts = ({name: bits >> 32 * k & _LOW for name, bits in sets.items()} for k in range(words))
    thread.memory.write(data, b"".join(map(layout.pack, parts)))


def _of(thread: LinuxThread, pid: int) -> Capabilities:
    process = thread.process
    if pid == _INIT and pid not in process.threads:
        return Capabilities(0, 0, 0)
    if pid in (0, *process.threads) or check_visible(process, pid) == process.pid:
        return own(process)
    mask = granted(process)
    found = process.host.rights(pid)
    return Capabilities(found["CapEff"] & mask, found["CapPrm"] & mask, found["CapInh"] & mask)


def capset(thread: LinuxThread, header: Pointer[Record], data: int) -> None:
    """Give up capabilities, or make others of those permitted effective.

    Raises:
        OSError: EINVAL for an unknown version, EPERM for another process or what is not permitted.
    """
    words = _words(thread, header, probe=False)
    process = thread.process
    if header.read().int("pid") not in (0, process.pid, thread.id):
        raise OSError(errno.EPERM, "capabilities of another process")
    layout = thread.abi.layout("CapData")
    parts = [layout.unpack(thread.memory.read(data + k * layout.size, layout.size)) for k in range(words)]
    names = ("effective", "permitted", "inheritable")
    wanted = Capabilities(*(sum(part.int(name) << 32 * k for k, part in enumerate(parts)) for name in names))
    now = own(process)
    if wanted == now:
        return
    if (wanted.permitted | wanted.inheritable) & ~granted(process):
        raise OSError(errno.EPERM, "a capability that no guest has")
    process.prepare_change(process.credentials.users)
    process.host.capset(wanted)
    process.renew_helpers()


def _words(thread: LinuxThread, header: Pointer[Record], *, probe: bool) -> int:
    """How many CapData follow; 0 for a *probe* that only asks for the version."""
    found, versions = header.read(), thread.abi.constants("CapVersion")
    words = _WORDS.get(versions.decode(found.int("version")), 0)
    if not words:
        header.write({**found, "version": versions.encode(_PREFERRED)})
        if not probe:
            raise OSError(errno.EINVAL, "capability version")
    return 0 if probe else words


# --- prctl ---


def set_keep(thread: LinuxThread, option: Constant, value: int) -> None:
    """PR_SET_KEEPCAPS. Raises OSError(EINVAL) for another value than 0 and 1."""
    if value not in (0, 1):
        raise OSError(errno.EINVAL, "neither 0 nor 1")
    if thread.process.keep_capabilities != bool(value):
        thread.host.set_keep_capabilities(bool(value))
        thread.process.keep_capabilities = bool(value)
        thread.process.renew_helpers()


def get_keep(thread: LinuxThread, option: Constant) -> int:
    return int(thread.process.keep_capabilities)


def read_bounding_set(thread: LinuxThread, option: Constant, capability: Constant) -> int:
    """Whether the capability is in the bounding set. Raises OSError(EINVAL) for a number that is none."""
    bit = 1 << _number(capability)
    return int(bool(bit & granted(thread.process)) and thread.host.in_bounding_set(capability.value))


def drop_from_bounding_set(thread: LinuxThread, option: Constant, capability: Constant) -> None:
    """Raises OSError: EINVAL for no capability, EPERM without CAP_SETPCAP."""
    thread.host.drop_from_bounding_set(_number(capability))
    thread.process.touched_credentials = True


def _number(capability: Constant) -> int:
    if not capability.known:
        raise OSError(errno.EINVAL, "no such capability")
    return capability.value


def change_ambient(thread: LinuxThread, option: Constant, operation: int, capability: int, arg4: int, arg5: int) -> int:
    """PR_CAP_AMBIENT, which raises only what is permitted and inheritable. Raises OSError: EINVAL, EPERM."""
    if arg4 or arg5 or (operation == _AMBIENT_CLEAR_ALL and capability):
        raise OSError(errno.EINVAL, "PR_CAP_AMBIENT arguments")
    thread.process.touched_credentials = True
    return thread.host.ambient(operation, capability)


def get_secure_bits(thread: LinuxThread, option: Constant) -> int:
    return thread.host.get_secure_bits()


def set_secure_bits(thread: LinuxThread, option: Constant, bits: int) -> None:
    """Raises OSError(EPERM) without CAP_SETPCAP, and for locked or unknown bits."""
    thread.host.set_secure_bits(bits)
    thread.process.renew_helpers()


# --- execve ---


def keep_through_execve(thread: LinuxThread) -> None:
    """What the process has left of its capabilities and ids with another program (cap_bprm_creds_from_file() of
    security/commoncap.c with no_new_privs)."""
    process = thread.process
    host, users, groups = process.host, process.credentials.users, process.credentials.groups
    if process.keep_capabilities:
        host.set_keep_capabilities(False)
        process.keep_capabilities = False
    now, root = host.capget(), not host.get_secure_bits() & _NOROOT
    ambient = _ambient(process, now)
    permitted = now.permitted if root and 0 in (users.real, users.effective) else ambient
    effective = permitted if root and not users.effective else ambient
    if (effective, permitted) != (now.effective, now.permitted):
        host.capset(Capabilities(effective, permitted, now.inheritable))
    process.renew_helpers()
    become_user(thread, Ids(users.real, *[users.effective] * 3))
    become_group(thread, Ids(groups.real, *[groups.effective] * 3))


def _ambient(process: LinuxProcess, now: Capabilities) -> int:
    possible = now.permitted & now.inheritable
    bits = (1 << n for n in range(possible.bit_length()) if possible >> n & 1)
    return sum(bit for bit in bits if process.host.ambient(_AMBIENT_IS_SET, bit.bit_length() - 1))
