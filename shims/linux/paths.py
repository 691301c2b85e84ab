"""Names of files: what Linux adds."""

from __future__ import annotations

import errno

from compat.abi.flags import FlagSet
from compat.abi.handles import CString
from compat.host import RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT
from shims.linux.state import LinuxThread
from shims.posix.paths import rename_at

__all__ = ["renameat2"]

_RENAMES = {
    "RENAME_NOREPLACE": RENAME_NOREPLACE,
    "RENAME_EXCHANGE": RENAME_EXCHANGE,
    "RENAME_WHITEOUT": RENAME_WHITEOUT,
}


def renameat2(thread: LinuxThread, dir: int, path: CString, new_dir: int, new_path: CString, flags: FlagSet) -> None:
    """renameat2(2); RENAME_WHITEOUT makes a device node, which is refused with EPERM."""
    if flags.unknown or ("RENAME_EXCHANGE" in flags and len(flags) > 1):
        raise OSError(errno.EINVAL, "flags")
    rename_at(thread, dir, path, new_dir, new_path, flags.host(_RENAMES))
