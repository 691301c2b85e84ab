"""KUSER_SHARED_DATA, the page that every process reads the time and the version from."""

from __future__ import annotations

import time
from typing import Final

from compat.memory import PAGE
from shims.windows.state import WindowsProcess

__all__ = ["EPOCH", "map_shared_data"]

EPOCH: Final = 116_444_736_000_000_000
"""1970-01-01 in units of 100 ns since 1601-01-01."""

_ADDRESS: Final = 0x7FFE_0000  # ntddk.h, KI_USER_SHARED_DATA
_FREQUENCY: Final = 10_000_000


def map_shared_data(process: WindowsProcess) -> None:
    """Map the page with the present time; it stands still from then on."""
    layout = process.windows.layout("UserSharedData")
    ticks = time.monotonic_ns() // 1_000_000
    root = tuple("C:\\Windows".encode("utf-16-le")[::2])
    fields: dict[str, object] = {
        "tick_count_multiplier": 1 << 24,  # ticks * multiplier >> 24 are milliseconds
        "system_root": root,
        "build_number": 19045,
        "product_type": 1,
        "product_type_valid": 1,
        "native_architecture": 9,
        "major_version": 10,
        "qpc_frequency": _FREQUENCY,
        "suite_mask": 0x100,
        "physical_pages": 0x10_0000,
    }
    fields |= _time("system_time", EPOCH + time.time_ns() // 100)
    fields |= _time("interrupt_time", time.monotonic_ns() // 100)
    fields |= _time("tick_count", ticks)
    process.memory.map(PAGE, 1, address=_ADDRESS, fixed=True, replace=False, name=b"[shared data]")
    process.memory.store(_ADDRESS, layout.pack(fields))


def _time(name: str, value: int) -> dict[str, object]:
    high = value >> 32 & 0x7FFF_FFFF
    return {f"{name}.low": value & 0xFFFF_FFFF, f"{name}.high1": high, f"{name}.high2": high}
