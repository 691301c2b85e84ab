"""Questions of one guest process to another: its memory map, its open files, what lies in its memory.

Only the process itself knows, so it is asked by a signal, and answers when nothing of its state is half done. One that
does not, because it computes without a call, is for the one that asks another user's.
"""

from __future__ import annotations

import errno
import marshal
from typing import Any, Final

from compat.errors import MemoryFault
from compat.sandbox.synthetic import Directory, File, Link, Node
from shims.linux.proc_self import own_process
from shims.linux.state import LinuxProcess
from shims.posix.family import is_visible
from shims.posix.sending import queue_for_process
from shims.posix.state import Pending

__all__ = ["MOST", "answer", "ask"]

MOST: Final = 1 << 20
"""Bytes of memory in one answer."""


def ask(process: LinuxProcess, pid: int, *question: Any) -> tuple[Any, list[int]]:
    """The answer of the process *pid* to one of the questions below, and the host's descriptors that came with it.

    Raises:
        OSError: what the other one refuses it with: EACCES where it does not answer.
    """
    token, process.asking = process.socket_names.token, True
    if process.census is not None:
        process.census.ask(pid)
    try:
        data, files = process.host.ask(pid, token, marshal.dumps(question))
        error, found = marshal.loads(data)
    except (OSError, EOFError, ValueError, TypeError):
        raise OSError(errno.EACCES, f"process {pid} does not answer") from None
    finally:
        process.asking = False
    if error:
        raise OSError(error, f"process {pid}")
    return found, files


def answer(process: LinuxProcess) -> None:
    """Answer whoever asks; if nobody does, the signal is the guest's."""

    def reply(pid: int, user: int, question: bytes) -> tuple[bytes, list[int]]:
        try:
            _check(process, pid, user)
            kind, *arguments = marshal.loads(question)
            found, files = _ANSWERS[kind](process, *arguments)
        except OSError as error:
            return marshal.dumps((error.errno, None)), []
        except (EOFError, ValueError, TypeError, KeyError):
            return marshal.dumps((errno.EINVAL, None)), []
        return marshal.dumps((0, found)), files

    asked = process.census is not None and process.census.was_asked(process.pid)
    while process.host.answer(process.socket_names.token, reply):
        asked = True
    if not asked:
        queue_for_process(process, Pending(process.abi.signals.encode("SIGPWR"), "SI_USER"))


def _check(process: LinuxProcess, pid: int, user: int) -> None:
    """May the process *pid* of *user* see inside this one: __ptrace_may_access() of kernel/ptrace.c."""
    users = process.credentials.users
    same = user == users.real == users.effective == users.saved and process.dumpable
    if not is_visible(process, pid) or (user != 0 and not same):
        raise OSError(errno.EPERM, "another user's")


# --- the questions ---


def _node(process: LinuxProcess, names: bytes) -> tuple[tuple[int, object], list[int]]:
    """What is at a path in the process's own folder of /proc: its mode, and content, target or names with modes."""
    node: Node | None = own_process(process)
    for name in names.split(b"/"):
        node = node.lookup(name) if isinstance(node, Directory) else None
    if isinstance(node, File):
        return (node.mode, node.content()), []
    if isinstance(node, Link):
        return (node.mode, node.target()), []
    if isinstance(node, Directory):
        return (node.mode, {name: each.mode for name, each in node.entries().items()}), []
    raise OSError(errno.ENOENT, "no such file")


def _open_file(process: LinuxProcess, number: int) -> tuple[None, list[int]]:
    """The open file at the descriptor *number*."""
    return None, [process.files.get(number).fd]


def _folder(process: LinuxProcess) -> tuple[None, list[int]]:
    """The working folder."""
    return None, [process.directory.fd]


def _read(process: LinuxProcess, spans: list[tuple[int, int]]) -> tuple[bytes, list[int]]:
    """What lies in memory at addresses, each with a size, as far as it can be read."""
    found = bytearray()
    for address, size in spans:
        try:
            found += process.memory.read(address, min(size, MOST - len(found)))
        except MemoryFault as fault:
            if fault.address > address:
                found += process.memory.read(address, fault.address - address)
            break
    if not found and spans:
        raise OSError(errno.EFAULT, "nothing there")
    return bytes(found), []


def _write(process: LinuxProcess, spans: list[tuple[int, int]], data: bytes) -> tuple[int, list[int]]:
    """Put *data* into memory; returns how much of it."""
    done = 0
    for address, size in spans:
        part = data[done : done + size]
        try:
            process.memory.write(address, part)
        except MemoryFault as fault:
            if fault.address > address:
                process.memory.write(address, part[: fault.address - address])
                done += fault.address - address
            break
        done += len(part)
    if not done and data:
        raise OSError(errno.EFAULT, "nothing there")
    return done, []


_ANSWERS: dict[str, Any] = {"node": _node, "file": _open_file, "folder": _folder, "read": _read, "write": _write}
