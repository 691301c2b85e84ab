"""getdents and its elders: the names of a directory as the guest's structs."""

from __future__ import annotations

import errno
import stat
from collections.abc import Callable
from typing import Final

from compat.abi.handles import Buffer
from compat.abi.structs import Layout
from compat.host import Dirent
from shims.linux.state import LinuxThread
from shims.posix.directories import following
from shims.posix.names import open_file

__all__ = ["getdents", "getdents64", "readdir"]

_KINDS: Final = {
    stat.S_IFIFO: "DT_FIFO",
    stat.S_IFCHR: "DT_CHR",
    stat.S_IFDIR: "DT_DIR",
    stat.S_IFBLK: "DT_BLK",
    stat.S_IFREG: "DT_REG",
    stat.S_IFLNK: "DT_LNK",
    stat.S_IFSOCK: "DT_SOCK",
}


def getdents(thread: LinuxThread, fd: int, buf: Buffer, count: int) -> int:
    """getdents(2): the type stands in the last byte of each entry."""
    layout, kinds = thread.abi.layout("Dirent"), _kinds(thread)
    word = thread.abi.cpu.word

    def pack(entry: Dirent, behind: int) -> bytes:
        length = _rounded(layout.offset("name") + len(entry.name) + 2, word)
        head = layout.pack({"ino": entry.ino, "off": behind, "reclen": length})
        return (_head(layout, head) + entry.name).ljust(length - 1, b"\0") + kinds[entry.type]

    return _fill(thread, fd, buf, count, pack)


def getdents64(thread: LinuxThread, fd: int, buf: Buffer, count: int) -> int:
    """getdents64(2)."""
    layout, kinds = thread.abi.layout("Dirent64"), _kinds(thread)

    def pack(entry: Dirent, behind: int) -> bytes:
        length = _rounded(layout.offset("name") + len(entry.name) + 1, 8)
        kind = kinds[entry.type][0]
        head = layout.pack({"ino": entry.ino, "off": behind, "reclen": length, "type": kind})
        return (_head(layout, head) + entry.name).ljust(length, b"\0")

    return _fill(thread, fd, buf, count, pack)


def readdir(thread: LinuxThread, fd: int, entry: int, count: int) -> int:
    """readdir(2), which gives one entry a call: 1, or 0 at the end."""
    file = open_file(thread, fd)
    layout = thread.abi.layout("OldDirent")
    for found, behind in following(thread, file):
        head = layout.pack({"ino": found.ino, "offset": behind - 1, "namlen": len(found.name)})
        thread.memory.write(entry, _head(layout, head) + found.name + b"\0")
        file.position = behind
        return 1
    return 0


def _kinds(thread: LinuxThread) -> dict[int, bytes]:
    values = thread.abi.constants("DirentType").values
    return {0: bytes([values["DT_UNKNOWN"]]), **{kind: bytes([values[name]]) for kind, name in _KINDS.items()}}


def _head(layout: Layout, packed: bytes) -> bytes:
    """The fields before the name; a struct's size also counts the padding behind it."""
    return packed[: layout.offset("name")]


def _rounded(size: int, align: int) -> int:
    return -(-size // align) * align


def _fill(thread: LinuxThread, fd: int, buf: Buffer, count: int, pack: Callable[[Dirent, int], bytes]) -> int:
    """Pack entries while they fit into *count* bytes; raises OSError(EINVAL) where not even the first one does."""
    file = open_file(thread, fd)
    data, position = b"", file.position
    for entry, behind in following(thread, file):
        packed = pack(entry, behind)
        if len(data) + len(packed) > count:
            if not data:
                raise OSError(errno.EINVAL, "count")
            break
        data += packed
        position = behind
    buf.write(data)
    file.position = position
    return len(data)
