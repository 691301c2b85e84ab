"""PROGRAM as typed → a file of the host, what the guest calls it, and which guest and CPU it is for."""

from __future__ import annotations

import errno
import os
from typing import NamedTuple

from compat.cli.refusals import CANNOT_RUN, NOT_FOUND, Refusal
from compat.guest import load_image
from compat.host import Host
from compat.image import Image, Script
from compat.process import Options
from compat.sandbox.view import FileView

__all__ = ["Found", "find_program"]

_MOST_SCRIPTS = 5  # as execve(2): a script whose interpreter is a script, and so on


class Found(NamedTuple):
    """*path* on the host, *guest_path* in the guest; *image* is what runs: the program, or its interpreter."""

    path: bytes
    guest_path: bytes
    image: Image


def find_program(name: str, options: Options, search: str, host: Host) -> Found:
    """Find PROGRAM; *search* is the guest's PATH. Raises Refusal or CompatError with the sentence for the user."""
    typed = os.fsencode(name)
    if not typed:
        raise Refusal("PROGRAM is an empty name", NOT_FOUND)
    if options.sysroot is not None and (typed.startswith(b"/") or b"/" not in typed):
        found = _in_sysroot(typed, options, search, host)
        if found is not None:
            return found
    path = os.path.abspath(typed)
    fd = _open(typed, path, options)
    try:
        image = load_image(fd, typed)
        if isinstance(image, Script):
            with _View(options, host) as view:
                image = _interpreter(view, image, typed)
        return Found(path, path, image)
    finally:
        os.close(fd)


def _open(typed: bytes, path: bytes, options: Options) -> int:
    try:
        # O_NONBLOCK: opening a pipe that nobody writes to must not hang.
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError as error:
        status = NOT_FOUND if error.errno in (errno.ENOENT, errno.ENOTDIR) else CANNOT_RUN
        raise Refusal(f"{os.fsdecode(typed)}: {error.strerror}{_hint(typed, status, options)}", status) from None


def _hint(typed: bytes, status: int, options: Options) -> str:
    if status != NOT_FOUND or b"/" in typed:
        return ""
    if options.sysroot is None:
        return " in the current folder (a PATH is searched only inside a --sysroot)"
    return " in the current folder, nor in the PATH inside the sysroot"


def _in_sysroot(typed: bytes, options: Options, search: str, host: Host) -> Found | None:
    """The program where the guest itself would find it, or None."""
    if b"/" in typed:
        candidates = [typed]
    else:
        candidates = [os.path.join(os.fsencode(folder), typed) for folder in search.split(":") if folder[:1] == "/"]
    with _View(options, host) as view:
        for candidate in candidates:
            found = _look(view, candidate, must_execute=b"/" not in typed)
            if found is not None:
                return found
    return None


def _look(view: FileView, path: bytes, *, must_execute: bool) -> Found | None:
    """The regular file *path* of the view, or None if there is none (or none that may be executed)."""
    try:
        with view.resolve(path, view.root()) as place:
            if must_execute:
                place.access(os.X_OK)
            canonical = place.guest_path
            opened = place.open(os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return None
    try:
        found = load_image(opened.fd, path)
        host_path = view.host.path_of(opened.fd)
        if isinstance(found, Script):
            return Found(host_path, path, _interpreter(view, found, path))
        return Found(host_path, canonical, found)
    finally:
        view.host.close(opened.fd)


def _interpreter(view: FileView, script: Script, name: bytes) -> Image:
    """The image that runs a script in the end."""
    for _ in range(_MOST_SCRIPTS):
        wanted = os.fsdecode(script.interpreter)
        try:
            opened = view.open(script.interpreter, view.root(), os.O_RDONLY | os.O_NONBLOCK)
        except OSError as error:
            sentence = f"{os.fsdecode(name)} is a script for {wanted}: {error.strerror} among the files the guest sees"
            raise Refusal(f"{sentence}; give --sysroot or --mount a folder that has it", CANNOT_RUN) from None
        try:
            found = load_image(opened.fd, script.interpreter)
        finally:
            view.host.close(opened.fd)
        if isinstance(found, Image):
            return found
        script = found
    raise Refusal(f"{os.fsdecode(name)}: too many scripts run each other", CANNOT_RUN)


class _View:
    """The guest's files before there is a guest, for as long as the context lasts."""

    def __init__(self, options: Options, host: Host) -> None:
        self._options = options
        self._host = host

    def __enter__(self) -> FileView:
        from compat.sandbox.default import default_view
        from compat.sandbox.grants import parse_mount

        options = self._options
        sysroot = None if options.sysroot is None else os.fsencode(options.sysroot)
        grants = [parse_mount(text) for text in options.mounts]
        self._view = default_view(
            self._host, cwd=os.getcwdb(), sysroot=sysroot, grants=grants, trust=options.trust and sysroot is None
        )
        return self._view

    def __exit__(self, *_: object) -> None:
        self._view.close()
