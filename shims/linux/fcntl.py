"""fcntl(2): what Linux adds."""

from __future__ import annotations

import errno
import fcntl as host_fcntl
import os
from typing import Final

from compat.abi.flags import Constant, FlagSet
from compat.abi.handles import Pointer
from compat.abi.structs import Record
from shims.linux.state import LinuxThread
from shims.posix.fcntl import report_lock, take_lock
from shims.posix.host_signals import to_host
from shims.posix.names import open_file
from shims.posix.owners import change_owner_of, owner_of

__all__ = [
    "add_seals", "get_hint", "get_lease", "get_open_file_lock", "get_owner_ex", "get_pipe_size", "get_seals",
    "get_signal", "notify", "same_file", "set_hint", "set_open_file_lock", "set_owner_ex", "set_pipe_size",
    "set_signal", "wait_open_file_lock",
]  # fmt: skip

_SEALS: Final = {
    name: getattr(host_fcntl, name)
    for name in ("F_SEAL_SEAL", "F_SEAL_SHRINK", "F_SEAL_GROW", "F_SEAL_WRITE")
    if hasattr(host_fcntl, name)
} | {"F_SEAL_FUTURE_WRITE": 0x10, "F_SEAL_EXEC": 0x20}  # include/uapi/linux/fcntl.h
_F_GET_RW_HINT, _F_SET_RW_HINT, _F_NOTIFY = 1035, 1036, 1026  # the same


def get_open_file_lock(thread: LinuxThread, fd: int, cmd: Constant, lock: Pointer[Record]) -> None:
    """F_OFD_GETLK."""
    report_lock(thread, fd, lock, open_file_lock=True)


def set_open_file_lock(thread: LinuxThread, fd: int, cmd: Constant, lock: Pointer[Record]) -> None:
    """F_OFD_SETLK."""
    take_lock(thread, fd, lock, wait=False, open_file_lock=True)


def wait_open_file_lock(thread: LinuxThread, fd: int, cmd: Constant, lock: Pointer[Record]) -> None:
    """F_OFD_SETLKW."""
    take_lock(thread, fd, lock, wait=True, open_file_lock=True)


def get_owner_ex(thread: LinuxThread, fd: int, cmd: Constant, owner: Pointer[Record]) -> None:
    """F_GETOWN_EX."""
    kind, number = owner_of(thread, open_file(thread, fd))
    owner.write({"type": thread.abi.constants("FdOwnerType").encode(kind), "pid": number})


def set_owner_ex(thread: LinuxThread, fd: int, cmd: Constant, owner: Pointer[Record]) -> None:
    """F_SETOWN_EX."""
    file = open_file(thread, fd)
    record = owner.read()
    kind = thread.abi.constants("FdOwnerType").decode(record.int("type"))
    if not kind.known:
        raise OSError(errno.EINVAL, "type")
    change_owner_of(thread, file, str(kind), record.int("pid"))


def get_signal(thread: LinuxThread, fd: int, cmd: Constant) -> int:
    """F_GETSIG."""
    return open_file(thread, fd).signal


def set_signal(thread: LinuxThread, fd: int, cmd: Constant, signal: Constant) -> None:
    """F_SETSIG."""
    file = open_file(thread, fd)
    if not 0 <= signal.value <= thread.process.most_signals:
        raise OSError(errno.EINVAL, "signal")
    thread.host.fcntl(file.fd, _host("F_SETSIG"), to_host(thread.abi, signal.value))
    file.signal = signal.value


def notify(thread: LinuxThread, fd: int, cmd: Constant, events: FlagSet) -> None:
    """F_NOTIFY: signals when names or files in a directory change; nothing ever does in a synthetic one."""
    file = open_file(thread, fd)
    if not file.is_directory:
        raise OSError(errno.ENOTDIR, "fd")
    if file.opened.node is None:
        thread.host.fcntl(file.fd, _linux(_F_NOTIFY), events.value)


def get_lease(thread: LinuxThread, fd: int, cmd: Constant) -> int:
    """F_GETLEASE: none is ever held."""
    open_file(thread, fd)
    return thread.abi.constants("LockType").encode("F_UNLCK")


def same_file(thread: LinuxThread, fd: int, cmd: Constant, other: int) -> int:
    """F_DUPFD_QUERY: whether both numbers are one open file."""
    return int(open_file(thread, fd) is thread.process.files.get(other))


def get_pipe_size(thread: LinuxThread, fd: int, cmd: Constant) -> int:
    """F_GETPIPE_SZ."""
    size: int = thread.host.fcntl(open_file(thread, fd).fd, _host("F_GETPIPE_SZ"))
    return size


def set_pipe_size(thread: LinuxThread, fd: int, cmd: Constant, size: int) -> int:
    """F_SETPIPE_SZ."""
    file = open_file(thread, fd)
    if size < 0:
        raise OSError(errno.EINVAL, "size")
    given: int = thread.host.fcntl(file.fd, _host("F_SETPIPE_SZ"), size)
    return given


def get_seals(thread: LinuxThread, fd: int, cmd: Constant) -> int:
    """F_GET_SEALS."""
    bits: int = thread.host.fcntl(_sealable(thread, fd), _host("F_GET_SEALS"))
    return thread.abi.flags("SealFlags").from_host(bits, _SEALS)


def add_seals(thread: LinuxThread, fd: int, cmd: Constant, seals: FlagSet) -> None:
    """F_ADD_SEALS."""
    host_fd = _sealable(thread, fd)
    if seals.unknown:
        raise OSError(errno.EINVAL, "seals")
    thread.host.fcntl(host_fd, _host("F_ADD_SEALS"), seals.host(_SEALS))


def _sealable(thread: LinuxThread, fd: int) -> int:
    """A synthetic file is no memfd to the guest."""
    file = open_file(thread, fd)
    if file.opened.node is not None:
        raise OSError(errno.EINVAL, "fd")
    return file.fd


def get_hint(thread: LinuxThread, fd: int, cmd: Constant, hint: Pointer[int]) -> None:
    """F_GET_RW_HINT."""
    found: bytes = thread.host.fcntl(open_file(thread, fd).fd, _linux(_F_GET_RW_HINT), bytes(8))
    hint.write(int.from_bytes(found, "little"))


def set_hint(thread: LinuxThread, fd: int, cmd: Constant, hint: Pointer[int]) -> None:
    """F_SET_RW_HINT."""
    file = open_file(thread, fd)
    thread.host.fcntl(file.fd, _linux(_F_SET_RW_HINT), hint.read().to_bytes(8, "little"))


def _host(name: str) -> int:
    """The host's number of a command; raises OSError(EINVAL) where it has none."""
    number = getattr(host_fcntl, name, None)
    if number is None:
        raise OSError(errno.EINVAL, name)
    return int(number)


def _linux(number: int) -> int:
    if os.uname().sysname != "Linux":
        raise OSError(errno.EINVAL, "cmd")
    return number
