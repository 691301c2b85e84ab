"""A folder of the host that only this run of the guest sees: its /tmp and /dev/shm."""

from __future__ import annotations

import atexit
import errno
import os
import stat

from compat.host import O_PATH, Host
from compat.sandbox.paths import refuse


class PrivateFolder:
    """A folder in the host's own temporary directory, made at the first use, removed by the process that
    named it.

    Its unguessable name is chosen at once, so that a forked child which is first to use it makes the same
    one.
    """

    def __init__(self, host: Host, parent: bytes | None = None) -> None:
        self._host = host
        self._parent = parent or os.fsencode(os.environ.get("TMPDIR") or "/tmp")
        self._name = b"compat-" + host.getrandom(10).hex().encode()
        self._owner = os.getpid()
        atexit.register(self.remove)

    @property
    def path(self) -> bytes:
        return os.path.join(self._parent, self._name)

    def has(self, name: bytes) -> bool:
        """Whether the folder *name* inside was made."""
        return os.path.isdir(os.path.join(self.path, name))

    def folder(self, name: bytes, mode: int = 0o1777) -> int:
        """An O_PATH descriptor of the folder *name* inside, which the caller closes.

        Raises:
            OSError: what the host says; EACCES when someone else made the folder first.
        """
        top = self._make(self._host.open(self._parent, O_PATH | os.O_DIRECTORY), self._name, 0o700)
        return self._make(top, name, mode)

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
        import shutil  # 20 ms, and only here

        shutil.rmtree(self.path, onerror=_open_up)


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
