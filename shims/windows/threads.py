"""The thread that a Windows shim is given."""

from __future__ import annotations

from shims.linux.state import LinuxThread
from shims.windows.state import WindowsProcess

__all__ = ["WindowsThread"]


class WindowsThread(LinuxThread):
    """A thread of a Windows process: nothing but its process's type differs from Linux's."""

    process: WindowsProcess
