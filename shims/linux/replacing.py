"""execve: another program in the same process. Source: execve(2), fs/exec.c."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from functools import partial

from compat.errors import CompatError
from compat.sandbox.place import Opened
from shims.linux.catching import forget_handlers
from shims.linux.execution import OpenProgram, open_program
from shims.linux.start import enter
from shims.linux.state import LinuxProcess, LinuxThread
from shims.linux.threads import end_thread
from shims.posix.state import AltStack, PosixThread

__all__ = ["prepare_execute"]

_X_OK = 1
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
    opened = _open_program_file(process, directory, path, flags)
    name = path if directory is None or path.startswith(b"/") else b"/dev/fd/%d/%s" % (directory, path)
    try:
        program, arguments = open_program(process, opened.fd, opened.guest_path, name, arguments)
    except CompatError as error:
        raise OSError(errno.ENOEXEC, str(error)) from None
    if program.image.cpu != process.abi.cpu.name or program.image.guest != process.abi.guest:
        os.close(program.fd)
        raise OSError(errno.ENOEXEC, f"a program for {program.image.guest} on {program.image.cpu}")
    return partial(_replace, thread, program, arguments, environment)


def _open_program_file(process: LinuxProcess, directory: int | None, path: bytes, flags: frozenset[str]) -> Opened:
    base = process.directory if directory is None else process.files.get(directory).opened
    if not path and "AT_EMPTY_PATH" in flags and directory is not None:
        place = process.view.held(base)
    else:
        place = process.view.resolve(path, base, follow="AT_SYMLINK_NOFOLLOW" not in flags)
    with place:
        state = place.stat()
        if stat.S_ISLNK(state.st_mode):
            raise OSError(errno.ELOOP, "symbolic link")
        if not stat.S_ISREG(state.st_mode) or not state.st_mode & 0o111:
            raise OSError(errno.EACCES, "not an executable file")
        place.access(_X_OK, effective=True)
        return place.open(os.O_RDONLY)


def _replace(thread: LinuxThread, program: OpenProgram, arguments: list[bytes], environment: list[bytes]) -> None:
    """The point of no return: begin_new_exec() of fs/exec.c."""
    process = thread.process
    assert process.engine is not None
    for other in list(process.threads.values()):
        assert isinstance(other, LinuxThread)
        end_thread(other)
    process.engine.alone(thread)
    process.futexes = {}
    process.files.close_on_exec()
    forget_handlers(process)
    if process.timers:
        from shims.linux.timers import delete_timers

        delete_timers(process)
    thread.id = process.pid
    thread.altstack, thread.clear_tid, thread.robust_list = AltStack(), 0, 0
    thread.restart = thread.saved_mask = None
    process.dumpable = 1
    process.release_parent()
    try:
        enter(thread, program, arguments, environment)
    except (OSError, CompatError):
        process.status = _SIGKILL  # the old program is gone: nobody is left to hear of an error
    finally:
        os.close(program.fd)
