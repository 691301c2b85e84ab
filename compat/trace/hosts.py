"""The host side of the trace: a Host that reports each call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from compat.host import Host

Report = Callable[[str, tuple[Any, ...], Any], None]
"""Takes the call's name, its arguments in order, and its result; or the OSError that it raised."""


class TracedHost(Host):
    """A Host whose every call is reported. A plain Host pays nothing for it: this one has its own methods."""

    def __init__(self, report: Report) -> None:
        for name in calls():
            setattr(self, name, _reporting(name, getattr(self, name), report))


def calls() -> list[str]:
    """The names of all host calls."""
    return [name for name in dir(Host) if not name.startswith("_") and callable(getattr(Host, name))]


def _reporting(name: str, call: Callable[..., Any], report: Report) -> Callable[..., Any]:
    def traced(*arguments: Any, **named: Any) -> Any:
        try:
            result = call(*arguments, **named)
        except OSError as error:
            report(name, (*arguments, *named.values()), error)
            raise
        report(name, (*arguments, *named.values()), result)
        return result

    return traced
