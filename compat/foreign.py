"""Calls of another system than the process's own: a library's imports, and what a runtime asks of the host."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import TYPE_CHECKING

from compat.bind import Binder, Call
from compat.errors import MemoryFault
from compat.process import ForeignCall, Thread

if TYPE_CHECKING:
    from compat.dispatch import Dispatcher

__all__ = ["bind_foreign"]


def bind_foreign(dispatcher: Dispatcher, found: ForeignCall, number: int) -> Call:
    """The composed function of *found*; raises BadTable for a row that does not fit its shim."""
    own = dispatcher.process.abi.convention if found.fail is None else found.abi.convention
    binder = Binder(found.abi, own)
    call = _served(dispatcher, binder, found)
    if dispatcher.tracer:
        call = dispatcher.tracer.wrap(found.row, number, call, binder)
    return call if found.fail is None else _in_its_convention(dispatcher, found, call)


def _served(dispatcher: Dispatcher, binder: Binder, found: ForeignCall) -> Call:
    row = found.row
    if row.in_runtime:
        return lambda thread, a: None  # a traced stub has reported, and now goes on to the runtime
    if row.state in ("done", "partly"):
        return binder.call(row)
    if row.state == "refused":
        number = getattr(errno, row.target)

        def refuse(thread: Thread, a: Sequence[int]) -> int | None:
            raise OSError(number, "refused")

        return refuse

    def unwritten(thread: Thread, a: Sequence[int]) -> int | None:
        dispatcher.missing[row.key] += 1
        return found.unwritten(thread)

    return unwritten


def _in_its_convention(dispatcher: Dispatcher, found: ForeignCall, call: Call) -> Call:
    """*call* with the slots of the other system's convention, its errors made results."""
    convention, fail = found.abi.convention, found.fail
    assert fail is not None
    slots = dispatcher.machine.batch([convention.number, *convention.registers, found.abi.cpu.sp])

    def foreign(thread: Thread, a: Sequence[int]) -> int | None:
        try:
            return call(thread, slots.read())
        except (OSError, MemoryFault) as error:
            return fail(thread, error)

    return foreign
