"""Pipes."""

from __future__ import annotations

import errno
import os

from compat.abi.flags import FlagSet
from compat.abi.handles import Pointer
from compat.abi.structs import Record
from shims.posix.openfiles import OpenFile
from shims.posix.state import PosixThread

__all__ = ["make_pipe", "pipe", "pipe2"]


def pipe(thread: PosixThread, ends: Pointer[Record]) -> None:
    """pipe(2)."""
    _make(thread, ends, frozenset())


def pipe2(thread: PosixThread, ends: Pointer[Record], flags: FlagSet) -> None:
    """pipe2(2)."""
    if flags.unknown or flags - {"O_CLOEXEC", "O_NONBLOCK", "O_DIRECT", "O_RDONLY"}:
        raise OSError(errno.EINVAL, "flags")
    _make(thread, ends, flags)


def _make(thread: PosixThread, ends: Pointer[Record], flags: frozenset[str]) -> None:
    first, second = make_pipe(thread, flags)
    try:
        ends.write({"first": first, "second": second})
    except Exception:
        thread.process.files.close(first)
        thread.process.files.close(second)
        raise


def make_pipe(thread: PosixThread, flags: frozenset[str]) -> tuple[int, int]:
    """The reading and the writing descriptor of a new pipe; raises OSError(EMFILE)."""
    files, host = thread.process.files, thread.host
    files.free_number(files.free_number() + 1)
    bits = (os.O_NONBLOCK if "O_NONBLOCK" in flags else 0) | (getattr(os, "O_DIRECT", 0) if "O_DIRECT" in flags else 0)
    reader, writer = host.pipe2(bits)
    marked = "O_CLOEXEC" in flags
    return (
        files.add(OpenFile(host, reader), close_on_exec=marked),
        files.add(OpenFile(host, writer), close_on_exec=marked),
    )
