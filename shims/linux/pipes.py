"""Pipes: what Linux adds, splice(2) and its kin."""

from __future__ import annotations

import errno
import os
import select
import stat
from fcntl import F_GETFL

from compat.abi.flags import FlagSet
from compat.abi.handles import ArrayHandle, Pointer
from compat.abi.structs import Record
from shims.linux.copying import move_on
from shims.linux.state import LinuxThread
from shims.posix.files import spans_of
from shims.posix.names import open_file
from shims.posix.openfiles import OpenFile, SpecialFile
from shims.posix.pipes import make_pipe
from shims.posix.transfers import MAX_COUNT, is_ready, nonblocking, receive, send

__all__ = ["pipe_in_registers", "splice", "tee", "vmsplice"]


def pipe_in_registers(thread: LinuxThread) -> tuple[int, int]:
    """pipe(2) of MIPS: the ends are two results (sysm_pipe of arch/mips/kernel/syscall.c)."""
    return make_pipe(thread, frozenset())


def splice(
    thread: LinuxThread,
    in_fd: int,
    in_offset: Pointer[int] | None,
    out_fd: int,
    out_offset: Pointer[int] | None,
    count: int,
    flags: FlagSet,
) -> int:
    """splice(2)."""
    if not count:
        return 0
    _check_flags(flags)
    source, target = open_file(thread, in_fd), open_file(thread, out_fd)
    if not (_is_pipe(thread, source) or _is_pipe(thread, target)):
        raise OSError(errno.EINVAL, "no pipe")
    if isinstance(target.kind, SpecialFile) and not target.kind.spliceable:
        raise OSError(errno.EINVAL, "out_fd")
    begin, end = _offset(thread, source, in_offset), _offset(thread, target, out_offset)
    _wait_for_both(thread, source, target, flags)
    moved = thread.host.splice(source.fd, target.fd, min(count, MAX_COUNT), begin, end, nonblock=True)
    move_on(in_offset, begin, moved)
    move_on(out_offset, end, moved)
    return moved


def tee(thread: LinuxThread, in_fd: int, out_fd: int, count: int, flags: FlagSet) -> int:
    """tee(2)."""
    _check_flags(flags)
    if not count:
        return 0
    source, target = open_file(thread, in_fd), open_file(thread, out_fd)
    if not (_is_pipe(thread, source) and _is_pipe(thread, target)):
        raise OSError(errno.EINVAL, "no pipe")
    _wait_for_both(thread, source, target, flags)
    return thread.host.tee(source.fd, target.fd, min(count, MAX_COUNT), nonblock=True)


def vmsplice(thread: LinuxThread, fd: int, vec: ArrayHandle[Record], count: int, flags: FlagSet) -> int:
    """vmsplice(2): the pages are copied, never given away."""
    _check_flags(flags)
    file = open_file(thread, fd)
    if not _is_pipe(thread, file):
        raise OSError(errno.EBADF, "no pipe")
    spans = spans_of(vec)
    writes = thread.host.fcntl(file.fd, F_GETFL) & os.O_ACCMODE
    events = select.POLLOUT if writes else select.POLLIN
    if "SPLICE_F_NONBLOCK" in flags and not is_ready(thread, file, events):
        raise BlockingIOError(errno.EAGAIN, "fd")
    return send(thread, file, spans) if writes else receive(thread, file, spans)


def _check_flags(flags: FlagSet) -> None:
    if flags.unknown:
        raise OSError(errno.EINVAL, "flags")


def _is_pipe(thread: LinuxThread, file: OpenFile) -> bool:
    return file.opened.node is None and stat.S_ISFIFO(thread.host.fstat(file.fd).st_mode)


def _offset(thread: LinuxThread, file: OpenFile, offset: Pointer[int] | None) -> int | None:
    if offset is None:
        return None
    if _is_pipe(thread, file):
        raise OSError(errno.ESPIPE, "offset")
    return offset.read()


def _wait_for_both(thread: LinuxThread, source: OpenFile, target: OpenFile, flags: FlagSet) -> None:
    for file, events in ((source, select.POLLIN), (target, select.POLLOUT)):
        if not file.may_block or is_ready(thread, file, events):
            continue
        if "SPLICE_F_NONBLOCK" in flags or nonblocking(file):
            raise BlockingIOError(errno.EAGAIN, "fd")
        thread.wait(descriptors={file.fd: events})
