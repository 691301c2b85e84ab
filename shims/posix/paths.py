"""Names of files: links, renaming, removing, and the working directory."""

from __future__ import annotations

import errno
import os
import stat

from compat.abi.flags import FlagSet
from compat.abi.handles import Buffer, CString
from compat.sandbox.place import Place
from shims.posix.names import entry, existing, here, text
from shims.posix.state import PosixThread

__all__ = [
    "chdir", "chroot", "fchdir", "getcwd", "link", "linkat", "make_node", "mkdir", "mkdirat", "mknod", "mknodat",
    "readlink", "readlinkat", "rename", "rename_at", "renameat", "rmdir", "symlink", "symlinkat", "unlink", "unlinkat",
]  # fmt: skip


# --- links ---


def link(thread: PosixThread, path: CString, new_path: CString) -> None:
    """link(2)."""
    _link(thread, here(thread), path, here(thread), new_path, follow=False, empty=False)


def linkat(thread: PosixThread, dir: int, path: CString, new_dir: int, new_path: CString, flags: FlagSet) -> None:
    """linkat(2)."""
    if flags.unknown or flags - {"AT_SYMLINK_FOLLOW", "AT_EMPTY_PATH"}:
        raise OSError(errno.EINVAL, "flags")
    follow = "AT_SYMLINK_FOLLOW" in flags
    _link(thread, dir, path, new_dir, new_path, follow=follow, empty="AT_EMPTY_PATH" in flags)


def _link(
    thread: PosixThread, dir: int, path: CString, new_dir: int, new_path: CString, *, follow: bool, empty: bool
) -> None:
    with existing(thread, dir, path, follow=follow, empty=empty) as source, entry(thread, new_dir, new_path) as place:
        source.stat()
        place.link(source)


def symlink(thread: PosixThread, target: CString, path: CString) -> None:
    """symlink(2)."""
    symlinkat(thread, target, here(thread), path)


def symlinkat(thread: PosixThread, target: CString, dir: int, path: CString) -> None:
    """symlinkat(2)."""
    goal = text(target)
    with entry(thread, dir, path) as place:
        place.symlink(goal)


def readlink(thread: PosixThread, path: CString, buf: Buffer, count: int) -> int:
    """readlink(2)."""
    return readlinkat(thread, here(thread), path, buf, count)


def readlinkat(thread: PosixThread, dir: int, path: CString, buf: Buffer, count: int) -> int:
    """readlinkat(2); an empty path means *dir*, a link opened with O_PATH."""
    if count <= 0:
        raise OSError(errno.EINVAL, "count")
    if dir != here(thread) and _is_empty(path):
        target = _read_held_link(thread, dir)
    else:
        with existing(thread, dir, path, follow=False) as place:
            target = place.readlink()
    buf.write(target[:count])
    return min(count, len(target))


def _is_empty(path: CString) -> bool:
    try:
        return path.read(1) == b""
    except ValueError:
        return False


def _read_held_link(thread: PosixThread, fd: int) -> bytes:
    file = thread.process.files.get(fd)
    if file.opened.node is not None or not stat.S_ISLNK(thread.host.fstat(file.fd).st_mode):
        raise OSError(errno.ENOENT, "empty path")
    return thread.host.readlinkat(file.fd, b"")


# --- removing and renaming ---


def unlink(thread: PosixThread, path: CString) -> None:
    """unlink(2)."""
    with entry(thread, here(thread), path) as place:
        place.unlink()


def unlinkat(thread: PosixThread, dir: int, path: CString, flags: FlagSet) -> None:
    """unlinkat(2)."""
    if flags.unknown:
        raise OSError(errno.EINVAL, "flags")
    with entry(thread, dir, path) as place:
        if "AT_REMOVEDIR" in flags:
            place.rmdir()
        else:
            place.unlink()


def rmdir(thread: PosixThread, path: CString) -> None:
    """rmdir(2)."""
    with entry(thread, here(thread), path) as place:
        place.rmdir()


def rename(thread: PosixThread, path: CString, new_path: CString) -> None:
    """rename(2)."""
    rename_at(thread, here(thread), path, here(thread), new_path, 0)


def renameat(thread: PosixThread, dir: int, path: CString, new_dir: int, new_path: CString) -> None:
    """renameat(2)."""
    rename_at(thread, dir, path, new_dir, new_path, 0)


def rename_at(thread: PosixThread, dir: int, path: CString, new_dir: int, new_path: CString, flags: int) -> None:
    """Rename with the host's RENAME_* *flags*."""
    with entry(thread, dir, path) as place, entry(thread, new_dir, new_path) as target:
        place.rename(target, flags)


# --- making ---


def mkdir(thread: PosixThread, path: CString, mode: int) -> None:
    """mkdir(2)."""
    mkdirat(thread, here(thread), path, mode)


def mkdirat(thread: PosixThread, dir: int, path: CString, mode: int) -> None:
    """mkdirat(2)."""
    with entry(thread, dir, path) as place:
        place.mkdir(mode & 0o1777)


def mknod(thread: PosixThread, path: CString, mode: FlagSet, dev: int) -> None:
    """mknod(2)."""
    mknodat(thread, here(thread), path, mode, dev)


def mknodat(thread: PosixThread, dir: int, path: CString, mode: FlagSet, dev: int) -> None:
    """mknodat(2); raises OSError as may_mknod() of Linux's fs/namei.c: EPERM for a directory, EINVAL for no type."""
    kind = stat.S_IFMT(mode.value)
    if kind == stat.S_IFDIR:
        raise OSError(errno.EPERM, "mode")
    if kind not in (0, stat.S_IFREG, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK):
        raise OSError(errno.EINVAL, "mode")
    with entry(thread, dir, path) as place:
        make_node(place, mode.value & 0o177777, dev)


def make_node(place: Place, mode: int, dev: int) -> None:
    """*dev* is as new_decode_dev() of include/linux/kdev_t.h reads it."""
    major, minor = (dev & 0xFFF00) >> 8, (dev & 0xFF) | (dev >> 12 & 0xFFF00)
    place.mknod(mode, os.makedev(major, minor))


# --- the working directory ---


def getcwd(thread: PosixThread, buf: Buffer, count: int) -> int:
    """getcwd(2): the length with the NUL; ERANGE where it does not fit, ENOENT for a removed directory."""
    name = thread.process.view.path(thread.process.directory) + b"\0"
    if len(name) > count:
        raise OSError(errno.ERANGE, "count")
    buf.write(name)
    return len(name)


def chdir(thread: PosixThread, path: CString) -> None:
    """chdir(2)."""
    with existing(thread, here(thread), path) as place:
        _enter(thread, place)


def fchdir(thread: PosixThread, fd: int) -> None:
    """fchdir(2)."""
    file = thread.process.files.get(fd)
    if not file.is_directory:
        raise OSError(errno.ENOTDIR, "fd")
    with thread.process.view.held(file.opened) as place:
        _enter(thread, place)


def chroot(thread: PosixThread, path: CString) -> None:
    """chroot(2). Raises OSError(EPERM) without CAP_SYS_CHROOT."""
    process = thread.process
    with existing(thread, here(thread), path) as place:
        folder = place.location()
    try:
        if not process.capable("CAP_SYS_CHROOT"):
            raise OSError(errno.EPERM, "chroot")
        if folder.guest_path == b"/":
            return
        from compat.sandbox.rerooted import rerooted  # rarely needed

        process.view = rerooted(process.view, folder)
    finally:
        thread.host.close(folder.fd)
    stands = process.view.adopt(process.directory.fd)
    if stands.mount is not None and process.directory.node is None:
        process.directory = stands  # the same folder, under its new name; else it stays outside of the root


def _enter(thread: PosixThread, place: Place) -> None:
    left, thread.process.directory = thread.process.directory, place.location()
    thread.host.close(left.fd)
