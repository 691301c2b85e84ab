"""What mmap was asked for: checks in the order of Linux's mm/mmap.c, then an area."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Collection
from typing import Final

from compat.abi.flags import FlagSet
from compat.data import dataclass
from compat.host.constants import LINUX
from compat.memory import PAGE, Backing, Mark
from shims.posix.openfiles import OpenFile
from shims.posix.state import PosixProcess, PosixThread

__all__ = ["UNLIMITED", "Request", "check_locked", "host_protection", "limit", "locked", "map_request", "rounded"]

UNLIMITED: Final = (1 << 64) - 1
_RIGHTS: Final = {"PROT_READ": 1, "PROT_WRITE": 2, "PROT_EXEC": 4}
_LOW_END: Final = 1 << 31  # MAP_32BIT ends there (arch/x86/kernel/sys_x86_64.c)
_HUGE_SHIFT: Final = 26  # MAP_HUGE_SHIFT: the logarithm of the page size wanted (asm-generic/hugetlb_encode.h)
_HUGE_SIZES: Final = (0, 21, 30)
_VALIDATED: Final = frozenset(
    {"MAP_SHARED", "MAP_PRIVATE", "MAP_SHARED_VALIDATE", "MAP_FIXED", "MAP_ANONYMOUS", "MAP_DENYWRITE",
     "MAP_EXECUTABLE", "MAP_UNINITIALIZED", "MAP_GROWSDOWN", "MAP_LOCKED", "MAP_NORESERVE", "MAP_POPULATE",
     "MAP_NONBLOCK", "MAP_STACK", "MAP_HUGETLB", "MAP_32BIT", "MAP_ABOVE4G", "MAP_FIXED_NOREPLACE"}
)  # fmt: skip
"""LEGACY_MAP_MASK of include/linux/mman.h: the rest must be known to the file system."""


@dataclass
class Request:
    """The arguments of mmap; *offset* in bytes. MAP_FIXED_NOREPLACE implies MAP_FIXED."""

    address: int
    length: int
    rights: FlagSet
    flags: FlagSet
    fd: int
    offset: int

    @property
    def fixed(self) -> bool:
        return not self.flags.isdisjoint({"MAP_FIXED", "MAP_FIXED_NOREPLACE"})

    @property
    def shared(self) -> bool:
        return not self.flags.isdisjoint({"MAP_SHARED", "MAP_SHARED_VALIDATE"})


def host_protection(process: PosixProcess, rights: Collection[str]) -> int:
    """The numbers of compat.memory.Protection; what can be read can be executed where personality(2) says so."""
    protection = sum(_RIGHTS.get(name, 0) for name in rights)
    return protection | 4 if protection & 1 and process.read_implies_exec else protection


def map_request(thread: PosixThread, request: Request) -> int:
    """Serve mmap(2); returns the address."""
    process = thread.process
    file = None if "MAP_ANONYMOUS" in request.flags else process.files.get(request.fd)
    if file is not None and fcntl_flags(file) & getattr(os, "O_PATH", 0):
        raise OSError(errno.EBADF, "fd only names a file")
    _check_huge(request, file)
    _check_range(process, request)
    marks = _marks(process, request)
    backing = _backing(process, request, file)
    protection = host_protection(process, request.rights)
    if request.length > limit(process, "RLIMIT_AS") - process.memory.mapped:
        raise OSError(errno.ENOMEM, "RLIMIT_AS")
    return process.memory.map(
        request.length,
        protection,
        address=request.address,
        fixed=request.fixed,
        replace="MAP_FIXED_NOREPLACE" not in request.flags,
        shared=request.shared,
        backing=backing,
        offset=request.offset if backing is not None else 0,
        name=b"/dev/zero" if request.shared and backing is None else b"",
        marks=marks,
        below=_LOW_END if "MAP_32BIT" in request.flags else None,
    )


def fcntl_flags(file: OpenFile) -> int:
    flags: int = file.host.fcntl(file.fd, fcntl.F_GETFL)
    return flags


def _check_huge(request: Request, file: OpenFile | None) -> None:
    """There are no huge pages here: a pool of none, as on most machines."""
    if "MAP_HUGETLB" in request.flags:
        known = (request.flags.value >> _HUGE_SHIFT) & 0x3F in _HUGE_SIZES
        raise OSError(errno.ENOMEM if known and file is None else errno.EINVAL, "no huge pages")


def _check_range(process: PosixProcess, request: Request) -> None:
    if request.length == 0:
        raise OSError(errno.EINVAL, "length 0")
    length = rounded(request.length)
    if length > process.memory.top:
        raise OSError(errno.ENOMEM, "length beyond all addresses")
    if request.offset + length > 1 << process.abi.cpu.bits + (12 if process.abi.cpu.bits == 32 else 0):
        raise OSError(errno.EOVERFLOW, "offset")
    if request.fixed and request.address % PAGE:
        raise OSError(errno.EINVAL, "address not on a page")
    if "MAP_TYPE" in request.flags or not (request.shared or "MAP_PRIVATE" in request.flags):
        raise OSError(errno.EINVAL, "neither shared nor private")
    if "MAP_GROWSDOWN" in request.flags and (request.shared or "MAP_ANONYMOUS" not in request.flags):
        raise OSError(errno.EINVAL, "only private memory grows down")


def _marks(process: PosixProcess, request: Request) -> int:
    marks = Mark.GROWS_DOWN if "MAP_GROWSDOWN" in request.flags else 0
    if "MAP_LOCKED" in request.flags or process.locks_future:
        if "MAP_LOCKED" in request.flags and limit(process, "RLIMIT_MEMLOCK") == 0:
            raise OSError(errno.EPERM, "RLIMIT_MEMLOCK is 0")
        check_locked(process, rounded(request.length), errno.EAGAIN)
        marks |= Mark.LOCKED
    return marks


def _backing(process: PosixProcess, request: Request, file: OpenFile | None) -> Backing | None:
    """The file under the mapping; None for memory of its own, which /dev/zero gives too."""
    if file is None:
        return None
    state = file.host.fstat(file.fd)
    access = fcntl_flags(file) & os.O_ACCMODE
    if "MAP_SHARED_VALIDATE" in request.flags and (request.flags.unknown or request.flags - _VALIDATED):
        raise OSError(errno.EOPNOTSUPP, "a flag that the file does not know")
    if request.shared and "PROT_WRITE" in request.rights and access == os.O_RDONLY:
        raise OSError(errno.EACCES, "fd not open for writing")
    if access == os.O_WRONLY:
        raise OSError(errno.EACCES, "fd not open for reading")
    if stat.S_ISCHR(state.st_mode) and file.path == b"/dev/zero":
        return None
    if not (stat.S_ISREG(state.st_mode) or stat.S_ISBLK(state.st_mode)):
        raise OSError(errno.ENODEV, "fd can't be mapped")
    writable = access == os.O_RDWR and not (request.shared and _sealed(file, request))
    return process.memory.backings.get(file.fd, file.path, writable=writable)


def _sealed(file: OpenFile, request: Request) -> bool:
    """Whether a memfd may no longer be written: then a shared mapping may only ever be read."""
    if not LINUX or "PROT_WRITE" in request.rights:
        return False
    try:
        seals: int = file.host.fcntl(file.fd, fcntl.F_GET_SEALS)
    except OSError:  # no memfd
        return False
    return bool(seals & (fcntl.F_SEAL_WRITE | 0x10))  # F_SEAL_FUTURE_WRITE, which Python has no name for


# --- limits ---


def limit(process: PosixProcess, name: str) -> int:
    """The soft value of a limit."""
    return process.limits.get(name, (UNLIMITED, UNLIMITED))[0]


def locked(process: PosixProcess) -> int:
    """How many bytes are locked."""
    return sum(area.size for area in process.memory.areas if area.marks & Mark.LOCKED)


def check_locked(process: PosixProcess, more: int, error: int) -> None:
    """Raise OSError(*error*) if *more* bytes can't be locked (RLIMIT_MEMLOCK)."""
    if locked(process) + more > limit(process, "RLIMIT_MEMLOCK"):
        raise OSError(error, "RLIMIT_MEMLOCK")


def rounded(length: int) -> int:
    """*length* up to whole pages."""
    return -(-length // PAGE) * PAGE
