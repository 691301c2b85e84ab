"""Files by directory descriptor and name: the *at family.

The last name is never followed when it is a symbolic link, unless a flag of the caller says so.
"""

from __future__ import annotations

import errno
import os
import stat
import struct

from compat.data import dataclass
from compat.host._libc import ffi, lib
from compat.host.constants import (
    AT_FDCWD,
    AT_REMOVEDIR,
    AT_SYMLINK_FOLLOW,
    AT_SYMLINK_NOFOLLOW,
    LINUX,
    RENAME_EXCHANGE,
    RENAME_EXCL_DARWIN,
    RENAME_NOREPLACE,
    RENAME_SWAP_DARWIN,
    SYS_OPENAT2,
)
from compat.host.libc import Times, WithLibc, member, raise_errno, timespecs


@dataclass(frozen=True)
class Dirent:
    """One name of a directory; *type* is the S_IFMT part of a mode (stat.S_IFDIR ...)."""

    name: bytes
    ino: int
    type: int


@dataclass(frozen=True)
class Statfs:
    """statfs(2): counts are in units of *bsize* bytes."""

    type: int
    bsize: int
    blocks: int
    bfree: int
    bavail: int
    files: int
    ffree: int
    fsid: int
    namelen: int
    frsize: int
    flags: int


class Names(WithLibc):
    """Calls that take a directory descriptor and a name."""

    def openat(self, dir_fd: int, name: bytes, flags: int, mode: int = 0o777) -> int:
        return os.open(name, flags, mode, dir_fd=dir_fd)

    def openat2(self, dir_fd: int, name: bytes, flags: int, mode: int, resolve: int) -> int:
        """openat2(2), *resolve* a mask of RESOLVE_*; ENOSYS before Linux 5.6 and on other systems."""
        how = struct.pack("QQQ", flags | os.O_CLOEXEC, mode, resolve)
        if not LINUX:
            raise_errno(errno.ENOSYS)
        fd: int = lib.syscall(SYS_OPENAT2, dir_fd, name, how, len(how))
        return fd if fd >= 0 else raise_errno(ffi.errno)

    def fstatat(self, dir_fd: int, name: bytes, flags: int = AT_SYMLINK_NOFOLLOW) -> os.stat_result:
        return os.stat(name, dir_fd=dir_fd, follow_symlinks=not flags & AT_SYMLINK_NOFOLLOW)

    def readlinkat(self, dir_fd: int, name: bytes) -> bytes:
        return os.readlink(name, dir_fd=dir_fd)

    def unlinkat(self, dir_fd: int, name: bytes, flags: int = 0) -> None:
        if flags & AT_REMOVEDIR:
            os.rmdir(name, dir_fd=dir_fd)
        else:
            os.unlink(name, dir_fd=dir_fd)

    def mkdirat(self, dir_fd: int, name: bytes, mode: int) -> None:
        os.mkdir(name, mode, dir_fd=dir_fd)

    def mknodat(self, dir_fd: int, name: bytes, mode: int, device: int = 0) -> None:
        os.mknod(name, mode, device, dir_fd=dir_fd)

    def symlinkat(self, target: bytes, dir_fd: int, name: bytes) -> None:
        os.symlink(target, name, dir_fd=dir_fd)

    def linkat(self, old_dir: int, old: bytes, new_dir: int, new: bytes, flags: int = 0) -> None:
        follow = bool(flags & AT_SYMLINK_FOLLOW)
        os.link(old, new, src_dir_fd=old_dir, dst_dir_fd=new_dir, follow_symlinks=follow)

    def renameat(self, old_dir: int, old: bytes, new_dir: int, new: bytes) -> None:
        os.rename(old, new, src_dir_fd=old_dir, dst_dir_fd=new_dir)

    def renameat2(self, old_dir: int, old: bytes, new_dir: int, new: bytes, flags: int) -> None:
        """renameat2(2) with Linux flags; macOS has the first two of them as renameatx_np(2)."""
        if LINUX:
            self._libc.call("renameat2", "isisu", old_dir, old, new_dir, new, flags)
            return
        known = {RENAME_NOREPLACE: RENAME_EXCL_DARWIN, RENAME_EXCHANGE: RENAME_SWAP_DARWIN}
        name = "renameatx_np" if flags in known else "renameat2"
        self._libc.call(name, "isisu", old_dir, old, new_dir, new, known.get(flags, 0))

    def fchmodat(self, dir_fd: int, name: bytes, mode: int, flags: int = AT_SYMLINK_NOFOLLOW) -> None:
        """EOPNOTSUPP for a symbolic link with AT_SYMLINK_NOFOLLOW on Linux."""
        self._libc.call("fchmodat", "isui", dir_fd, name, mode, flags)

    def fchownat(self, dir_fd: int, name: bytes, owner: int, group: int, flags: int = AT_SYMLINK_NOFOLLOW) -> None:
        os.chown(name, owner, group, dir_fd=dir_fd, follow_symlinks=not flags & AT_SYMLINK_NOFOLLOW)

    def utimensat(self, dir_fd: int, name: bytes, times: Times | None, flags: int = AT_SYMLINK_NOFOLLOW) -> None:
        self._libc.call("utimensat", "issi", dir_fd, name, timespecs(times), flags)

    def faccessat(self, dir_fd: int, name: bytes, mode: int, flags: int = AT_SYMLINK_NOFOLLOW) -> None:
        """Unlike os.access, tells why not."""
        if lib.faccessat(dir_fd, name, mode, flags):
            raise_errno(ffi.errno)

    def statfs(self, name: bytes) -> Statfs:
        fd = os.open(name, os.O_RDONLY)
        try:
            return self.fstatfs(fd)
        finally:
            os.close(fd)

    def fstatfs(self, fd: int) -> Statfs:
        """fstatfs(2), which also takes an O_PATH descriptor."""
        if not (LINUX and struct.calcsize("l") == 8):
            found = os.fstatvfs(fd)
            counts = found.f_blocks, found.f_bfree, found.f_bavail, found.f_files, found.f_ffree
            return Statfs(0, found.f_bsize, *counts, 0, found.f_namemax, found.f_frsize, found.f_flag)
        room = self._libc.buffer(120)  # struct statfs, include/uapi/asm-generic/statfs.h, 64-bit
        self._libc.call("fstatfs", "ip", fd, room)
        return Statfs(*struct.unpack_from("=11Q", room.raw))

    def scandir(self, fd: int) -> list[Dirent]:
        """All names of an open directory but `.` and `..`, in the host's order, from the start each time."""
        with os.scandir(fd) as entries:
            return [Dirent(os.fsencode(each.name), each.inode(), _kind(each)) for each in entries]

    def getxattr(self, name: bytes | int, attribute: bytes, *, follow: bool = False) -> bytes:
        found: bytes = member(os, "getxattr")(name, attribute, **_following(name, follow))
        return found

    def listxattr(self, name: bytes | int, *, follow: bool = False) -> list[bytes]:
        return [os.fsencode(each) for each in member(os, "listxattr")(name, **_following(name, follow))]

    def setxattr(
        self, name: bytes | int, attribute: bytes, value: bytes, flags: int = 0, *, follow: bool = False
    ) -> None:
        member(os, "setxattr")(name, attribute, value, flags, **_following(name, follow))

    def removexattr(self, name: bytes | int, attribute: bytes, *, follow: bool = False) -> None:
        member(os, "removexattr")(name, attribute, **_following(name, follow))

    def truncate(self, name: bytes, length: int) -> None:
        os.truncate(name, length)

    def realpath(self, name: bytes) -> bytes:
        """The canonical host path of *name*; OSError when something on the way does not exist."""
        return os.path.realpath(name, strict=True)

    def open(self, name: bytes, flags: int, mode: int = 0o777) -> int:
        return os.open(name, flags, mode, dir_fd=AT_FDCWD)


def _following(name: bytes | int, follow: bool) -> dict[str, bool]:
    return {} if isinstance(name, int) else {"follow_symlinks": follow}


def _kind(entry: os.DirEntry[str]) -> int:
    if entry.is_symlink():
        return stat.S_IFLNK
    if entry.is_dir(follow_symlinks=False):
        return stat.S_IFDIR
    if entry.is_file(follow_symlinks=False):
        return stat.S_IFREG
    try:
        return stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode)
    except OSError:  # gone meanwhile
        return 0
