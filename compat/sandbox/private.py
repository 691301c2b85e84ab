"""A folder of the host that only this run of the guest sees: its /tmp and /dev/shm."""

from __future__ import annotations

import atexit
import errno
import os
from collections.abc import Callable
from typing import Final

from compat.host import AT_FDCWD, O_PATH, Host
from compat.sandbox.leftovers import PREFIX, abandoned, owner_tag
from compat.sandbox.paths import refuse

_INSIDE: Final = b"run"


class PrivateFolder:
    """A folder in the host's own temporary directory, made at the first use, removed by the process that
    named it.

    Its unguessable name is chosen at once, so that a forked child which is first to use it makes the same
    one. Whoever makes it first removes what killed runs left behind.

    Only the user who began the run comes in; what lies inside is for all users that its processes become.
    """

    def __init__(self, host: Host, parent: bytes | None = None) -> None:
        self._host = host
        self._on_made: Callable[[], None] = lambda: None
        self._parent = parent or os.fsencode(os.environ.get("TMPDIR") or "/tmp")
        self._name = PREFIX + owner_tag() + b"-" + host.getrandom(10).hex().encode()
        self._owner = os.getpid()
        self._user = os.geteuid()
        self._inside = -1
        atexit.register(self.remove)

    @property
    def top(self) -> bytes:
        """Where the whole of it is, made or not."""
        return os.path.join(self._parent, self._name)

    @property
    def path(self) -> bytes:
        """Where its folders are."""
        return os.path.join(self.top, _INSIDE)

    def has(self, name: bytes) -> bool:
        """Whether the folder *name* inside was made."""
        try:
            return os.path.isdir(self.top) and bool(self._host.fstatat(self._enter(), name))
        except FileNotFoundError:
            return False

    def when_made(self, act: Callable[[], None]) -> None:
        """Let *act* be called in the process that makes the folder; at once if it is there."""
        self._on_made = act
        if os.path.isdir(self.top):
            act()

    def folder(self, name: bytes, mode: int = 0o1777) -> int:
        """An O_PATH descriptor of the folder *name* inside, which the caller closes.

        Raises:
            OSError: what the host says; EACCES when someone else made the folder first.
        """
        return self._make(self._enter(), name, mode)

    def hold(self) -> None:
        """Make it now and keep it open: the process will soon be another user, who does not come in."""
        self._enter()

    def give_to(self, user: int) -> None:
        """The process that is to remove it becomes *user* for good, and can only do so as its owner."""
        if self._user == user or os.getpid() != self._owner:
            return
        for name in os.listdir(self.path):
            self._host.fchownat(self._enter(), name, user, -1)
        self._host.fchownat(AT_FDCWD, self.path, user, -1)
        self._host.fchownat(AT_FDCWD, self.top, user, -1)
        self._user = user
        above = self._host.open(self._parent, O_PATH | os.O_DIRECTORY)
        self._parent = b"/proc/self/fd/%d" % above  # wherever it is, the new user may not come there

    def _enter(self) -> int:
        """The folder that holds the others, kept open."""
        if self._inside >= 0:
            return self._inside
        if not os.path.isdir(self.top):
            self._begin()
        parent = self._host.open(self._parent, O_PATH | os.O_DIRECTORY)
        try:
            top = self._make(parent, self._name, 0o700)
        finally:
            self._host.close(parent)
        try:
            if self._host.fstat(top).st_uid != self._user:
                raise refuse(errno.EACCES)
            self._inside = self._make(top, _INSIDE, 0o777)
        finally:
            self._host.close(top)
        return self._inside

    def _begin(self) -> None:
        for path in abandoned(self._parent):
            _remove_tree(path)
        self._on_made()

    def _make(self, dir_fd: int, name: bytes, mode: int) -> int:
        """Make *name* in *dir_fd* unless it is there; its descriptor."""
        umask = self._host.umask(0)
        try:
            self._host.mkdirat(dir_fd, name, mode)
        except FileExistsError:
            pass
        finally:
            self._host.umask(umask)
        return self._host.openat(dir_fd, name, O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW)

    def remove(self) -> None:
        """Remove the folder with all that is in it; in a forked child, leave it to the parent."""
        atexit.unregister(self.remove)
        if self._inside >= 0:
            self._host.close(self._inside)
            self._inside = -1
        if os.getpid() != self._owner or not os.path.isdir(self.top):
            return
        _remove_tree(self.top)


def _remove_tree(path: bytes) -> None:
    """Remove *path* with all that is in it; mostly the guest has left its folders empty."""
    try:
        inside = os.path.join(path, _INSIDE)
        for name in os.listdir(inside):
            os.rmdir(os.path.join(inside, name))
        os.rmdir(inside)
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
