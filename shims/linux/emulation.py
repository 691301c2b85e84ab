"""Instructions that the CPU refuses and Linux carries out for the program, as if the CPU had them."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from compat.errors import MemoryFault
from compat.process import CpuFault
from shims.linux.state import LinuxThread

__all__ = ["emulate"]

_SERVED: Mapping[tuple[str, str], str] = {
    ("mips", "alignment"): "unaligned_mips",
    ("ppc", "alignment"): "unaligned_ppc",
}
"""(CPU family, exception) → the module whose `emulate(thread)` may do what the instruction asks for."""


def emulate(thread: LinuxThread, fault: CpuFault) -> CpuFault | MemoryFault | None:
    """Do the instruction at which the running thread stands, and step over it; returns the fault that remains."""
    family = thread.abi.cpu.family
    module = _SERVED.get((family, fault.name))
    if module is None:
        return fault
    try:
        served: bool = importlib.import_module(f"shims.linux.{module}").emulate(thread)
    except MemoryFault as bad:
        return CpuFault("unreachable", fault.code) if family == "mips" else bad
    return None if served else fault
