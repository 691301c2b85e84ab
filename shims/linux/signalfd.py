"""signalfd: pending signals as a file. On the host it is a pipe that holds something while there are some."""

from __future__ import annotations

import errno
import select
import time
from typing import NoReturn

from compat.abi.flags import FlagSet
from compat.abi.handles import Pointer
from compat.abi.structs import Record
from compat.host import Host
from shims.linux.signals import read_set, take_from
from shims.linux.state import LinuxProcess, LinuxThread
from shims.posix.openfiles import OpenFile, SpecialFile
from shims.posix.sending import queues
from shims.posix.siginfo import code_number
from shims.posix.state import Pending, PosixThread
from shims.posix.transfers import nonblocking

__all__ = ["Signals"]

_INFO_FIELDS = ("pid", "uid", "status", "utime", "stime", "band", "fd", "addr", "overrun")


class Signals(SpecialFile):
    """The signals of *mask* that are pending for the reader or for the process.

    *writer* is the other end of the pipe, owned here; *raised* counts the bytes in it.
    """

    def __init__(self, host: Host, mask: int, writer: int) -> None:
        self.host = host
        self.mask = mask
        self.writer = writer
        self.raised = 0

    def __del__(self) -> None:
        self.host.close(self.writer)

    def read(self, thread: PosixThread, file: OpenFile, views: list[memoryview]) -> int:
        """Take signals, each as a struct signalfd_siginfo; waits while there are none.

        Raises OSError: EINVAL for less room than one takes, EAGAIN.
        """
        assert isinstance(thread, LinuxThread)
        process, layout = thread.process, thread.abi.layout("SignalfdSiginfo")
        room = sum(map(len, views)) // layout.size
        if not room:
            raise OSError(errno.EINVAL, "less than a signalfd_siginfo")
        process.gather()
        taken = list[bytes]()
        while len(taken) < room and (pending := take_from(thread, self.mask)) is not None:
            taken.append(layout.pack(_fields(thread, pending)))
        self.refresh(process, file)
        if not taken:
            self._wait(thread, file)
        data = b"".join(taken)
        for view in views:
            part, data = data[: len(view)], data[len(view) :]
            view[: len(part)] = part
        return len(taken) * layout.size

    def _wait(self, thread: LinuxThread, file: OpenFile) -> NoReturn:
        if nonblocking(file):
            raise BlockingIOError(errno.EAGAIN, "no signal is pending")
        if self.raised:  # by a signal for another thread
            thread.wait(until=time.monotonic() + _LOOK_AGAIN)
        thread.wait(descriptors={file.fd: select.POLLIN})

    def refresh(self, process: LinuxProcess, file: OpenFile, added: int = 0) -> None:
        """Let the pipe tell whether signals are pending; each that is *added* wakes those who wait for edges."""
        ready = any(self.mask >> (each.number - 1) & 1 for queue in queues(process) for each in queue)
        new = bool(added) and self.mask >> (added - 1) & 1
        if ready and (not self.raised or (new and self.raised < _MOST_RAISED)):
            self.raised += self.host.write(self.writer, b".")
        elif self.raised and not ready:
            self.raised -= len(self.host.read(file.fd, self.raised))

    def forked(self, file: OpenFile) -> None:
        """A child has signals of its own, so it needs a pipe of its own."""
        host = self.host
        blocking = not nonblocking(file)
        reader, writer = host.pipe2()
        host.dup2(reader, file.fd)
        host.dup2(writer, self.writer)
        host.close(reader)
        host.close(writer)
        host.set_blocking(file.fd, blocking)
        self.raised = 0


_LOOK_AGAIN = 0.01  # seconds
_MOST_RAISED = 4096  # less than any pipe holds


def _fields(thread: LinuxThread, pending: Pending) -> dict[str, object]:
    """signalfd_copyinfo() of fs/signalfd.c."""
    code = pending.code if isinstance(pending.code, int) else code_number(thread.abi, pending.code)
    told = pending.fields
    fields: dict[str, object] = {"signo": pending.number, "errno": told.get("head.errno", 0), "code": code}
    fields |= {name: told[name] for name in _INFO_FIELDS if name in told}
    if pending.layout == "SiginfoTimer":
        fields["tid"] = told["timer"]
    if isinstance(value := told.get("value"), int):
        cpu = thread.abi.cpu
        number = value >> 32 if cpu.bits == 64 and cpu.endian == "big" else value & 0xFFFF_FFFF
        fields |= {"ptr": value, "int": number - (number >> 31 << 32)}
    return fields


def signalfd(thread: LinuxThread, fd: int, set: Pointer[Record], size: int) -> int:
    """signalfd4 without flags."""
    return signalfd4(thread, fd, set, size, FlagSet.make((), 0, 0))


def signalfd4(thread: LinuxThread, fd: int, set: Pointer[Record], size: int, flags: FlagSet) -> int:
    """A descriptor for the signals of *set*, or another set for *fd*.

    Raises:
        OSError: EINVAL for flags, the set's size or another file, EBADF, EMFILE.
    """
    process = thread.process
    if flags.unknown or size != process.most_signals // 8:
        raise OSError(errno.EINVAL, "signalfd flags, or set size")
    mask = read_set(thread, set) & ~process.unblockable
    process.gather()
    if fd != -1:
        file = process.files.get(fd)
        if not isinstance(file.kind, Signals):
            raise OSError(errno.EINVAL, "no signalfd")
        file.kind.mask = mask
        file.kind.refresh(process, file)
        return fd
    return _make(thread, mask, flags)


def _make(thread: LinuxThread, mask: int, flags: FlagSet) -> int:
    process, host = thread.process, thread.host
    reader, writer = host.pipe2()
    file = OpenFile(host, reader, path=b"anon_inode:[signalfd]", kind=Signals(host, mask, writer))
    host.set_blocking(reader, "SFD_NONBLOCK" not in flags)
    try:
        made = process.files.add(file, close_on_exec="SFD_CLOEXEC" in flags)
    except OSError:
        file.close()
        raise
    process.signal_files.add(file)
    file.kind.refresh(process, file)
    return made
