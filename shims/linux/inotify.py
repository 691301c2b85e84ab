"""inotify: the host's own, of what the guest can name. Nothing ever happens to a synthetic file."""

from __future__ import annotations

import errno
import select
import stat
import struct
import sys
from typing import Final

from compat.abi.flags import FlagSet
from compat.abi.handles import CString
from compat.host import O_PATH, Host
from compat.sandbox.place import Opened
from shims.linux.events import add_file
from shims.linux.state import LinuxThread
from shims.posix.names import existing, here
from shims.posix.openfiles import OpenFile, SpecialFile
from shims.posix.state import PosixThread
from shims.posix.transfers import wait_until_ready

_HEAD: Final = struct.Struct("=iIII")  # struct inotify_event: wd, mask, cookie, length of the name
_QUIET: Final = 0x400  # IN_DELETE_SELF: a mask must name an event, and this one never comes to a file that is kept


class Watches(SpecialFile):
    """An inotify instance. *quiet* has an empty file for each synthetic file under watch, by the guest's path."""

    def __init__(self) -> None:
        self.quiet: dict[bytes, int] = {}

    def read(self, thread: PosixThread, file: OpenFile, views: list[memoryview]) -> int:
        """As many whole events as fit; waits for the first. Raises OSError: EINVAL for less room, EAGAIN."""
        room = sum(map(len, views))
        wait_until_ready(thread, file, select.POLLIN)
        data = _in_order(thread, thread.host.read(file.fd, room))
        at = 0
        for view in views:
            part = data[at : at + len(view)]
            view[: len(part)] = part
            at += len(part)
        return at

    def close(self, host: Host) -> None:
        for fd in self.quiet.values():
            host.close(fd)
        self.quiet.clear()


def _in_order(thread: PosixThread, data: bytes) -> bytes:
    """Events in the guest's byte order; the names between them stay."""
    if thread.abi.cpu.endian == sys.byteorder:
        return data
    result, at, guest = bytearray(data), 0, struct.Struct(">iIII" if sys.byteorder == "little" else "<iIII")
    while at < len(data):
        head = _HEAD.unpack_from(data, at)
        guest.pack_into(result, at, *head)
        at += _HEAD.size + head[3]
    return bytes(result)


def inotify_init(thread: LinuxThread) -> int:
    """inotify_init(2)."""
    return _open(thread, frozenset())


def inotify_init1(thread: LinuxThread, flags: FlagSet) -> int:
    """inotify_init1(2). Raises OSError: EINVAL for unknown flags, EMFILE."""
    if flags.unknown:
        raise OSError(errno.EINVAL, "inotify flags")
    return _open(thread, flags)


def _open(thread: LinuxThread, flags: frozenset[str]) -> int:
    fd = thread.host.inotify_init(nonblock="IN_NONBLOCK" in flags)
    return add_file(thread, fd, Watches(), close_on_exec="IN_CLOEXEC" in flags, name=b"inotify")


def inotify_add_watch(thread: LinuxThread, fd: int, path: CString, mask: FlagSet) -> int:
    """inotify_add_watch(2): the host watches the file itself, however it was named.

    Raises OSError: EBADF, EINVAL for another file or a mask without events, what the path gives, EACCES, EEXIST.
    """
    file = _instance(thread, fd)
    if not mask.value or mask.unknown or {"IN_MASK_ADD", "IN_MASK_CREATE"} <= mask:
        raise OSError(errno.EINVAL, "mask")
    follow = "IN_DONT_FOLLOW" not in mask
    bits = mask.value & ~(0 if follow else thread.abi.flags("InotifyMask").values["IN_DONT_FOLLOW"])
    with existing(thread, here(thread), path, follow=follow) as place:
        opened = place.open(O_PATH)
    try:
        if opened.node is not None:
            return _watch_nothing(thread, file, opened, bits)
        return thread.host.inotify_add_watch(file.fd, b"/proc/self/fd/%d" % opened.fd, bits)
    finally:
        thread.host.close(opened.fd)


def _watch_nothing(thread: LinuxThread, file: OpenFile, opened: Opened, mask: int) -> int:
    """A watch for a synthetic file: the host's, on an empty file of its own, which is the same at each asking."""
    host, kind = thread.host, file.kind
    kinds = thread.abi.flags("InotifyMask").values
    assert opened.node is not None
    if mask & kinds["IN_ONLYDIR"] and not stat.S_ISDIR(opened.node.mode):
        raise OSError(errno.ENOTDIR, "IN_ONLYDIR")
    if opened.guest_path not in kind.quiet:
        kind.quiet[opened.guest_path] = host.memfd_create(b"watched", 1)
    quiet = mask & kinds["IN_MASK_CREATE"] | _QUIET
    return host.inotify_add_watch(file.fd, b"/proc/self/fd/%d" % kind.quiet[opened.guest_path], quiet)


def inotify_rm_watch(thread: LinuxThread, fd: int, watch: int) -> None:
    """inotify_rm_watch(2). Raises OSError: EBADF, EINVAL for another file or no such watch."""
    thread.host.inotify_rm_watch(_instance(thread, fd).fd, watch)


def _instance(thread: LinuxThread, fd: int) -> OpenFile:
    file = thread.process.files.get(fd)
    if not isinstance(file.kind, Watches):
        raise OSError(errno.EINVAL, "no inotify instance")
    return file
