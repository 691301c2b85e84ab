"""What a run of the CPU ends with, and a CPU state to go on from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from compat.data import dataclass

__all__ = ["Access", "Snapshot", "Stop"]

Access = Literal["read", "write", "fetch"]


@dataclass(frozen=True)
class Stop:
    """Why a run ended.

    requested: somebody called `stop`. fault: an access at *address* (exact to the byte; for an access that
    crosses into a bad page, that page's first byte) was refused; the PC is at the instruction, which may be
    run again after a repair. exception: *name* says what the CPU raised at the instruction at *address*,
    *number* is the CPU's own number, and the PC is where the guest's kernel would see it.
    """

    kind: Literal["requested", "fault", "exception"]
    address: int = 0
    access: Access | None = None
    name: str = ""
    number: int = 0


@dataclass(frozen=True)
class Snapshot:
    """A CPU state that is valid in this process and for this machine only."""

    context: Any
    tables: Mapping[str, int]
