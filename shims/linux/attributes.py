"""What stands behind a name: Linux's own calls, statx, and those that came before wider ids and times."""

from __future__ import annotations

import errno
import os

from compat.abi.flags import FlagSet
from compat.abi.handles import CString, Pointer
from compat.abi.structs import Record
from compat.sandbox.view import NOWHERE
from shims.linux.state import LinuxThread
from shims.posix import attributes as posix
from shims.posix.names import existing, here, open_file

__all__ = [
    "chown_narrow", "faccessat", "faccessat2", "fchmodat", "fchmodat2", "fchown_narrow", "fstatfs64",
    "lchown_narrow", "newfstatat", "statfs64", "statx", "ustat", "utime",
]  # fmt: skip

_STAT_FLAGS = {"AT_SYMLINK_NOFOLLOW", "AT_EMPTY_PATH", "AT_NO_AUTOMOUNT"}


def newfstatat(thread: LinuxThread, dir: int, path: CString, stat: Pointer[Record], flags: FlagSet) -> None:
    """newfstatat(2); also fstatat64."""
    if flags.unknown or flags - _STAT_FLAGS:
        raise OSError(errno.EINVAL, "flags")
    found = _look(thread, dir, path, flags)
    stat.write(posix.stat_fields(thread, found, stat))


def _look(thread: LinuxThread, dir: int, path: CString, flags: FlagSet) -> os.stat_result:
    follow = "AT_SYMLINK_NOFOLLOW" not in flags
    with existing(thread, dir, path, follow=follow, empty="AT_EMPTY_PATH" in flags) as place:
        return place.stat()


def statx(thread: LinuxThread, dir: int, path: CString, flags: FlagSet, mask: FlagSet, stat: Pointer[Record]) -> None:
    """statx(2): the basic fields, whatever *mask* asks for, as a file system without more gives them."""
    sync = {"AT_STATX_SYNC_AS_STAT", "AT_STATX_FORCE_SYNC", "AT_STATX_DONT_SYNC"}
    if mask.value >> 31 or flags.unknown or flags - _STAT_FLAGS - sync or not flags & sync:
        raise OSError(errno.EINVAL, "flags")
    found = _look(thread, dir, path, flags)
    fields: dict[str, object] = {
        "mask": thread.abi.flags("StatxMask").encode(["STATX_BASIC_STATS"]),
        "blksize": found.st_blksize,
        "nlink": found.st_nlink,
        "uid": found.st_uid,
        "gid": found.st_gid,
        "mode": found.st_mode,
        "ino": found.st_ino,
        "size": found.st_size,
        "blocks": found.st_blocks,
        "rdev_major": os.major(found.st_rdev),
        "rdev_minor": os.minor(found.st_rdev),
        "dev_major": os.major(found.st_dev),
        "dev_minor": os.minor(found.st_dev),
    }
    for name in ("atime", "mtime", "ctime"):
        moment: int = getattr(found, f"st_{name}_ns")
        fields[f"{name}.sec"], fields[f"{name}.nsec"] = divmod(moment, 1_000_000_000)
    stat.write(fields)


def statfs64(thread: LinuxThread, path: CString, size: int, info: Pointer[Record]) -> None:
    """statfs64(2)."""
    _check_size(thread, size, info)
    posix.statfs(thread, path, info)


def fstatfs64(thread: LinuxThread, fd: int, size: int, info: Pointer[Record]) -> None:
    """fstatfs64(2)."""
    _check_size(thread, size, info)
    posix.fstatfs(thread, fd, info)


def _check_size(thread: LinuxThread, size: int, info: Pointer[Record]) -> None:
    """EINVAL for another size; ARM also takes its padded and its packed one (sys_statfs64_wrapper)."""
    packed = thread.abi.cpu.kind == "arm" and size in (84, 88)
    if size != info.size and not packed:
        raise OSError(errno.EINVAL, "size")


# --- permissions and owners ---


def faccessat(thread: LinuxThread, dir: int, path: CString, mode: FlagSet) -> None:
    """faccessat(2), which has no flags in the kernel."""
    posix.access_at(thread, dir, path, mode)


def faccessat2(thread: LinuxThread, dir: int, path: CString, mode: FlagSet, flags: FlagSet) -> None:
    """faccessat2(2)."""
    if flags.unknown:
        raise OSError(errno.EINVAL, "flags")
    posix.access_at(
        thread,
        dir,
        path,
        mode,
        effective="AT_EACCESS" in flags,
        follow="AT_SYMLINK_NOFOLLOW" not in flags,
        empty="AT_EMPTY_PATH" in flags,
    )


def fchmodat(thread: LinuxThread, dir: int, path: CString, mode: int) -> None:
    """fchmodat(2), which has no flags in the kernel."""
    with existing(thread, dir, path) as place:
        posix.change_mode(place, mode)


def fchmodat2(thread: LinuxThread, dir: int, path: CString, mode: int, flags: FlagSet) -> None:
    """fchmodat2(2)."""
    if flags.unknown or flags - {"AT_SYMLINK_NOFOLLOW", "AT_EMPTY_PATH"}:
        raise OSError(errno.EINVAL, "flags")
    follow = "AT_SYMLINK_NOFOLLOW" not in flags
    with existing(thread, dir, path, follow=follow, empty="AT_EMPTY_PATH" in flags) as place:
        posix.change_mode(place, mode)


def chown_narrow(thread: LinuxThread, path: CString, owner: int, group: int) -> None:
    """chown with ids of 16 bits."""
    with existing(thread, here(thread), path) as place:
        posix.change_owner(place, _widened(owner), _widened(group))


def lchown_narrow(thread: LinuxThread, path: CString, owner: int, group: int) -> None:
    """lchown with ids of 16 bits."""
    with existing(thread, here(thread), path, follow=False) as place:
        posix.change_owner(place, _widened(owner), _widened(group))


def fchown_narrow(thread: LinuxThread, fd: int, owner: int, group: int) -> None:
    """fchown with ids of 16 bits."""
    with thread.process.view.held(open_file(thread, fd).opened) as place:
        posix.change_owner(place, _widened(owner), _widened(group))


def _widened(number: int) -> int:
    """low2highuid() of include/linux/highuid.h."""
    return 0xFFFF_FFFF if number == 0xFFFF else number


def utime(thread: LinuxThread, path: CString, times: Pointer[Record] | None) -> None:
    """utime(2): whole seconds."""
    moments = None
    if times is not None:
        record = times.read()
        moments = (record.int("actime"), 0), (record.int("modtime"), 0)
    posix.touch_at(thread, here(thread), path, moments, follow=True)


def ustat(thread: LinuxThread, dev: int, info: Pointer[Record]) -> None:
    """ustat(2): free blocks and inodes of the mounted file system *dev*. Raises OSError(EINVAL) if none is."""
    view = thread.process.view
    for mount in view.mounts():
        with view.resolve(mount.guest_path, NOWHERE) as place:
            if posix.device_number(place.stat().st_dev, 4) == dev:
                found = place.statfs()
                info.write({"tfree": min(found.bfree, 0x7FFFFFFF), "tinode": found.ffree & thread.abi.cpu.mask})
                return
    raise OSError(errno.EINVAL, "no such file system")
