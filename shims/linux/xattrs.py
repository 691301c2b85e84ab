"""Extended attributes. Size 0 asks how large a value or list is."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Final

from compat.abi.flags import FlagSet
from compat.abi.handles import Buffer, CString
from compat.sandbox.place import Place
from shims.linux.state import LinuxThread
from shims.posix.names import existing, here, open_file

__all__ = [
    "fgetxattr", "flistxattr", "fremovexattr", "fsetxattr", "get_attribute", "getxattr", "lgetxattr",
    "list_attributes", "listxattr", "llistxattr", "lremovexattr", "lsetxattr", "remove_attribute", "removexattr",
    "set_attribute", "setxattr",
]  # fmt: skip

_MOST: Final = 65536  # XATTR_SIZE_MAX and XATTR_LIST_MAX of include/uapi/linux/limits.h
_LONGEST_NAME: Final = 255
_FLAGS: Final = {"XATTR_CREATE": 1, "XATTR_REPLACE": 2}


def setxattr(thread: LinuxThread, path: CString, name: CString, value: Buffer, size: int, flags: FlagSet) -> None:
    """setxattr(2)."""
    set_attribute(lambda: existing(thread, here(thread), path), name, value, flags)


def lsetxattr(thread: LinuxThread, path: CString, name: CString, value: Buffer, size: int, flags: FlagSet) -> None:
    """lsetxattr(2)."""
    set_attribute(lambda: existing(thread, here(thread), path, follow=False), name, value, flags)


def fsetxattr(thread: LinuxThread, fd: int, name: CString, value: Buffer, size: int, flags: FlagSet) -> None:
    """fsetxattr(2)."""
    file = open_file(thread, fd)
    set_attribute(lambda: thread.process.view.held(file.opened), name, value, flags)


def getxattr(thread: LinuxThread, path: CString, name: CString, value: Buffer, size: int) -> int:
    """getxattr(2)."""
    return get_attribute(lambda: existing(thread, here(thread), path), name, value)


def lgetxattr(thread: LinuxThread, path: CString, name: CString, value: Buffer, size: int) -> int:
    """lgetxattr(2)."""
    return get_attribute(lambda: existing(thread, here(thread), path, follow=False), name, value)


def fgetxattr(thread: LinuxThread, fd: int, name: CString, value: Buffer, size: int) -> int:
    """fgetxattr(2)."""
    file = open_file(thread, fd)
    return get_attribute(lambda: thread.process.view.held(file.opened), name, value)


def listxattr(thread: LinuxThread, path: CString, list: Buffer, size: int) -> int:
    """listxattr(2)."""
    return list_attributes(lambda: existing(thread, here(thread), path), list)


def llistxattr(thread: LinuxThread, path: CString, list: Buffer, size: int) -> int:
    """llistxattr(2)."""
    return list_attributes(lambda: existing(thread, here(thread), path, follow=False), list)


def flistxattr(thread: LinuxThread, fd: int, list: Buffer, size: int) -> int:
    """flistxattr(2)."""
    file = open_file(thread, fd)
    return list_attributes(lambda: thread.process.view.held(file.opened), list)


def removexattr(thread: LinuxThread, path: CString, name: CString) -> None:
    """removexattr(2)."""
    remove_attribute(lambda: existing(thread, here(thread), path), name)


def lremovexattr(thread: LinuxThread, path: CString, name: CString) -> None:
    """lremovexattr(2)."""
    remove_attribute(lambda: existing(thread, here(thread), path, follow=False), name)


def fremovexattr(thread: LinuxThread, fd: int, name: CString) -> None:
    """fremovexattr(2)."""
    file = open_file(thread, fd)
    remove_attribute(lambda: thread.process.view.held(file.opened), name)


def _text(name: CString) -> bytes:
    """The attribute's name; raises OSError(ERANGE) for an empty or a long one."""
    try:
        text = name.read(_LONGEST_NAME + 1)
    except ValueError:
        text = b""
    if not text:
        raise OSError(errno.ERANGE, "name")
    return text


def set_attribute(find: Callable[[], Place], name: CString, value: Buffer, flags: FlagSet) -> None:
    """Give the file at the place that *find* makes an attribute. Raises OSError: EINVAL, ERANGE, E2BIG, the host's."""
    if flags.unknown:
        raise OSError(errno.EINVAL, "flags")
    attribute = _text(name)
    if value.size > _MOST:
        raise OSError(errno.E2BIG, "size")
    data = value.read() if value.size else b""
    with find() as place:
        place.setxattr(attribute, data, flags.host(_FLAGS))


def get_attribute(find: Callable[[], Place], name: CString, value: Buffer) -> int:
    """Put the attribute into *value*; returns its size. Raises OSError: ERANGE, the host's."""
    attribute = _text(name)
    with find() as place:
        found = place.getxattr(attribute)
    return _give(found, value)


def list_attributes(find: Callable[[], Place], target: Buffer) -> int:
    """Put the names into *target*, each with a NUL; returns their size. Raises OSError: ERANGE, the host's."""
    with find() as place:
        found = place.listxattr()
    return _give(b"".join(name + b"\0" for name in found), target)


def _give(found: bytes, target: Buffer) -> int:
    if target.size:
        if len(found) > target.size:
            raise OSError(errno.ERANGE, "size")
        target.write(found)
    return len(found)


def remove_attribute(find: Callable[[], Place], name: CString) -> None:
    """Take the attribute away. Raises OSError: ERANGE, the host's."""
    attribute = _text(name)
    with find() as place:
        place.removexattr(attribute)
