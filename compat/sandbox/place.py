"""A resolved path: one name in one directory, and what can be done there."""

from __future__ import annotations

import errno
import os
import stat
from abc import ABC, abstractmethod
from types import TracebackType
from typing import NoReturn, Protocol, Self

from compat.data import dataclass
from compat.host import O_PATH, Dirent, Host, Statfs, Times
from compat.sandbox.mounts import Mount
from compat.sandbox.paths import Last, names_of, refuse
from compat.sandbox.synthetic import Node


@dataclass(frozen=True)
class Opened:
    """An open file or directory of the guest: what a descriptor, a working directory, or a root keeps.

    *fd* is the host's descriptor, owned by whoever keeps this. *node* is set for a synthetic file, whose
    attributes the descriptor does not show. *guest_path* is where it was when opened. *mount* is None for
    what compat itself was given or made: standard streams, pipes.
    """

    fd: int
    node: Node | None
    guest_path: bytes
    mount: Mount | None

    @property
    def names(self) -> list[bytes]:
        return names_of(self.guest_path)


@dataclass(frozen=True)
class Site:
    """Where a place is: *guest_path* is canonical. *last* and *slash* tell how the path was written.

    *busy* marks a mount point or a folder on the way to one.
    """

    guest_path: bytes
    last: Last = "name"
    slash: bool = False
    busy: bool = False


class Tree(Protocol):
    """What a place asks of the view it belongs to; *started* (seconds since 1970) dates synthetic files."""

    host: Host
    started: float

    def listdir(self, opened: Opened) -> list[Dirent]: ...


class Place(ABC):
    """One name in the guest's tree, existing or not. Use it in a `with`: it may hold a descriptor."""

    def __init__(self, tree: Tree, mount: Mount | None, site: Site) -> None:
        self.mount = mount
        self.guest_path, self.last = site.guest_path, site.last
        self.slash, self.busy = site.slash, site.busy
        self._tree = tree
        self._host = tree.host

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:  # noqa: B027 most places hold nothing
        """Let go of what the place holds; twice does no harm."""

    # looking

    @abstractmethod
    def open(self, flags: int, mode: int = 0o666) -> Opened:
        """openat(2) with the host's flag values; always close-on-exec."""

    @abstractmethod
    def stat(self) -> os.stat_result:
        """The file's attributes, or ENOENT."""

    @abstractmethod
    def readlink(self) -> bytes:
        """The text of a symbolic link; EINVAL for anything else."""

    @abstractmethod
    def access(self, mode: int, *, effective: bool = False) -> None:
        """Raise OSError unless a mask of os.R_OK, W_OK, X_OK is allowed to the real (or effective) user."""

    @abstractmethod
    def statfs(self) -> Statfs:
        """The file system the file is in."""

    @abstractmethod
    def getxattr(self, attribute: bytes) -> bytes: ...

    @abstractmethod
    def listxattr(self) -> list[bytes]: ...

    @abstractmethod
    def listdir(self) -> list[Dirent]:
        """The names of a directory, "." and ".." first."""

    def location(self) -> Opened:
        """The directory opened for chdir(2): it must be one, and searchable."""
        opened = self.open(O_PATH | os.O_DIRECTORY)
        try:
            self.access(os.X_OK, effective=True)
        except BaseException:
            self._host.close(opened.fd)
            raise
        return opened

    # changing a name: resolve the path with FileView.entry

    @abstractmethod
    def mkdir(self, mode: int) -> None: ...

    @abstractmethod
    def mknod(self, mode: int, device: int = 0) -> None: ...

    @abstractmethod
    def symlink(self, target: bytes) -> None:
        """Make this name a symbolic link with the text *target*."""

    @abstractmethod
    def link(self, source: Place) -> None:
        """Make this name a hard link to the file at *source*."""

    @abstractmethod
    def unlink(self) -> None: ...

    @abstractmethod
    def rmdir(self) -> None: ...

    @abstractmethod
    def rename(self, to: Place, flags: int = 0) -> None:
        """Rename the file here to *to*; *flags* are RENAME_* of compat.host."""

    def bind(self, fd: int) -> None:
        """Make this name that of the socket *fd*: bind(2), but EEXIST where the name is taken."""
        self.mknod(stat.S_IFSOCK | 0o777)
        self._fail(errno.EROFS)

    # changing a file

    @abstractmethod
    def chmod(self, mode: int) -> None: ...

    @abstractmethod
    def chown(self, owner: int, group: int) -> None:
        """-1 leaves one as it is."""

    @abstractmethod
    def utime(self, times: Times | None) -> None: ...

    @abstractmethod
    def truncate(self, length: int) -> None: ...

    @abstractmethod
    def setxattr(self, attribute: bytes, value: bytes, flags: int = 0) -> None: ...

    @abstractmethod
    def removexattr(self, attribute: bytes) -> None: ...

    def exists(self) -> bool:
        try:
            self.stat()
        except FileNotFoundError:
            return False
        return True

    def _fail(self, number: int) -> NoReturn:
        raise refuse(number)


def special(mode: int) -> bool:
    """special_file() of Linux's include/linux/fs.h: what a read-only mount lets be written."""
    return stat.S_ISCHR(mode) or stat.S_ISBLK(mode) or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
