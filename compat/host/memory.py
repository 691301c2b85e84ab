"""Numbers of the host's calls on memory."""

from __future__ import annotations

import mmap
from typing import Final

from compat.host.constants import LINUX

__all__ = ["MADV_REMOVE", "MS_ASYNC", "MS_INVALIDATE", "MS_SYNC"]

# Linux include/uapi/asm-generic/mman-common.h; macOS sys/mman.h
MS_ASYNC: Final = 1
MS_INVALIDATE: Final = 2
MS_SYNC: Final = 4 if LINUX else 0x10

MADV_REMOVE: Final[int | None] = getattr(mmap, "MADV_REMOVE", None)
"""None where the host has no such advice."""
