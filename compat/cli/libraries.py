"""The libraries that a dynamic program needs, looked for where its dynamic loader would look."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from compat.errors import CompatError
from compat.guest import load_image
from compat.image import Image
from compat.sandbox.view import FileView

__all__ = ["Library", "libraries_of", "open_image"]

_FOLDERS = (b"/lib", b"/usr/lib", b"/lib64", b"/usr/lib64", b"/lib32", b"/usr/lib32", b"/usr/local/lib")
_MOST = 500


class Library(NamedTuple):
    """*name* as a file asks for it, *wanted_by* which file does, *path* in the guest or "" where it is not found."""

    name: str
    wanted_by: str
    path: str


def libraries_of(view: FileView, image: Image, path: bytes) -> list[Library]:
    """The libraries that *image*, at *path* of the guest, needs, and what they need in turn."""
    usual = [*_FOLDERS, *(folder + b"/" + name for folder in _FOLDERS[:4] for name in _multiarch(view, folder))]
    found: dict[str, Library] = {}
    pending = deque([(os.path.basename(os.fsdecode(path)), image, path)])
    while pending and len(found) < _MOST:
        owner, wants, place = pending.popleft()
        for name in wants.needed:
            if name in found:
                continue
            where, library = _find(view, name, [*_own_folders(wants, place), *usual], image.cpu)
            found[name] = Library(name, owner, os.fsdecode(where))
            if library is not None:
                pending.append((name, library, where))
    return list(found.values())


def _multiarch(view: FileView, folder: bytes) -> list[bytes]:
    """Folders such as /usr/lib/aarch64-linux-gnu."""
    try:
        with view.resolve(folder, view.root()) as place:
            return [entry.name for entry in place.listdir() if b"-linux-" in entry.name]
    except OSError:
        return []


def _own_folders(image: Image, path: bytes) -> Iterator[bytes]:
    origin = os.path.dirname(path)
    for text in (image.rpath, image.runpath):
        for part in (text or "").split(":"):
            if part:
                folder = os.fsencode(part)
                yield folder.replace(b"${ORIGIN}", origin).replace(b"$ORIGIN", origin)


def _find(view: FileView, name: str, folders: list[bytes], cpu: str) -> tuple[bytes, Image | None]:
    """Path and image of the first library of that name and CPU; (b"", None) if there is none."""
    raw = os.fsencode(name)
    for candidate in [raw] if b"/" in raw else [os.path.join(folder, raw) for folder in folders]:
        image = open_image(view, candidate)
        if image is not None and image.cpu == cpu:
            return candidate, image
    return b"", None


def open_image(view: FileView, path: bytes) -> Image | None:
    """The guest's file *path* as an Image, or None where there is none that compat can map."""
    try:
        opened = view.open(path, view.root(), os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        found = load_image(opened.fd, path)
    except CompatError:
        return None
    finally:
        view.host.close(opened.fd)
    return found if isinstance(found, Image) else None
