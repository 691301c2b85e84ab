"""What the user grants on the command line: a folder or file of the host at a guest path."""

from __future__ import annotations

import os
import stat

from compat.data import dataclass
from compat.errors import CompatError
from compat.host import AT_FDCWD, O_PATH, Host
from compat.sandbox.mounts import HostMount
from compat.sandbox.paths import MAX_PATH, join, names_of

OPTIONS = ("ro", "rw", "dev")


@dataclass(frozen=True)
class Grant:
    """*host* path shown at the absolute guest path *guest*; *devices* lets device nodes inside be opened."""

    host: bytes
    guest: bytes
    read_only: bool = False
    devices: bool = False


def parse_mount(text: str) -> Grant:
    """Read `HOST[:GUEST][:ro]`; options are ro, rw and dev, joined by commas. HOST alone keeps its absolute
    path.

    Raises:
        CompatError: a sentence that names the part that is wrong.
    """
    host, *rest = text.split(":")
    options: list[str] = []
    if rest and rest[-1] and all(option in OPTIONS for option in rest[-1].split(",")):
        options = rest.pop().split(",")
    if not host:
        raise CompatError(f"--mount {text}: the host path is empty")
    if len(rest) > 1:
        raise CompatError(f"--mount {text}: {rest[-1]!r} is no mount option; known are {', '.join(OPTIONS)}")
    guest = rest[0] if rest else os.path.abspath(host)
    if not guest.startswith("/"):
        raise CompatError(f"--mount {text}: the guest path {guest!r} is not absolute")
    if "ro" in options and "rw" in options:
        raise CompatError(f"--mount {text}: ro and rw exclude each other")
    _check_text(text)
    return Grant(os.fsencode(host), guest_path(os.fsencode(guest)), "ro" in options, "dev" in options)


def _check_text(text: str) -> None:
    if "\0" in text:
        raise CompatError("--mount: a path holds a NUL byte")
    if len(os.fsencode(text)) > MAX_PATH:
        raise CompatError(f"--mount {text[:40]}…: the path is longer than {MAX_PATH} bytes")


def guest_path(path: bytes) -> bytes:
    """*path* with `.`, `..` and double slashes worked out as text; a mount point is put where it is
    written.
    """
    names: list[bytes] = []
    for name in path.split(b"/"):
        if name == b"..":
            del names[-1:]
        elif name not in (b"", b"."):
            names.append(name)
    return join(names)


def open_grant(host: Host, grant: Grant, *, kind: bytes = b"host") -> HostMount:
    """The mount that *grant* asks for; its root is opened now, and stays what it is now.

    Raises:
        CompatError: when the host path can't be opened.
    """
    try:
        real = host.realpath(grant.host)
        mode = host.fstatat(AT_FDCWD, real).st_mode
        if stat.S_ISDIR(mode):
            fd, leaf = host.open(real, O_PATH | os.O_DIRECTORY), b"."
        else:
            fd, leaf = host.open(os.path.dirname(real), O_PATH | os.O_DIRECTORY), names_of(real)[-1]
    except OSError as error:
        raise CompatError(f"can't mount {os.fsdecode(grant.host)}: {error.strerror}") from error
    devices = grant.devices or stat.S_ISCHR(mode) or stat.S_ISBLK(mode)
    return HostMount(grant.guest, fd, leaf=leaf, read_only=grant.read_only, devices=devices, kind=kind)
