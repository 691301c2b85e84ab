"""The end of a program that calls what nobody has written."""

from __future__ import annotations

from compat.errors import ThreadExit
from compat.process import Thread

__all__ = ["end_at_unwritten"]

_STATUS_ENTRYPOINT_NOT_FOUND = 0xC000_0139  # ntstatus.h


def end_at_unwritten(thread: Thread) -> int:
    """End the process as Windows ends one whose import is missing; the summary at the end names the call."""
    thread.process.status = (_STATUS_ENTRYPOINT_NOT_FOUND & 0xFF) << 8
    raise ThreadExit
