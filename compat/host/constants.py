"""Numbers of the host's kernel interface that Python's os module does not carry."""

from __future__ import annotations

import os
import sys
from typing import Final

LINUX: Final = sys.platform.startswith("linux")

# Linux include/uapi/linux/fcntl.h; elsewhere macOS sys/fcntl.h
AT_FDCWD: Final = -100 if LINUX else -2
AT_SYMLINK_NOFOLLOW: Final = 0x100 if LINUX else 0x20
AT_SYMLINK_FOLLOW: Final = 0x400 if LINUX else 0x40
AT_EACCESS: Final = 0x200 if LINUX else 0x10
AT_EMPTY_PATH: Final = 0x1000
AT_REMOVEDIR: Final = 0x200 if LINUX else 0x80

# Linux include/linux/stat.h; macOS sys/stat.h
UTIME_NOW: Final = 0x3FFFFFFF if LINUX else -1
UTIME_OMIT: Final = 0x3FFFFFFE if LINUX else -2

# a descriptor that names a file without opening it; O_SEARCH does that for directories on macOS
O_PATH: Final[int] = getattr(os, "O_PATH", getattr(os, "O_SEARCH", os.O_RDONLY))

# Linux include/uapi/linux/openat2.h; the call has this number on every CPU
SYS_OPENAT2: Final = 437
RESOLVE_NO_XDEV: Final = 0x01
RESOLVE_NO_MAGICLINKS: Final = 0x02
RESOLVE_NO_SYMLINKS: Final = 0x04
RESOLVE_BENEATH: Final = 0x08

# Linux scripts/syscall.tbl: the same on every CPU
SYS_CACHESTAT: Final = 451

# ioprio_set and ioprio_get. Linux arch/x86/entry/syscalls/syscall_64.tbl, scripts/syscall.tbl for the rest
SYS_IOPRIO: Final[tuple[int, int] | None] = {"x86_64": (251, 252), "aarch64": (30, 31), "riscv64": (30, 31)}.get(
    os.uname().machine
)

# mq_notify, which C libraries give another meaning with SIGEV_THREAD. From the same files
SYS_MQ_NOTIFY: Final[int | None] = {"x86_64": 244, "aarch64": 184, "riscv64": 184}.get(os.uname().machine)

# Linux include/uapi/linux/fs.h
RENAME_NOREPLACE: Final = 1
RENAME_EXCHANGE: Final = 2
RENAME_WHITEOUT: Final = 4

# macOS sys/stdio.h, for renameatx_np
RENAME_SWAP_DARWIN: Final = 2
RENAME_EXCL_DARWIN: Final = 4

# Linux include/linux/splice.h
SPLICE_F_NONBLOCK: Final = 2

# Linux include/uapi/asm-generic/ioctls.h
TIOCGSID: Final = 0x5429
TIOCGPTN: Final = 0x80045430
TIOCSPTLCK: Final = 0x40045431
TIOCGPTLCK: Final = 0x80045439
TIOCGPTPEER: Final = 0x5441
