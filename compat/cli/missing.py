"""The line at the end of a run that names the calls which the tables know and nobody has written yet."""

from __future__ import annotations

import os
from collections import Counter

from compat.abi.abi import Abi
from compat.cli.refusals import say
from compat.guest import Guest

__all__ = ["Missing", "sentence"]

_MOST_SHOWN = 12


class Missing:
    """Collects what the guest's processes missed: its children, forks of this process, send it through a pipe."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self._first = os.getpid()
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        os.register_at_fork(after_in_child=lambda: guest.missing.clear())

    def tell(self) -> None:
        """Print the line, or in a child send what it needs."""
        missing = Counter(self._guest.missing)
        if os.getpid() != self._first:
            self._send(missing)
            return
        for line in self._received():
            name, _, times = line.rpartition("\t")
            missing[name] += int(times)
        if missing:
            say(sentence(self._guest.abi, missing))

    def _send(self, missing: Counter[str]) -> None:
        text = "".join(f"{name}\t{times}\n" for name, times in missing.items())
        try:
            os.write(self._writer, text.encode()[:4096])  # PIPE_BUF: written as one
        except OSError:
            pass  # thousands of children; the first ones have said enough

    def _received(self) -> list[str]:
        parts = []
        try:
            while part := os.read(self._reader, 65536):
                parts.append(part)
        except BlockingIOError:
            pass
        return [line for line in b"".join(parts).decode().split("\n") if line.rpartition("\t")[2].isdigit()]


def sentence(abi: Abi, missing: Counter[str]) -> str:
    """`not implemented: NAME (2 times; FILE:LINE of its row), …`, most frequent first."""
    parts = [f"{name} ({_times(count)}{_place(abi, name)})" for name, count in missing.most_common(_MOST_SHOWN)]
    more = len(missing) - len(parts)
    return "not implemented: " + ", ".join(parts) + (f", and {more} more" if more else "")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _place(abi: Abi, key: str) -> str:
    """Where the row stands that has to be completed, or where one has to be added."""
    library, mark, _ = key.partition("!")
    if mark and key not in abi.tables.rows:
        return f"; add a row to abi_tables/{abi.guest}/{library}.abi"
    name, _, case = key.partition("/")
    row = abi.tables.cases.get(name, {}).get(case) if case else abi.tables.rows.get(name)
    if row is not None:
        return f"; abi_tables/{row.place}"
    return f"; add its name to abi_tables/{abi.guest}/numbers.tbl and a row to an .abi file beside it"
