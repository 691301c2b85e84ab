"""Files that no host file stands behind: the nodes of /proc and /dev, and of folders on the way to mounts."""

from __future__ import annotations

import binascii
import errno
import os
import stat
import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from compat.host import O_PATH, Host
from compat.sandbox.paths import MAX_NAME, refuse

if TYPE_CHECKING:
    from compat.sandbox.place import Opened

Content = bytes | Callable[[], bytes]


class Node:
    """One synthetic file. *mode* has the type bits; *owner* is (uid, gid), by default those of this
    process.
    """

    def __init__(self, mode: int, owner: tuple[int, int] | None = None) -> None:
        self.mode = mode
        self._owner = owner

    @property
    def owner(self) -> tuple[int, int]:
        return self._owner or (os.geteuid(), os.getegid())

    @property
    def size(self) -> int:
        return 0

    @property
    def device(self) -> int:
        """st_rdev."""
        return 0

    def stat(self, host: Host) -> os.stat_result | None:
        """The host's own attributes, for a node whose open files are seen to be the host's; None for all others."""
        return None

    def chmod(self, host: Host, mode: int) -> None:
        """Only what stands for a file of the host can be changed."""
        raise refuse(errno.EPERM)

    def chown(self, host: Host, owner: int, group: int) -> None:
        """As `chmod`; -1 leaves one as it is."""
        raise refuse(errno.EPERM)

    def open(self, host: Host, flags: int) -> int:
        """A host descriptor for *flags* without O_CREAT and O_PATH, whose reading shows the content as it
        is now.

        A directory's descriptor only holds the place of a number: its names come from `FileView.listdir`.
        """
        return host.open(b"/dev/null", os.O_RDONLY)


class Directory(Node):
    """Names and nodes: a fixed mapping, or a callable asked at every look. *lookup* finds one name faster."""

    def __init__(
        self,
        entries: Mapping[bytes, Node] | Callable[[], Mapping[bytes, Node]],
        *,
        lookup: Callable[[bytes], Node | None] | None = None,
        mode: int = 0o555,
        owner: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(stat.S_IFDIR | mode, owner)
        self._entries = entries
        self._lookup = lookup

    def entries(self) -> Mapping[bytes, Node]:
        return self._entries() if callable(self._entries) else self._entries

    def lookup(self, name: bytes) -> Node | None:
        if len(name) > MAX_NAME:
            raise refuse(errno.ENAMETOOLONG)
        return self._lookup(name) if self._lookup is not None else self.entries().get(name)


class LateDirectory(Directory):
    """A folder that *make* makes when something in it is looked for; most guests never look."""

    def __init__(self, make: Callable[[], Directory]) -> None:
        super().__init__(lambda: self._made.entries(), lookup=lambda name: self._made.lookup(name))
        self._make = make

    @cached_property
    def _made(self) -> Directory:
        return self._make()


class File(Node):
    """Bytes, or a callable that makes them when the file is opened.

    With *on_write* it may be opened for writing; whoever writes to the open file calls it with the bytes,
    since the host's descriptor can't (`Opened.node.on_write`).
    """

    def __init__(
        self,
        content: Content,
        *,
        mode: int = 0o444,
        owner: tuple[int, int] | None = None,
        on_write: Callable[[bytes], None] | None = None,
    ) -> None:
        super().__init__(stat.S_IFREG | mode, owner)
        self._content = content
        self.on_write = on_write

    @property
    def size(self) -> int:
        """0 for content made on demand, as in the kernel's own /proc."""
        return 0 if callable(self._content) else len(self._content)

    def content(self) -> bytes:
        return self._content() if callable(self._content) else self._content

    def open(self, host: Host, flags: int) -> int:
        if flags & os.O_ACCMODE == os.O_RDONLY:
            return read_only_copy(host, self.content())
        if self.on_write is None:
            raise refuse(errno.EACCES)
        return scratch_copy(host, b"" if flags & os.O_TRUNC else self.content())


class Link(Node):
    """A symbolic link. With *magic* it leads to what that returns, whatever its text says: /proc/self/exe
    and kin.
    """

    def __init__(self, target: Content, *, magic: Callable[[], Opened] | None = None, mode: int = 0o777) -> None:
        super().__init__(stat.S_IFLNK | mode)
        self._target = target
        self.magic = magic

    def target(self) -> bytes:
        return self._target() if callable(self._target) else self._target

    @property
    def size(self) -> int:
        return 0 if callable(self._target) else len(self._target)


class Device(Node):
    """A character device lent from the host; *fallback* is read where the host has none."""

    def __init__(
        self, host_path: bytes, number: tuple[int, int], *, mode: int = 0o666, fallback: Content | None = None
    ) -> None:
        super().__init__(stat.S_IFCHR | mode, (0, 0))
        self.host_path = host_path
        self._number = number
        self._fallback = fallback

    @property
    def device(self) -> int:
        return os.makedev(*self._number)

    def open(self, host: Host, flags: int) -> int:
        try:
            return host.open(self.host_path, flags & ~(os.O_CREAT | os.O_EXCL | os.O_TRUNC | os.O_NOFOLLOW))
        except FileNotFoundError:
            if self._fallback is None:
                raise
            return File(self._fallback, on_write=lambda _: None).open(host, flags)


def node_stat(node: Node, guest_path: bytes, device: int, started: float) -> os.stat_result:
    """What stat(2) says of *node* at *guest_path*: the inode number follows from the path, *now* are its
    times.
    """
    uid, gid = node.owner
    links = 2 if stat.S_ISDIR(node.mode) else 1
    second = int(started)
    times = {f"st_{which}": started for which in ("atime", "mtime", "ctime")}
    exact = {f"st_{which}_ns": int(started * 1_000_000_000) for which in ("atime", "mtime", "ctime")}
    more = {"st_blksize": 4096, "st_blocks": 0, "st_rdev": node.device, **times, **exact}
    base = (node.mode, inode(guest_path), device, links, uid, gid, node.size, second, second, second)
    return os.stat_result(base, more)


def inode(guest_path: bytes) -> int:
    """A number for a synthetic file, the same while the program runs and in its forked children."""
    return 1 << 32 | binascii.crc32(guest_path)


def read_only_copy(host: Host, content: bytes) -> int:
    """A descriptor open for reading only, at the start of *content*, which nobody can change."""
    fd = scratch_copy(host, content)
    try:
        seal(host, fd)
        return host.open(b"/proc/self/fd/%d" % fd if sys.platform == "linux" else b"/dev/fd/%d" % fd, os.O_RDONLY)
    finally:
        host.close(fd)


def seal(host: Host, fd: int) -> None:
    """Forbid every change to a memfd; elsewhere the file has no name, which is enough."""
    import fcntl

    if hasattr(fcntl, "F_ADD_SEALS"):
        every = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
        host.fcntl(fd, fcntl.F_ADD_SEALS, every)


def scratch_copy(host: Host, content: bytes) -> int:
    """A descriptor open for reading and writing on a file without a name that holds *content*."""
    fd = _nameless(host)
    view = memoryview(content)
    while view:
        view = view[host.write(fd, view) :]
    host.lseek(fd, 0, os.SEEK_SET)
    return fd


def _nameless(host: Host) -> int:
    if hasattr(os, "memfd_create"):
        return host.memfd_create(b"compat", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    name = b"/tmp/.compat-%s" % host.getrandom(8).hex().encode()
    fd = host.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    os.unlink(name)
    return fd


def path_only(host: Host) -> int:
    """A descriptor that can do nothing, for a synthetic file opened with O_PATH."""
    return host.open(b"/dev/null", O_PATH)
