"""Which calls a trace shows: `-e openat,read`, `-e %file`, `-e '!%memory,futex'`.

A class is read off the tables: `%file` are the calls that take a path, `%desc` those that take or return a descriptor,
the others those of the `.abi` files about the subject.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from compat.abi.abi import Abi
from compat.abi.rows import Row
from compat.errors import CompatError

__all__ = ["CLASSES", "Selection"]

CLASSES = {
    "%file": (),
    "%desc": (),
    "%memory": ("memory",),
    "%process": ("processes", "threads", "scheduling"),
    "%signal": ("signals",),
    "%network": ("sockets",),
    "%time": ("clock",),
    "%ipc": ("ipc", "queues"),
}
"""Class → the stems of the .abi files that it stands for; %file and %desc go by the types of arguments."""

_TYPES = {"%file": {"Path"}, "%desc": {"Fd", "DirFd"}}


class Selection:
    """The calls that an expression names; an empty expression names all. *other* are the tables of a system
    that the process is built for beside its own. Raises CompatError for an unknown name."""

    def __init__(self, abi: Abi, expression: str, other: Abi | None = None) -> None:
        body = expression.strip().removeprefix("trace=").strip()
        self._negated = body.startswith("!")
        self._words = [word.strip() for word in body.removeprefix("!").split(",") if word.strip()]
        if expression.strip() and not self._words:
            raise CompatError(f"-e {expression}: names no call")
        self._all = not self._words or self._words == ["all"]
        for word in self._words:
            if word != "all":
                _check(abi, word, _names(other) if other else set())

    def wants(self, name: str, row: Row | None) -> bool:
        """Whether to show the call *name*, served by *row* where the tables have one."""
        if self._all:
            return not self._negated
        return any(_matches(word, name, row) for word in self._words) != self._negated


def _names(abi: Abi) -> set[str]:
    """Its calls, those of libraries with and without the library's name."""
    keys = abi.numbers.keys() | abi.tables.rows.keys()
    return keys | {key.rpartition("!")[2] for key in keys}


def _check(abi: Abi, word: str, others: set[str]) -> None:
    if word.startswith("%"):
        if word not in CLASSES:
            raise CompatError(f"-e: no class of calls named {word}; there are {', '.join(CLASSES)}")
        return
    known = abi.numbers.keys() | abi.tables.rows.keys() | others
    name, _, case = word.partition("/")
    if name not in known or (case and case not in abi.tables.cases.get(name, {})):
        near = _near(word, {*known, *_cases(abi)})
        raise CompatError(f"-e: {abi.guest} on {abi.cpu.name} has no call named {word}" + near)


def _cases(abi: Abi) -> Iterator[str]:
    return (f"{name}/{case}" for name, cases in abi.tables.cases.items() for case in cases)


def _near(word: str, known: set[str]) -> str:
    import difflib  # only for the sentence of an error

    found = difflib.get_close_matches(word, sorted(known), 1)
    return f"; did you mean {found[0]}?" if found else ""


def _matches(word: str, name: str, row: Row | None) -> bool:
    if not word.startswith("%"):
        return word in (name, row.key if row else name)
    if row is None:
        return False
    types = _TYPES.get(word)
    if types is None:
        return PurePosixPath(row.source).stem in CLASSES[word]
    return row.result.name in types or any(p.type.name in types for p in row.params)
