"""LDSMAX, LDSMIN and their kin of less than 64 bits: Unicorn compares what is in memory as if it had no sign.

The two functions that translate them are handed the access they make, without its sign, through pointers: these are
exchanged for functions that add the sign, and take it from the result again. Source: Arm ARM C6.2, LDSMAXB and so on.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from typing import Any

from compat.cpu._unicorn import ffi
from compat.cpu.library_code import overwrite_data
from compat.cpu.library_symbols import symbols_of_library

__all__ = ["mend_signed_choices"]

_SIZE, _SIGNED = 3, 4
"""Of an access (MO_SIZE, MO_SIGN of qemu/include/exec/memop.h)."""
_WIDTHS = ("8", "16", "32")


@cache
def mend_signed_choices(library: Any) -> object | None:
    """Do so in this process; None, with nothing changed, where it can't be done."""
    try:
        symbols = symbols_of_library()
        cuts = [
            ffi.cast("void (*)(void *, void *, void *)", symbols.address(f"tcg_gen_ext{width}u_i64_aarch64".encode()))
            for width in _WIDTHS
        ]
        kept: list[object] = []
        pieces: dict[int, bytes] = {}
        for name in ("smax", "smin"):
            address = symbols.address(f"tcg_gen_atomic_fetch_{name}_i64_aarch64".encode())
            original = ffi.cast("void (*)(void *, void *, void *, void *, unsigned long, int)", address)
            own = ffi.callback(ffi.typeof(original), _signed(original, cuts))
            kept.append(own)
            code = struct.pack("=Q", int(ffi.cast("uintptr_t", own)))
            pieces |= dict.fromkeys(symbols.pointers(address), code)
        return kept if pieces and overwrite_data(library, pieces) else None
    except (OSError, KeyError, struct.error):
        return None


def _signed(original: Any, cuts: list[Any]) -> Callable[..., None]:
    def translate(context: Any, target: Any, address: Any, operand: Any, index: int, access: int) -> None:
        size = access & _SIZE
        original(context, target, address, operand, index, access | _SIGNED if size < len(cuts) else access)
        if size < len(cuts):
            cuts[size](context, target, target)

    return translate
