"""Structs that later kernels make longer: what copy_struct_from_user() of include/linux/uaccess.h takes of them."""

from __future__ import annotations

import errno
from typing import Final

from compat.abi.handles import Pointer
from compat.abi.structs import Record
from shims.linux.state import LinuxThread

__all__ = ["read_extensible"]

_PAGE: Final = 4096


def read_extensible(thread: LinuxThread, struct: Pointer[Record], size: int, known: int) -> Record:
    """The *known* bytes of a struct of *size* bytes, the rest of which must be zero.

    Raises:
        OSError: EINVAL for one too short, E2BIG for one above a page or with more than is known.
        MemoryFault: it can't be read.
    """
    if size < known:
        raise OSError(errno.EINVAL, "size")
    if size > _PAGE:
        raise OSError(errno.E2BIG, "size")
    given = struct.read()
    if any(thread.memory.read(struct.address + known, size - known)):
        raise OSError(errno.E2BIG, "more than is known")
    return given
