"""Libraries by name: synthetic images for those that have a table, files beside the program for others."""

from __future__ import annotations

import errno
import os

from compat.abi.apisets import library_name
from compat.errors import CompatError
from compat.image import Image
from shims.linux.execution import OpenProgram
from shims.windows.images import map_image
from shims.windows.state import WindowsProcess
from shims.windows.synthetic import map_synthetic

__all__ = ["open_named"]


def open_named(process: WindowsProcess, name: str) -> int:
    """The base of the library *name*, mapped if it wasn't. Raises OSError(ENOENT)."""
    known = library_name(process.windows.tables.grids["apisets"], name)
    for base, (_, module) in process.modules.items():
        if module == known:
            return base
    if known in process.libraries:
        return map_synthetic(process, known)
    return map_image(process, _beside(process, known), known)


def _beside(process: WindowsProcess, name: str) -> OpenProgram:
    """The library's file in the program's folder, its name in any case. Raises OSError(ENOENT)."""
    folder = os.path.dirname(process.program.name)
    for entry in _entries(process, folder):
        if entry.lower() == os.fsencode(name):
            path = os.path.join(folder, entry)
            file = process.view.open(path, process.view.root(), os.O_RDONLY)
            try:
                image = process.load_image(file.fd, path)
                if isinstance(image, Image) and image.pe and image.cpu == process.abi.cpu.name:
                    return OpenProgram(image, file, path)
            except CompatError:
                pass
            process.host.close(file.fd)
    raise OSError(errno.ENOENT, name)


def _entries(process: WindowsProcess, folder: bytes) -> list[bytes]:
    opened = process.view.open(folder, process.view.root(), os.O_RDONLY | os.O_DIRECTORY)
    try:
        return [os.fsencode(entry) for entry in os.listdir(opened.fd)]
    finally:
        process.host.close(opened.fd)
