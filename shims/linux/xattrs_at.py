"""Extended attributes by directory and path: the calls of Linux 6.13, whose buffers stand in a struct xattr_args."""

from __future__ import annotations

import errno
from typing import Final

from compat.abi.flags import FlagSet
from compat.abi.handles import Buffer, CString, Pointer
from compat.abi.structs import Record
from compat.sandbox.place import Place
from shims.linux.extensible import read_extensible
from shims.linux.state import LinuxThread
from shims.linux.xattrs import get_attribute, list_attributes, remove_attribute, set_attribute
from shims.posix.names import existing

_SIZE: Final = 16  # XATTR_ARGS_SIZE_VER0 of include/uapi/linux/xattr.h
_FLAGS: Final = frozenset(("AT_SYMLINK_NOFOLLOW", "AT_EMPTY_PATH"))


def setxattrat(
    thread: LinuxThread, dir: int, path: CString, flags: FlagSet, name: CString, args: Pointer[Record], size: int
) -> None:
    """setxattrat(2)."""
    _check(flags)
    given = read_extensible(thread, args, size, _SIZE)
    kinds = thread.abi.flags("XattrFlags").decode(given.int("flags"))
    value = Buffer(thread.memory, given.int("value"), given.int("size"))
    set_attribute(lambda: _place(thread, dir, path, flags), name, value, kinds)


def getxattrat(
    thread: LinuxThread, dir: int, path: CString, flags: FlagSet, name: CString, args: Pointer[Record], size: int
) -> int:
    """getxattrat(2)."""
    _check(flags)
    given = read_extensible(thread, args, size, _SIZE)
    if given.int("flags"):
        raise OSError(errno.EINVAL, "flags of xattr_args")
    value = Buffer(thread.memory, given.int("value"), given.int("size"))
    return get_attribute(lambda: _place(thread, dir, path, flags), name, value)


def listxattrat(thread: LinuxThread, dir: int, path: CString, flags: FlagSet, list: Buffer, size: int) -> int:
    """listxattrat(2)."""
    _check(flags)
    return list_attributes(lambda: _place(thread, dir, path, flags), list)


def removexattrat(thread: LinuxThread, dir: int, path: CString, flags: FlagSet, name: CString) -> None:
    """removexattrat(2)."""
    _check(flags)
    remove_attribute(lambda: _place(thread, dir, path, flags), name)


def _check(flags: FlagSet) -> None:
    if flags.unknown or flags - _FLAGS:
        raise OSError(errno.EINVAL, "flags")


def _place(thread: LinuxThread, dir: int, path: CString, flags: FlagSet) -> Place:
    follow = "AT_SYMLINK_NOFOLLOW" not in flags
    return existing(thread, dir, path, follow=follow, empty="AT_EMPTY_PATH" in flags)
