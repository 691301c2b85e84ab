"""/proc/self/fd and /proc/self/fdinfo: the guest's descriptors by number."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from compat.sandbox.synthetic import Directory, File, Link, Node
from shims.linux.proc_machine import host_text
from shims.linux.proc_mounts import mount_number
from shims.linux.state import LinuxProcess
from shims.posix.fcntl import status_flags
from shims.posix.openfiles import OpenFile

__all__ = ["descriptor_infos", "descriptors"]

Make = Callable[[int, OpenFile], Node]


def descriptors(process: LinuxProcess) -> Directory:
    """A link for each descriptor. Following it leads to the very file, whatever became of its name."""

    def link(number: int, file: OpenFile) -> Node:
        return Link(lambda: process.view.name(file.opened), magic=lambda: file.opened, mode=_mode(file))

    return _numbered(process, link, 0o500)


def _mode(file: OpenFile) -> int:
    """The link's own rights tell how the file is open: proc_pid_fd(5)."""
    if "O_PATH" in file.flags:
        return 0o100
    access = file.host.fcntl(file.fd, 3) & os.O_ACCMODE  # F_GETFL
    return {os.O_RDONLY: 0o500, os.O_WRONLY: 0o300}.get(access, 0o700)


def descriptor_infos(process: LinuxProcess) -> Directory:
    """A text for each descriptor."""

    def info(number: int, file: OpenFile) -> Node:
        return File(lambda: _info(process, number, file))

    return _numbered(process, info, 0o555)


def _info(process: LinuxProcess, number: int, file: OpenFile) -> bytes:
    flags = status_flags(process, file)
    if process.files.slot(number).close_on_exec:
        flags |= process.abi.flags("OpenFlags").values["O_CLOEXEC"]
    inode = process.view.fstat(file.opened).st_ino
    first = b"pos:\t%d\nflags:\t0%o\nmnt_id:\t%d\nino:\t%d\n"
    return first % (_position(file), flags, mount_number(process.view, file.opened.mount), inode) + _process_meant(file)


def _process_meant(file: OpenFile) -> bytes:
    """What is told of a pidfd: the host's words, since pids are the host's."""
    if file.opened.mount is not None:
        return b""
    lines = host_text(file.host, b"/proc/self/fdinfo/%d" % file.fd).splitlines(keepends=True)
    return b"".join(line for line in lines if line.startswith((b"Pid:", b"NSpid:")))


def _position(file: OpenFile) -> int:
    if file.is_directory:
        return file.position
    try:
        return file.host.lseek(file.fd, 0, os.SEEK_CUR)
    except OSError:
        return 0


def _numbered(process: LinuxProcess, make: Make, mode: int) -> Directory:
    def entries() -> Mapping[bytes, Node]:
        return {b"%d" % number: make(number, slot.file) for number, slot in process.files}

    def lookup(name: bytes) -> Node | None:
        if not name.isdigit() or len(name) > 10 or name != b"%d" % int(name):
            return None
        try:
            return make(int(name), process.files.get(int(name)))
        except OSError:
            return None

    return Directory(entries, lookup=lookup, mode=mode)
