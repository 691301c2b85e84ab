"""Imports: the number that the stub of each traps with, given out when one is made."""

from __future__ import annotations

import errno
from types import MappingProxyType
from typing import Final

from compat.abi.abi import Abi
from compat.abi.rows import Row, TypeExpr
from compat.errors import MemoryFault
from compat.process import ForeignCall, Thread
from shims.windows.errors import set_last_error
from shims.windows.unwritten import end_at_unwritten

__all__ = ["Imports"]

_FIRST: Final = 0x5000_0000
_MOST: Final = 1 << 17
_FAILURES: Final = MappingProxyType({"FileHandle": -1, "Low32": 0xFFFF_FFFF})
"""What a failed call returns, by the row's result; 0 is that of all others."""


class Imports:
    """Those of one process, in the order of their numbers."""

    def __init__(self, abi: Abi) -> None:
        self._abi = abi
        self._numbers: dict[tuple[str, str], int] = {}
        self._names: list[tuple[str, str]] = []

    def number(self, library: str, name: str) -> int:
        """The number of *name* in *library*. Raises OSError(ENOMEM) where a process asks for too many."""
        key = library, name
        found = self._numbers.get(key)
        if found is None:
            if len(self._names) >= _MOST:
                raise OSError(errno.ENOMEM, "too many imports")
            found = self._numbers[key] = _FIRST + len(self._names)
            self._names.append(key)
        return found

    def row(self, library: str, name: str) -> Row:
        """The row of an import; one that no table knows has one that is known, and no more."""
        row = self._abi.tables.rows.get(f"{library}!{name}")
        if row is None:
            row = Row(name, "", (), (), TypeExpr("Void"), "known", "", "", f"windows/{library}.abi", 0)
        return row

    def call(self, number: int) -> ForeignCall | None:
        """The import that traps with *number*, if any does."""
        index = number - _FIRST
        if not 0 <= index < len(self._names):
            return None
        row = self.row(*self._names[index])
        failure = _FAILURES.get(row.result.name, 0)

        def fail(thread: Thread, error: Exception) -> int:
            set_last_error(thread, _number_of(self._abi, error))
            return failure

        return ForeignCall(self._abi, row, fail, end_at_unwritten)


def _number_of(abi: Abi, error: Exception) -> int:
    """What Windows calls an error; one that it has no name for is an I/O error."""
    if isinstance(error, MemoryFault):
        return abi.host_errors[errno.EFAULT]
    assert isinstance(error, OSError)
    return abi.host_errors.get(error.errno or errno.EIO, abi.host_errors[errno.EIO])
