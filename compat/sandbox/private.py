"""A folder of the host that only this run of the guest sees: its /tmp and /dev/shm."""

from __future__ import annotations

import atexit
import errno
import os
import stat
from collections.abc import Callable

from compat.host import O_PATH, Host
from compat.sandbox.leftovers import PREFIX, abandoned, owner_tag
from compat.sandbox.paths import refuse


class PrivateFolder:
    """A folder in the host's own temporary directory, made at the first use, removed by the process that
    named it.

    Its unguessable name is chosen at once, so that a forked child which is first to use it makes the same
    one. Whoever makes it first removes what killed runs left behind.
    """

    def __init__(self, host: Host, parent: bytes | None = None) -> None:
        self._host = host
        self._on_made: Callable[[], None] = lambda: None
        self._parent = parent or os.fsencode(os.environ.get("TMPDIR") or "/tmp")
        self._name = PREFIX + owner_tag() + b"-" + host.getrandom(10).hex().encode()
        self._owner = os.getpid()
        atexit.register(self.remove)

    @property
    def path(self) -> bytes:
        return os.path.join(self._parent, self._name)

    def has(self, name: bytes) -> bool:
        """Whether the folder *name* inside was made."""
        return os.path.isdir(os.path.join(self.path, name))

    def when_made(self, act: Callable[[], None]) -> None:
        """Let *act* be called in the process that makes the folder; at once if it is there."""
        self._on_made = act
        if os.path.isdir(self.path):
            act()

    def folder(self, name: bytes, mode: int = 0o1777) -> int:
        """An O_PATH descriptor of the folder *name* inside, which the caller closes.

        Raises:
            OSError: what the host says; EACCES when someone else made the folder first.
        """
        if not os.path.isdir(self.path):
            self._begin()
        top = self._make(self._host.open(self._parent, O_PATH | os.O_DIRECTORY), self._name, 0o700)
        return self._make(top, name, mode)

    def _begin(self) -> None:
        for path in abandoned(self._parent):
            _remove_tree(path)
        self._on_made()

    def _make(self, dir_fd: int, name: bytes, mode: int) -> int:
        """Make *name* in *dir_fd*, which is closed, unless it is there; its descriptor."""
        try:
            try:
                self._host.mkdirat(dir_fd, name, 0o700)
            except FileExistsError:
                pass
            fd = self._host.openat(dir_fd, name, O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW)
            if self._host.fstat(fd).st_uid != os.geteuid():
                self._host.close(fd)
                raise refuse(errno.EACCES)
            if stat.S_IMODE(self._host.fstat(fd).st_mode) != mode:
                self._host.fchmodat(dir_fd, name, mode, 0)
            return fd
        finally:
            self._host.close(dir_fd)

    def remove(self) -> None:
        """Remove the folder with all that is in it; in a forked child, leave it to the parent."""
        atexit.unregister(self.remove)
        if os.getpid() != self._owner or not os.path.isdir(self.path):
            return
        _remove_tree(self.path)


def _remove_tree(path: bytes) -> None:
    """Remove *path* with all that is in it; mostly the guest has left its folders empty."""
    try:
        for name in os.listdir(path):
            os.rmdir(os.path.join(path, name))
        os.rmdir(path)
    except OSError:
        import shutil  # 20 ms, and only here

        shutil.rmtree(path, onerror=_open_up)


def _open_up(remove: object, path: str | bytes, _: object) -> None:
    """The guest has taken its own rights to a folder away: give them back and go on; give up where that
    fails.
    """
    import shutil

    parent = os.path.dirname(os.fsencode(path))
    try:
        os.chmod(parent, 0o700)
        if os.path.isdir(path) and not os.path.islink(path):
            os.chmod(path, 0o700)
            shutil.rmtree(path, ignore_errors=True)
        elif os.path.lexists(path):
            os.unlink(path)
    except OSError:
        pass
