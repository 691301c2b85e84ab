"""Tracing is composed into a row's function when it is asked for, and costs nothing when not."""

from __future__ import annotations

import os
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from compat.dispatch import Dispatcher
from compat.errors import CompatError
from compat.trace import Tracing
from compat.trace.writer import Writer
from tests.guests import FakeGuest


class NoMachine:
    """Registers that nobody reads."""

    def batch(self, names: Sequence[str]) -> SimpleNamespace:
        return SimpleNamespace(read=lambda: [0] * len(names), write=lambda values: None)


def bound(guest: FakeGuest, name: str, tracing: Tracing | None) -> Any:
    tracer = tracing.tracer(guest.process) if tracing else None
    return Dispatcher(guest.process, NoMachine(), tracer)._bind(guest.abi.numbers[name])  # type: ignore[arg-type]


def test_off_leaves_the_bare_function(fake_guest: FakeGuest) -> None:
    call = bound(fake_guest, "getpid", None)
    assert call.__code__.co_filename.endswith(" getpid>"), "the function that the binder composed, nothing around it"
    assert type(fake_guest.host.read) is type(os.read)


def test_on_wraps_only_what_is_selected(fake_guest: FakeGuest) -> None:
    tracing = Tracing(os.devnull, expression="getppid")
    assert bound(fake_guest, "getpid", tracing).__code__.co_filename.endswith(" getpid>")
    assert bound(fake_guest, "getppid", tracing).__code__.co_filename.endswith("calls.py")


def test_a_trace_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(CompatError, match="can't write the trace to /no/such/folder/t: No such file or directory"):
        Tracing("/no/such/folder/t")


def test_a_trace_that_cannot_be_written_any_more_ends(tmp_path: Any) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    output = Writer(f"/dev/fd/{writer}")
    os.close(writer)
    output.line("one")
    output.line("two")
    assert output._fd == -1
