"""The exceptions that cross module borders.

    Exception
    ├── CompatError            a sentence for the user; the command line prints it without a traceback
    │   ├── BadFile            a program file that is damaged or of no supported kind
    │   ├── BadTable           a table row that can't be understood, with its file:line
    │   └── Unsupported        a guest, CPU or feature that compat does not have
    ├── MemoryFault            guest memory that is not mapped, or not for this kind of access
    ├── Wait                   a shim must wait; the scheduler enters the call again when the condition holds
    ├── Interrupted            a waiting shim was interrupted by a signal
    └── ThreadExit             the calling guest thread ends

Everything a shim refuses is an OSError with a host errno; one encoder turns its name into the guest's number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

__all__ = [
    "BadFile",
    "BadTable",
    "CompatError",
    "Interrupted",
    "MemoryFault",
    "Restart",
    "ThreadExit",
    "Unsupported",
    "Wait",
]

Restart = Literal["sa_restart", "no_handler", "never"]
"""When a signal ends a wait: restart if the handler has SA_RESTART, restart only if no handler ran, or always EINTR.

These are ERESTARTSYS, ERESTARTNOHAND and EINTR of Linux's include/linux/errno.h.
"""


class CompatError(Exception):
    """A sentence for the user."""


class BadFile(CompatError):
    """A program file that is damaged or of no supported kind; the sentence names the file and the field."""


class BadTable(CompatError):
    """A table row that can't be understood; the sentence begins with file:line."""


class Unsupported(CompatError):
    """A guest, CPU or feature that compat does not have."""


class MemoryFault(Exception):
    """An access to guest memory that the guest itself would not be allowed.

    *access* is "read", "write" or "fetch"; *mapped* tells a protection fault from a missing page.
    """

    def __init__(self, address: int, access: str, *, mapped: bool = False, beyond_file: bool = False) -> None:
        super().__init__(f"{access} at {address:#x}")
        self.address = address
        self.access = access
        self.mapped = mapped
        self.beyond_file = beyond_file


class Wait(Exception):
    """Raised by a shim that must wait: the call is entered again when one of the conditions holds.

    *descriptors* maps host descriptors to poll(2) event masks; *until* is a time.monotonic() deadline in seconds;
    *key* names a queue that other threads wake (a futex, a child). *resume* is kept as `thread.resume` for the next
    entry. With no condition at all, only a signal ends the wait.
    """

    def __init__(
        self,
        *,
        descriptors: Mapping[int, int] | None = None,
        until: float | None = None,
        key: object = None,
        resume: object = None,
    ) -> None:
        super().__init__("wait")
        self.descriptors = dict(descriptors or {})
        self.until = until
        self.key = key
        self.resume = resume


class Interrupted(Exception):
    """Raised by a shim entered again with `thread.interrupted` set; *restart* says how the kernel would go on."""

    def __init__(self, restart: Restart = "sa_restart") -> None:
        super().__init__(restart)
        self.restart: Restart = restart


class ThreadExit(Exception):
    """The calling guest thread ends; the process ends with its last thread."""
