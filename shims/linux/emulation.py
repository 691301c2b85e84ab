"""Instructions that the CPU refuses and Linux carries out for the program, as if the CPU had them.

A few are done here that a real CPU does by itself and that need the guest's memory and the host's clock.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from compat.errors import MemoryFault
from compat.process import CpuFault
from shims.linux.state import LinuxThread

__all__ = ["emulate"]

_SERVED: Mapping[tuple[str, str], str] = {
    ("aarch64", "illegal"): "id_registers",
    ("mips", "alignment"): "unaligned_mips",
    ("mips", "illegal"): "rdhwr_mips",
    ("mips64", "alignment"): "unaligned_mips",
    ("mips64", "illegal"): "rdhwr_mips",
    ("ppc", "alignment"): "unaligned_ppc",
    ("ppc", "illegal"): "missing_ppc",
    ("ppc", "privileged"): "missing_ppc",
    ("ppc64", "alignment"): "unaligned_ppc",
    ("ppc64", "illegal"): "missing_ppc",
    ("ppc64", "privileged"): "missing_ppc",
    ("s390x", "clock"): "clock_s390x",
    ("s390x", "facilities"): "clock_s390x",
}
"""(kind of CPU, exception) → the module whose `emulate(thread)` may do what the instruction asks for."""


def emulate(thread: LinuxThread, fault: CpuFault) -> CpuFault | MemoryFault | None:
    """Do the instruction at which the running thread stands, and step over it; returns the fault that remains."""
    module = _SERVED.get((thread.abi.cpu.kind, fault.name))
    if module is None:
        return fault
    try:
        served: bool = importlib.import_module(f"shims.linux.{module}").emulate(thread)
    except MemoryFault as bad:
        return CpuFault("unreachable", fault.code) if thread.abi.cpu.family == "mips" else bad
    return None if served else fault
