"""Giving an AF_UNIX socket its name: a path, an abstract name, or one of the system's choice."""

from __future__ import annotations

import errno
from typing import NoReturn

from compat.host import unix_address, unix_name
from shims.posix.addresses import abstract_name, check, family_of, unix_path
from shims.posix.openfiles import OpenFile
from shims.posix.socketfiles import Socket
from shims.posix.state import PosixThread

__all__ = ["bind_unix"]


def bind_unix(thread: PosixThread, file: OpenFile, kind: Socket, raw: bytes) -> None:
    """bind(2); an address of only the family asks for an abstract name of five hexadecimal digits: unix(7).

    Raises:
        OSError: EINVAL, EADDRINUSE; for a path, what mknod(2) has.
    """
    if kind.name:
        _refuse_second(thread, raw)
    if len(raw) == 2 and family_of(thread, raw) == kind.family:
        raw += _choose(thread, file)
    else:
        check(thread, kind, raw)
        if raw[2]:
            raw = raw[:2] + _bind_path(thread, file, unix_path(raw)) + b"\0"
        else:
            _bind_abstract(thread, file, raw[3:])
    kind.name = raw


def _refuse_second(thread: PosixThread, raw: bytes) -> NoReturn:
    """The path is made before the socket is looked at: unix_bind_bsd()."""
    process = thread.process
    if raw[2:3] not in (b"", b"\0"):
        with process.view.entry(unix_path(raw), process.directory) as place:
            if place.exists():
                raise OSError(errno.EADDRINUSE, "path")
    raise OSError(errno.EINVAL, "bound already")


def _bind_path(thread: PosixThread, file: OpenFile, path: bytes) -> bytes:
    process = thread.process
    try:
        with process.view.entry(path, process.directory) as place:
            place.bind(file.fd)
    except FileExistsError:
        raise OSError(errno.EADDRINUSE, "path") from None
    process.socket_names.remember(unix_name(thread.host.getsockname(file.fd)), path)
    return path


def _bind_abstract(thread: PosixThread, file: OpenFile, name: bytes) -> None:
    thread.host.bind(file.fd, unix_address(abstract_name(thread, name)))


def _choose(thread: PosixThread, file: OpenFile) -> bytes:
    while True:
        name = b"%05x" % (int.from_bytes(thread.host.getrandom(4), "little") & 0xFFFFF)
        try:
            _bind_abstract(thread, file, name)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return b"\0" + name
