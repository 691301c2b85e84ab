"""ioctl(2) on files: attributes of inodes, extents, sizes (ioctl_fs(2), ioctl_ficlone(2), filesystems/fiemap.rst)."""

from __future__ import annotations

import errno
import stat
import struct
from typing import Final

from compat.abi.flags import Constant
from compat.abi.handles import Pointer
from compat.abi.structs import Record
from compat.host.constants import LINUX
from shims.linux.state import LinuxThread
from shims.posix.names import open_file
from shims.posix.openfiles import OpenFile

# include/uapi/linux/fs.h and random.h on 64-bit hosts
_GET_FLAGS, _SET_FLAGS, _CLONE, _CLONE_RANGE = 0x80086601, 0x40086602, 0x40049409, 0x4020940D
_EXTENTS = 0xC020660B
_ENTROPY: Final = 0x80045200
_RANGE: Final = struct.Struct("@qQQQ")  # struct file_clone_range
_MAP: Final = struct.Struct("@QQIIII")  # include/uapi/linux/fiemap.h: struct fiemap
_EXTENT: Final = struct.Struct("@QQQ16xI12x")  # struct fiemap_extent
_MOST_EXTENTS = 1 << 16  # of one call here; a program asks on until it has seen the last one


def _on_host(thread: LinuxThread, fd: int) -> OpenFile:
    """The file at *fd*, whose inode is the host's; raises OSError: EBADF, ENOTTY for a synthetic one."""
    file = open_file(thread, fd)
    if file.opened.node is not None or not LINUX:
        raise OSError(errno.ENOTTY, "fd")
    return file


def get_flags(thread: LinuxThread, fd: int, cmd: Constant, flags: Pointer[int]) -> None:
    """FS_IOC_GETFLAGS."""
    room = bytearray(8)
    thread.host.ioctl(_on_host(thread, fd).fd, _GET_FLAGS, room)
    flags.write(int.from_bytes(room[:4], "little"))


def set_flags(thread: LinuxThread, fd: int, cmd: Constant, flags: Pointer[int]) -> None:
    """FS_IOC_SETFLAGS, which asks for no right to write, so that the mount must be asked."""
    file, wanted = _on_host(thread, fd), flags.read()
    if file.opened.mount is not None and file.opened.mount.read_only:
        raise OSError(errno.EROFS, "fd")
    thread.host.ioctl(file.fd, _SET_FLAGS, bytearray((wanted & 0xFFFFFFFF).to_bytes(8, "little")))


def clone(thread: LinuxThread, fd: int, cmd: Constant, source: int) -> None:
    """FICLONE."""
    target = _on_host(thread, fd)
    thread.host.ioctl(target.fd, _CLONE, _on_host(thread, source).fd)


def clone_range(thread: LinuxThread, fd: int, cmd: Constant, range: Pointer[Record]) -> None:
    """FICLONERANGE."""
    target, given = _on_host(thread, fd), range.read()
    source = _on_host(thread, given.int("src_fd"))
    places = (given.int(name) for name in ("src_offset", "src_length", "dest_offset"))
    thread.host.ioctl(target.fd, _CLONE_RANGE, bytearray(_RANGE.pack(source.fd, *places)))


def map_extents(thread: LinuxThread, fd: int, cmd: Constant, map: Pointer[Record]) -> None:
    """FS_IOC_FIEMAP: the extents follow the struct."""
    file, asked = _on_host(thread, fd), map.read()
    count = min(asked.int("extent_count"), _MOST_EXTENTS)
    room = bytearray(_MAP.size + count * _EXTENT.size)
    _MAP.pack_into(room, 0, asked.int("start"), asked.int("length"), asked.int("flags"), 0, count, 0)
    try:
        thread.host.ioctl(file.fd, _EXTENTS, room)
    finally:  # flags that the file system does not know are told with the error
        start, length, flags, found, _, _ = _MAP.unpack_from(room)
        told = {"start": start, "length": length, "flags": flags, "mapped_extents": found}
        map.write({**asked, **told})
    layout, place = thread.abi.layout("FiemapExtent"), map.address + map.size
    for number in range(min(found, count)):
        logical, physical, length, flags = _EXTENT.unpack_from(room, _MAP.size + number * _EXTENT.size)
        values = {"logical": logical, "physical": physical, "length": length, "flags": flags}
        thread.memory.write(place + number * layout.size, layout.pack(values))


def get_size(thread: LinuxThread, fd: int, cmd: Constant, size: Pointer[int]) -> None:
    """FIOQSIZE: only for what has a size."""
    file = open_file(thread, fd)
    found = thread.process.view.fstat(file.opened)
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        raise OSError(errno.ENOTTY, "fd")
    size.write(found.st_size)


def get_entropy(thread: LinuxThread, fd: int, cmd: Constant, bits: Pointer[int]) -> None:
    """RNDGETENTCNT."""
    room = bytearray(4)
    thread.host.ioctl(open_file(thread, fd).fd, _ENTROPY, room)
    bits.write(int.from_bytes(room, "little"))
