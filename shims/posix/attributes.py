"""What stands behind a name: stat, permissions, owners, times."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from typing import Final

from compat.abi.flags import FlagSet
from compat.abi.handles import CString, Pointer
from compat.abi.structs import Layout, Record
from compat.data import asdict
from compat.host import UTIME_NOW, UTIME_OMIT, Statfs, Times
from compat.sandbox.place import Place
from shims.posix.names import existing, here, open_file
from shims.posix.state import PosixThread

__all__ = [
    "access", "access_at", "change_mode", "change_owner", "chmod", "chown", "fchmod", "fchown", "fchownat", "fstat",
    "fstatfs", "futimesat", "lchown", "lstat", "stat", "stat_fields", "statfs", "statfs_fields", "times_of",
    "touch_at", "umask", "utimensat", "utimes",
]  # fmt: skip

_ACCESS: Final = {"R_OK": os.R_OK, "W_OK": os.W_OK, "X_OK": os.X_OK}
_OVERFLOW_ID = 65534  # overflowuid of Linux's kernel/sys.c
_MOST_SMALL_SIZE = 0x7FFF_FFFF  # MAX_NON_LFS


# --- stat ---


def stat(thread: PosixThread, path: CString, stat: Pointer[Record]) -> None:
    """stat(2); also stat64."""
    with existing(thread, here(thread), path) as place:
        found = place.stat()
    stat.write(stat_fields(thread, found, stat))


def lstat(thread: PosixThread, path: CString, stat: Pointer[Record]) -> None:
    """lstat(2); also lstat64."""
    with existing(thread, here(thread), path, follow=False) as place:
        found = place.stat()
    stat.write(stat_fields(thread, found, stat))


def fstat(thread: PosixThread, fd: int, stat: Pointer[Record]) -> None:
    """fstat(2); also fstat64."""
    found = thread.process.view.fstat(thread.process.files.get(fd).opened)
    stat.write(stat_fields(thread, found, stat))


def stat_fields(thread: PosixThread, found: os.stat_result, target: Pointer[Record]) -> Mapping[str, object]:
    """The fields of any struct stat.

    Raises OSError(EOVERFLOW) as cp_new_stat() of Linux's fs/stat.c: a size that off_t can't hold, an old device number.
    """
    layout = target.codec
    assert isinstance(layout, Layout)
    widths = layout.widths
    if widths.get("size") == 4 and found.st_size > _MOST_SMALL_SIZE:
        raise OSError(errno.EOVERFLOW, "size")
    fields: dict[str, object] = {
        "dev": device_number(found.st_dev, widths["dev"]),
        "ino": found.st_ino,
        "mode": found.st_mode,
        "nlink": found.st_nlink,
        "uid": _narrow_id(found.st_uid, widths["uid"]),
        "gid": _narrow_id(found.st_gid, widths["gid"]),
        "rdev": device_number(found.st_rdev, widths["rdev"]),
        "size": found.st_size,
        "blksize": found.st_blksize,
        "blocks": found.st_blocks,
    }
    for name in ("atime", "mtime", "ctime"):
        moment: int = getattr(found, f"st_{name}_ns")
        fields[name] = fields[f"{name}.sec"] = moment // 1_000_000_000
        fields[f"{name}_nsec"] = fields[f"{name}.nsec"] = moment % 1_000_000_000
    fields["short_ino"] = found.st_ino & 0xFFFF_FFFF
    return fields


def device_number(device: int, width: int) -> int:
    """Encode as include/linux/kdev_t.h: old_encode_dev for 2 bytes (EOVERFLOW beyond 8:8), else new_encode_dev."""
    major, minor = os.major(device), os.minor(device)
    if width < 4:
        if major > 0xFF or minor > 0xFF:
            raise OSError(errno.EOVERFLOW, "device number")
        return major << 8 | minor
    return minor & 0xFF | major << 8 | (minor & ~0xFF) << 12


def _narrow_id(number: int, width: int) -> int:
    return _OVERFLOW_ID if width < 4 and number > 0xFFFF else number


def statfs(thread: PosixThread, path: CString, info: Pointer[Record]) -> None:
    """statfs(2)."""
    with existing(thread, here(thread), path) as place:
        found = place.statfs()
    info.write(statfs_fields(found))


def fstatfs(thread: PosixThread, fd: int, info: Pointer[Record]) -> None:
    """fstatfs(2)."""
    with thread.process.view.held(thread.process.files.get(fd).opened) as place:
        found = place.statfs()
    info.write(statfs_fields(found))


def statfs_fields(found: Statfs) -> dict[str, object]:
    fsid = found.fsid & 0xFFFF_FFFF_FFFF_FFFF
    halves = tuple(part - (part >> 31 << 32) for part in (fsid & 0xFFFF_FFFF, fsid >> 32))
    return {**asdict(found), "fsid": halves}


# --- permissions and owners ---


def access(thread: PosixThread, path: CString, mode: FlagSet) -> None:
    """access(2)."""
    access_at(thread, here(thread), path, mode)


def access_at(
    thread: PosixThread,
    dir: int,
    path: CString,
    mode: FlagSet,
    *,
    effective: bool = False,
    follow: bool = True,
    empty: bool = False,
) -> None:
    """What faccessat2 does; raises OSError(EINVAL) for an unknown bit in *mode*."""
    if mode.unknown:
        raise OSError(errno.EINVAL, "mode")
    with existing(thread, dir, path, follow=follow, empty=empty) as place:
        place.stat()
        place.access(mode.host(_ACCESS), effective=effective)


def chmod(thread: PosixThread, path: CString, mode: int) -> None:
    """chmod(2)."""
    with existing(thread, here(thread), path) as place:
        change_mode(place, mode)


def fchmod(thread: PosixThread, fd: int, mode: int) -> None:
    """fchmod(2)."""
    with thread.process.view.held(open_file(thread, fd).opened) as place:
        change_mode(place, mode)


def change_mode(place: Place, mode: int) -> None:
    place.chmod(mode & 0o7777)


def chown(thread: PosixThread, path: CString, owner: int, group: int) -> None:
    """chown(2)."""
    with existing(thread, here(thread), path) as place:
        change_owner(place, owner, group)


def lchown(thread: PosixThread, path: CString, owner: int, group: int) -> None:
    """lchown(2)."""
    with existing(thread, here(thread), path, follow=False) as place:
        change_owner(place, owner, group)


def fchown(thread: PosixThread, fd: int, owner: int, group: int) -> None:
    """fchown(2)."""
    with thread.process.view.held(open_file(thread, fd).opened) as place:
        change_owner(place, owner, group)


def fchownat(thread: PosixThread, dir: int, path: CString, owner: int, group: int, flags: FlagSet) -> None:
    """fchownat(2)."""
    if flags.unknown or flags - {"AT_SYMLINK_NOFOLLOW", "AT_EMPTY_PATH"}:
        raise OSError(errno.EINVAL, "flags")
    follow = "AT_SYMLINK_NOFOLLOW" not in flags
    with existing(thread, dir, path, follow=follow, empty="AT_EMPTY_PATH" in flags) as place:
        change_owner(place, owner, group)


def change_owner(place: Place, owner: int, group: int) -> None:
    """Ids of 32 bits; all ones leave one as it is."""
    place.chown(-1 if owner == 0xFFFF_FFFF else owner, -1 if group == 0xFFFF_FFFF else group)


def umask(thread: PosixThread, mode: int) -> int:
    """umask(2). The host's mask is the guest's, so that the host applies it, default ACLs and all."""
    thread.process.umask = mode & 0o777
    return thread.host.umask(mode & 0o777)


# --- times ---


def utimes(thread: PosixThread, path: CString, times: Pointer[Record] | None) -> None:
    """utimes(2)."""
    touch_at(thread, here(thread), path, _times_of_timevals(times), follow=True)


def futimesat(thread: PosixThread, dir: int, path: CString | None, times: Pointer[Record] | None) -> None:
    """futimesat(2)."""
    touch_at(thread, dir, path, _times_of_timevals(times), follow=True)


def utimensat(
    thread: PosixThread, dir: int, path: CString | None, times: Pointer[Record] | None, flags: FlagSet
) -> None:
    """utimensat(2)."""
    chosen = times_of(times)
    if chosen == ((0, UTIME_OMIT), (0, UTIME_OMIT)):
        return
    if flags.unknown or flags - {"AT_SYMLINK_NOFOLLOW", "AT_EMPTY_PATH"} or (path is None and flags):
        raise OSError(errno.EINVAL, "flags")
    follow = "AT_SYMLINK_NOFOLLOW" not in flags
    touch_at(thread, dir, path, chosen, follow=follow, empty="AT_EMPTY_PATH" in flags)


def touch_at(
    thread: PosixThread, dir: int, path: CString | None, times: Times | None, *, follow: bool, empty: bool = False
) -> None:
    """Set both times; no *path* means the open file *dir*."""
    if path is None:
        if dir == here(thread):
            raise OSError(errno.EFAULT, "path")
        place = thread.process.view.held(open_file(thread, dir).opened)
    else:
        place = existing(thread, dir, path, follow=follow, empty=empty)
    with place:
        place.utime(times)


_GUEST_NOW, _GUEST_OMIT = 0x3FFF_FFFF, 0x3FFF_FFFE  # UTIME_* of include/linux/stat.h, on every CPU


def times_of(times: Pointer[Record] | None) -> Times | None:
    """The two timespecs; raises OSError(EINVAL) for impossible nanoseconds."""
    if times is None:
        return None
    record = times.read()
    return _moment(record, "access"), _moment(record, "modify")


def _moment(record: Record, name: str) -> tuple[int, int]:
    seconds, fraction = record.int(f"{name}.sec"), record.int(f"{name}.nsec")
    if fraction == _GUEST_NOW:
        return 0, UTIME_NOW
    if fraction == _GUEST_OMIT:
        return 0, UTIME_OMIT
    if not 0 <= fraction < 1_000_000_000:
        raise OSError(errno.EINVAL, "nanoseconds")
    return seconds, fraction


def _times_of_timevals(times: Pointer[Record] | None) -> Times | None:
    if times is None:
        return None
    record = times.read()
    moments = [(record.int(f"{name}.sec"), record.int(f"{name}.usec")) for name in ("access", "modify")]
    if any(not 0 <= micro < 1_000_000 for _, micro in moments):
        raise OSError(errno.EINVAL, "microseconds")
    (first, first_micro), (second, second_micro) = moments
    return (first, first_micro * 1000), (second, second_micro * 1000)
