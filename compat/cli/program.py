"""PROGRAM as typed → a file of the host, what the guest calls it, and what has to run for it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from compat.cli.refusals import CANNOT_RUN, NOT_FOUND, Refusal
from compat.data import dataclass
from compat.guest import load_image
from compat.host import Host
from compat.image import Image, Script
from compat.process import Options
from compat.sandbox.view import FileView

__all__ = ["Found", "Located", "find_program", "first_view", "interpreter_of", "locate", "opened_program"]

_MOST_SCRIPTS = 5  # as execve(2): a script whose interpreter is a script, and so on


@dataclass(frozen=True)
class Located:
    """A file at *path* on the host; the guest finds it at *asked* and, symbolic links followed, at *canonical*."""

    path: bytes
    asked: bytes
    canonical: bytes


@dataclass(frozen=True)
class Found:
    """*path* on the host, *guest_path* in the guest; *image* is what runs: the program, or its interpreter."""

    path: bytes
    guest_path: bytes
    image: Image


def find_program(name: str, options: Options, search: str, host: Host) -> Found:
    """Find PROGRAM; *search* is the guest's PATH. Raises Refusal or CompatError with the sentence for the user."""
    located = locate(name, options, search, host)
    with opened_program(name, located.path) as fd:
        found = load_image(fd, os.fsencode(name))
    if isinstance(found, Image):
        return Found(located.path, located.canonical, found)
    with first_view(options, host) as view:
        # $0 of a script is what was asked for: some do by it what programs do by argv[0].
        return Found(located.path, located.asked, interpreter_of(view, found, name))


def locate(name: str, options: Options, search: str, host: Host) -> Located:
    """The file that PROGRAM means. Raises Refusal if there is none."""
    typed = os.fsencode(name)
    if not typed:
        raise Refusal("the name of the PROGRAM is empty", NOT_FOUND)
    try:
        path = os.path.abspath(typed)
        os.getcwdb()  # the guest is shown this folder, so it must be there
    except OSError as error:
        raise Refusal(f"the current folder can't be used: {error.strerror}", CANNOT_RUN) from None
    if options.sysroot is not None:
        located = _in_sysroot(typed, path, options, search, host)
        if located is not None:
            return located
    try:
        os.stat(path)
    except OSError as error:
        missing = error.errno in (errno.ENOENT, errno.ENOTDIR)
        hint = _hint(options) if missing and b"/" not in typed else ""
        raise Refusal(f"{name}: {error.strerror}{hint}", NOT_FOUND if missing else CANNOT_RUN) from None
    return Located(path, path, path)


@contextmanager
def opened_program(name: str, path: bytes) -> Iterator[int]:
    """A host descriptor of the file *path*, which sentences call *name*. Raises Refusal."""
    try:
        # O_NONBLOCK: opening a pipe that nobody writes to must not hang.
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError as error:
        raise Refusal(f"{name}: {error.strerror}", CANNOT_RUN) from None
    try:
        yield fd
    finally:
        os.close(fd)


def _hint(options: Options) -> str:
    if options.sysroot is None:
        return " in the current folder (a PATH is searched only inside a --sysroot)"
    return " in the current folder, nor in the PATH inside the sysroot"


def _in_sysroot(typed: bytes, path: bytes, options: Options, search: str, host: Host) -> Located | None:
    """The program where the guest itself would find it; a host path that leads into the sysroot is understood, too."""
    if b"/" in typed:
        candidates = [typed] if typed.startswith(b"/") else []
        root = os.path.realpath(os.fsencode(options.sysroot or "/"))
        if os.path.realpath(path).startswith(root.rstrip(b"/") + b"/"):
            candidates.append(b"/" + os.path.relpath(os.path.realpath(path), root))
    else:
        candidates = [os.path.join(os.fsencode(folder), typed) for folder in search.split(":") if folder[:1] == "/"]
    with first_view(options, host) as view:
        return next(_shown(view, candidates, executable=b"/" not in typed), None)


def _shown(view: FileView, candidates: Sequence[bytes], *, executable: bool) -> Iterator[Located]:
    """Those *candidates* that are regular files in the view, or of those the ones that may be executed."""
    for path in candidates:
        try:
            with view.resolve(path, view.root()) as place:
                if executable:
                    place.access(os.X_OK)
                canonical = place.guest_path
                opened = place.open(os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        except OSError:
            continue
        try:
            if opened.node is None and stat.S_ISREG(view.fstat(opened).st_mode):
                yield Located(view.host.path_of(opened.fd), path, canonical)
        finally:
            view.host.close(opened.fd)


def interpreter_of(view: FileView, script: Script, name: str) -> Image:
    """The image that runs a script in the end. Raises Refusal."""
    for _ in range(_MOST_SCRIPTS):
        wanted = os.fsdecode(script.interpreter)
        try:
            opened = view.open(script.interpreter, view.root(), os.O_RDONLY | os.O_NONBLOCK)
        except OSError as error:
            sentence = f"{name} is a script for {wanted}: {error.strerror} among the files that the guest sees"
            raise Refusal(f"{sentence}; give it a --sysroot or --mount that has it", CANNOT_RUN) from None
        try:
            found = load_image(opened.fd, script.interpreter)
        finally:
            view.host.close(opened.fd)
        if isinstance(found, Image):
            return found
        script = found
    raise Refusal(f"{name}: too many scripts run each other", CANNOT_RUN)


@contextmanager
def first_view(options: Options, host: Host) -> Iterator[FileView]:
    """The guest's files before there is a guest: without /proc and /dev."""
    from compat.sandbox.default import default_view
    from compat.sandbox.grants import parse_mount

    view = default_view(
        host,
        cwd=os.getcwdb(),
        sysroot=None if options.sysroot is None else os.fsencode(options.sysroot),
        grants=[parse_mount(text) for text in options.mounts],
        trust=options.trust,
    )
    try:
        yield view
    finally:
        view.close()
