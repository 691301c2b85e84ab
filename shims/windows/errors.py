"""The last error, which each thread keeps in its TEB."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from compat.process import Thread

if TYPE_CHECKING:
    from shims.windows.state import WindowsProcess

__all__ = ["set_last_error"]


def set_last_error(thread: Thread, number: int) -> None:
    """Store *number*, an error of winerror.h, where GetLastError finds it."""
    process = cast("WindowsProcess", thread.process)
    teb = process.tebs.get(thread.id)
    if teb is not None:
        thread.memory.store(teb + process.windows.layout("Teb").offset("last_error"), number.to_bytes(4, "little"))
