"""What happens in a traced run, as plain data: printers turn it into text, JSON Lines or a summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

__all__ = ["Argument", "CallEvent", "EndEvent", "HostCall", "Printer", "SignalEvent"]


@dataclass(frozen=True)
class HostCall:
    """One host call: arguments and result as plain values (int, str, bytes cut short, list, dict, None).

    *error* is the host's errno name. *paths*: index of a directory descriptor in *args* → the host path that it and the
    name behind it stand for.
    """

    call: str
    args: Sequence[object]
    result: object = None
    error: str = ""
    paths: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Argument:
    """*value* is the number in the guest's argument slots, or a list of names; *text* is how a person reads it,
    "" for an argument that has no meaning in this call (the mode of an open that creates nothing)."""

    name: str
    value: object
    text: str


@dataclass
class CallEvent:
    """One guest call that ended. *result* is None for a call that did not return; *error* is the guest's errno name.

    *restart* is the kernel's name for the way in which an interrupted call goes on (ERESTARTSYS). *time* is in seconds
    since 1970, *duration* in seconds. *state* is the row's, or "unknown" for a number without a row.
    """

    time: float
    pid: int
    tid: int
    call: str
    number: int
    state: str
    args: Sequence[Argument]
    many: bool = False
    result: int | None = None
    text: str = "?"
    error: str = ""
    restart: str = ""
    remark: str = ""
    host: Sequence[HostCall] = ()
    duration: float = 0.0


@dataclass(frozen=True)
class SignalEvent:
    """A signal that is delivered; *fields* are those of its siginfo."""

    time: float
    pid: int
    tid: int
    signal: str
    code: str
    fields: Mapping[str, object] = field(default_factory=dict)
    many: bool = False


@dataclass(frozen=True)
class EndEvent:
    """The end of a process: *status* is its exit status, or *signal* the name of what killed it."""

    time: float
    pid: int
    status: int | None
    signal: str = ""
    core: bool = False


class Printer(Protocol):
    """Where events go."""

    def call(self, event: CallEvent) -> None: ...
    def signal(self, event: SignalEvent) -> None: ...
    def end(self, event: EndEvent) -> None: ...
