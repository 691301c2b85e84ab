"""name_to_handle_at(2): what names a file for good. Nobody here may open a file by it: its inode's number will do."""

from __future__ import annotations

import errno

from compat.abi.flags import FlagSet
from compat.abi.handles import CString, Pointer, ScalarCodec
from compat.abi.structs import Record
from shims.linux.proc_mounts import mount_number
from shims.linux.state import LinuxThread
from shims.posix.names import existing

__all__: list[str] = []

_MOST = 128  # MAX_HANDLE_SZ
_TYPE, _SIZE = 0x81, 12  # include/linux/exportfs.h: FILEID_INO64_GEN, an inode's 64-bit number and its generation
_FLAGS = {"AT_SYMLINK_FOLLOW", "AT_EMPTY_PATH", "AT_HANDLE_FID"}


def name_to_handle(
    thread: LinuxThread, dir: int, path: CString, handle: Pointer[Record], mount: int, flags: FlagSet
) -> None:
    """The handle of a file, behind the struct, and the number of its mount as mountinfo tells it.

    Raises:
        OSError: EINVAL for flags or a room above MAX_HANDLE_SZ, EOVERFLOW for too little (the struct then tells how
            much), as statx for the path.
    """
    if flags.unknown or flags - _FLAGS:
        raise OSError(errno.EINVAL, "flags")
    room = handle.read().int("bytes")
    if room > _MOST:
        raise OSError(errno.EINVAL, "handle_bytes")
    follow = "AT_SYMLINK_FOLLOW" in flags
    with existing(thread, dir, path, follow=follow, empty="AT_EMPTY_PATH" in flags) as place:
        inode, held_by = place.stat().st_ino, place.mount
    endian, number = thread.abi.cpu.endian, mount_number(thread.process.view, held_by)
    thread.memory.write(mount, ScalarCodec(4, endian, signed=True).pack(number))
    handle.write({"bytes": _SIZE, "type": _TYPE})
    if room < _SIZE:
        raise OSError(errno.EOVERFLOW, "handle_bytes")
    thread.memory.write(handle.address + handle.size, ScalarCodec(8, endian, signed=False).pack(inode) + bytes(4))
