"""Opening files by name, and what names tell."""

from __future__ import annotations

import errno
import os
import stat
from typing import Final

from compat.abi.flags import Constant, FlagSet
from compat.abi.handles import CString, WString
from compat.sandbox.place import Place
from shims.posix.opening import install
from shims.windows.handles import FileObject
from shims.windows.paths import linux_path
from shims.windows.threads import WindowsThread

__all__ = [
    "create_directory", "create_file", "create_file_narrow", "delete_file", "get_file_attributes", "remove_directory",
]  # fmt: skip

_DISPOSITIONS: Final = (
    ("CREATE_NEW", os.O_CREAT | os.O_EXCL),
    ("CREATE_ALWAYS", os.O_CREAT | os.O_TRUNC),
    ("OPEN_EXISTING", 0),
    ("OPEN_ALWAYS", os.O_CREAT),
    ("TRUNCATE_EXISTING", os.O_TRUNC),
)
_READS: Final = frozenset({"GENERIC_READ", "GENERIC_ALL", "FILE_READ_DATA"})
_WRITES: Final = frozenset({"GENERIC_WRITE", "GENERIC_ALL", "FILE_WRITE_DATA"})


def create_file(
    thread: WindowsThread,
    name: WString,
    access: FlagSet,
    share: int,
    security: int,
    disposition: Constant,
    flags: FlagSet,
    template: int,
) -> int:
    """CreateFileW. Raises OSError: what opening says; EACCES for a folder without FILE_FLAG_BACKUP_SEMANTICS."""
    return _open(thread, _text(name), access, disposition, "FILE_FLAG_BACKUP_SEMANTICS" in flags)


def create_file_narrow(
    thread: WindowsThread,
    name: CString,
    access: FlagSet,
    share: int,
    security: int,
    disposition: Constant,
    flags: FlagSet,
    template: int,
) -> int:
    """CreateFileA: as `create_file`."""
    text = name.read(0x8000).decode("utf-8", "replace")
    return _open(thread, text, access, disposition, "FILE_FLAG_BACKUP_SEMANTICS" in flags)


def _text(name: WString) -> str:
    try:
        return name.read()
    except ValueError:
        raise OSError(errno.ENAMETOOLONG, "path") from None


def _place(thread: WindowsThread, path: bytes, *, follow: bool) -> Place:
    """Where *path* leads. Raises OSError: ENOTDIR, which Windows tells from ENOENT, where its folder isn't there."""
    try:
        return thread.process.view.resolve(path, thread.process.directory, follow=follow)
    except FileNotFoundError:
        raise OSError(errno.ENOTDIR, "no such folder") from None


def _open(thread: WindowsThread, name: str, access: FlagSet, disposition: Constant, folders: bool) -> int:
    process, path = thread.process, linux_path(name)
    process.files.free_number()
    bits = _bits(access, disposition)
    with _place(thread, path, follow=True) as place:
        try:
            kind = place.stat().st_mode
        except FileNotFoundError:
            kind = stat.S_IFREG
        if stat.S_ISFIFO(kind) or (stat.S_ISDIR(kind) and not folders):
            raise OSError(errno.EACCES, "a folder or pipe")
        opened = place.open(bits, 0o666 & ~process.umask)
    if bits & os.O_TRUNC:
        thread.memory.file_changed()
    made = "O_RDONLY" if bits & os.O_ACCMODE == os.O_RDONLY else "O_RDWR"
    return process.handles.add(FileObject(install(thread, opened, frozenset({made, "O_LARGEFILE", "O_CLOEXEC"}))))


def _bits(access: FlagSet, disposition: Constant) -> int:
    """The host's flags of an open; raises OSError(EINVAL) for a disposition that is none."""
    found = dict(_DISPOSITIONS).get(str(disposition))
    if found is None:
        raise OSError(errno.EINVAL, "disposition")
    writes = bool(_WRITES & access)
    if "FILE_APPEND_DATA" in access and not writes:
        return found | os.O_APPEND | (os.O_RDWR if _READS & access else os.O_WRONLY)
    if found & os.O_TRUNC and not writes:
        found |= os.O_RDWR
    return found | (os.O_RDWR if writes and _READS & access else os.O_WRONLY if writes else os.O_RDONLY)


def get_file_attributes(thread: WindowsThread, name: WString) -> int:
    """GetFileAttributesW."""
    with _place(thread, linux_path(_text(name)), follow=True) as place:
        mode = place.stat().st_mode
    values = thread.process.windows.flags("FileAttributes").values
    kind = "FILE_ATTRIBUTE_DIRECTORY" if stat.S_ISDIR(mode) else "FILE_ATTRIBUTE_ARCHIVE"
    return values[kind] | (0 if mode & 0o222 else values["FILE_ATTRIBUTE_READONLY"])


def delete_file(thread: WindowsThread, name: WString) -> int:
    """DeleteFileW."""
    with _place(thread, linux_path(_text(name)), follow=False) as place:
        place.unlink()
    return 1


def create_directory(thread: WindowsThread, name: WString, security: int) -> int:
    """CreateDirectoryW."""
    with _place(thread, linux_path(_text(name)), follow=False) as place:
        place.mkdir(0o777 & ~thread.process.umask)
    return 1


def remove_directory(thread: WindowsThread, name: WString) -> int:
    """RemoveDirectoryW."""
    with _place(thread, linux_path(_text(name)), follow=False) as place:
        place.rmdir()
    return 1
