"""What the runtime asks of the host when a process starts and when it loads libraries."""

from __future__ import annotations

import errno
import struct
from typing import Final

from compat.abi.apisets import library_name
from compat.abi.handles import Buffer, CString, Pointer
from compat.abi.structs import Record
from shims.windows.handles import FileObject
from shims.windows.images import map_image
from shims.windows.libraries import open_named
from shims.windows.shared_data import map_shared_data
from shims.windows.synthetic import spare_stub
from shims.windows.threads import WindowsThread

__all__ = ["begin", "open_library", "program_path", "unwritten"]

_EXPORT: Final = struct.Struct("<56sQ")  # struct export of shims/runtime/windows/runtime.h
_MOST_EXPORTS: Final = 1 << 20
_PAGE: Final = 4096


def begin(thread: WindowsThread, exports: int, size: int, teb: int, info: Pointer[Record]) -> None:
    """Take the runtime's functions in, map the program, and tell where things are. Raises OSError: E2BIG for a
    table that can't be, EPERM for a second time."""
    process = thread.process
    if process.runtime:
        raise OSError(errno.EPERM, "it has begun")
    if size > _MOST_EXPORTS or size % _EXPORT.size:
        raise OSError(errno.E2BIG, "the runtime's exports")
    for name, address in _EXPORT.iter_unpack(thread.memory.read(exports, size)):
        process.runtime[name.rstrip(b"\0").decode("ascii", "replace")] = address
    process.tebs[thread.id] = teb
    image = map_image(process, process.program)
    map_shared_data(process)
    top = process.abi.cpu.top - _PAGE
    facts = {"image": image, "stack_base": top, "stack_limit": top - process.options.stack}
    facts |= {"pid": process.pid, "tid": thread.id}
    for number, name in enumerate(("input", "output", "error")):
        if any(fd == number for fd, _ in process.files):
            facts[name] = process.handles.add(FileObject(number))
    info.write(facts)


def program_path(thread: WindowsThread, buf: Buffer, size: int) -> int:
    """The program's own path, as the Linux side sees it; returns its length in bytes. Raises OSError(ERANGE)."""
    path = thread.process.program.name
    if len(path) > size:
        raise OSError(errno.ERANGE, "path")
    buf.write(path)
    return len(path)


def open_library(thread: WindowsThread, name: CString) -> int:
    """The base of the library called *name*, mapped if it wasn't. Raises OSError(ENOENT)."""
    try:
        return open_named(thread.process, name.read().decode("utf-8", "replace"))
    except ValueError:
        raise OSError(errno.ENOENT, "name too long") from None


def unwritten(thread: WindowsThread, library: CString, name: CString) -> int:
    """A stub for an import that nothing exports: it fails when it is called. Raises OSError(ENOMEM) for too many."""
    words = [text.read().decode("utf-8", "replace") for text in (library, name)]
    known = library_name(thread.process.windows.tables.grids["apisets"], words[0])
    return spare_stub(thread.process, known, words[1])
