"""execve: another program in the same process. Source: execve(2), fs/exec.c."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from functools import partial

from compat.abi.conventions import find_cpu
from compat.errors import CompatError
from compat.process import OtherCpu
from compat.sandbox.place import Opened
from shims.linux.catching import forget_handlers
from shims.linux.execution import NoLoader, OpenProgram, open_executable, open_program
from shims.linux.stack import check_size
from shims.linux.start import enter, string_limit
from shims.linux.state import LinuxProcess, LinuxThread
from shims.linux.threads import end_thread
from shims.linux.vfork import give_back
from shims.posix.state import AltStack, PosixThread

__all__ = ["prepare_execute"]

_SIGKILL = 9


def prepare_execute(
    thread: PosixThread,
    directory: int | None,
    path: bytes,
    arguments: list[bytes],
    environment: list[bytes],
    flags: frozenset[str],
) -> Callable[[], None]:
    """Find and check the program; returns what puts it in place once the CPU has left guest code.

    Raises OSError while the old program still stands: ENOENT, EACCES, ENOEXEC, ELOOP, E2BIG, …
    """
    assert isinstance(thread, LinuxThread)
    process = thread.process
    name, hidden = _name(process, directory, path)
    base = process.directory if directory is None or path.startswith(b"/") else process.files.get(directory).opened
    file = open_executable(process, path, base, flags)
    try:
        program, arguments = open_program(process, file, name, arguments, hidden=hidden)
    except NoLoader as error:
        raise OSError(error.number, str(error)) from None
    except CompatError as error:
        raise OSError(errno.ENOEXEC, str(error)) from None
    try:
        _check(process, program, arguments, environment)
    except OSError:
        program.close()
        raise
    return partial(_replace, thread, program, arguments, environment)


def _name(process: LinuxProcess, directory: int | None, path: bytes) -> tuple[bytes, bool]:
    """What the program is called (alloc_bprm() of fs/exec.c), and whether that leads nowhere after close-on-exec."""
    if directory is None or path.startswith(b"/"):
        return path, False
    hidden = process.files.slot(directory).close_on_exec
    return (b"/dev/fd/%d/%s" % (directory, path) if path else b"/dev/fd/%d" % directory), hidden


def _check(process: LinuxProcess, program: OpenProgram, arguments: list[bytes], environment: list[bytes]) -> None:
    """Raises OSError: ENOEXEC for a program of another system, E2BIG for strings that its stack has no room for."""
    image = program.image
    if image.guest != process.abi.guest:
        raise OSError(errno.ENOEXEC, f"a program for {image.guest}")
    word = find_cpu(process.abi.tables.grids["cpus"], image.cpu).word
    check_size(arguments or [b""], environment, program.name, word, string_limit(process))


def _replace(thread: LinuxThread, program: OpenProgram, arguments: list[bytes], environment: list[bytes]) -> None:
    """The point of no return: begin_new_exec() of fs/exec.c. Raises OtherCpu where this CPU can't run the program."""
    process = thread.process
    assert process.engine is not None
    for other in list(process.threads.values()):
        assert isinstance(other, LinuxThread)
        end_thread(other)
    give_back(process)
    thread.id = process.pid
    process.engine.alone(thread)
    process.futexes, process.locks = {}, {}
    process.files.close_on_exec()
    forget_handlers(process)
    if process.timers:
        from shims.linux.timers import delete_timers

        delete_timers(process)
    thread.altstack, thread.clear_tid, thread.robust_list = AltStack(), 0, 0
    thread.restart = thread.saved_mask = None
    if process.touched_credentials:
        from shims.linux.capabilities import keep_through_execve

        keep_through_execve(thread)
    users, groups = process.credentials.users, process.credentials.groups
    process.dumpable = int(users.real == users.effective and groups.real == groups.effective)
    _let_go(process.executable)
    if program.image.cpu != process.abi.cpu.name:
        from shims.linux.moving import move

        raise OtherCpu(program.image.cpu, partial(move, thread, process.abi, program, arguments, environment))
    enter_or_die(thread, program, arguments, environment)


def enter_or_die(thread: LinuxThread, program: OpenProgram, arguments: list[bytes], environment: list[bytes]) -> None:
    """The old program is gone: nobody is left to hear of an error (bprm_execve() of fs/exec.c)."""
    try:
        enter(thread, program, arguments, environment)
    except (OSError, CompatError):
        thread.process.status = _SIGKILL


def _let_go(file: Opened) -> None:
    if file.fd >= 0:
        os.close(file.fd)
