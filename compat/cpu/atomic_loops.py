"""The library's atomic operations that are none: each is made to jump to a loop around a compare-and-swap that is one.

What is called for an atomic instruction in code that is translated with `CF_PARALLEL` is a `helper_atomic_*` of
`qemu/accel/tcg/atomic_template.h`. Unicorn has made plain loads and stores of those that exchange, of minima and
maxima, and of additions to words whose byte order isn't the host's.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from compat.cpu import loop_aarch64, loop_x86_64
from compat.cpu.library_code import jump, new_code, overwrite
from compat.cpu.library_symbols import Symbols

__all__ = ["mend_operations"]

_HOSTS = {"x86_64": loop_x86_64, "aarch64": loop_aarch64}
_SIZES = {"b": 1, "w": 2, "l": 4, "q": 8}
_CHOICES = ("smin", "smax", "umin", "umax")


class _Operation(NamedTuple):
    """One function: what it is called, how many bytes it changes, and whether it returns the new value."""

    name: str
    kind: str
    suffix: str
    size: int
    new: bool


def _operations(order: str) -> Iterator[_Operation]:
    """Those that aren't atomic, of a guest's byte *order*, "le" or "be"."""
    for letter, size in _SIZES.items():
        suffix = letter if size == 1 else f"{letter}_{order}"
        yield _Operation("xchg", "xchg", suffix, size, False)
        kinds = _CHOICES if size == 1 or order[0] == sys.byteorder[0] else (*_CHOICES, "add")
        for kind in kinds:
            yield _Operation(f"fetch_{kind}", kind, suffix, size, False)
            yield _Operation(f"{kind}_fetch", kind, suffix, size, True)


def mend_operations(library: Any, symbols: Symbols, cpu: str, big: bool) -> object | None:
    """Make the operations of *cpu*, as the library's names have it, atomic; *big* is the guest's byte order.

    Returns what must be kept; None, with nothing changed, where that can't be.
    """
    host = _HOSTS.get(os.uname().machine)
    if host is None:
        return None
    code, places = b"", {}
    for name, kind, suffix, size, new in _operations("be" if big else "le"):
        places[symbols.address(f"helper_atomic_{name}{suffix}_{cpu}".encode())] = len(code)
        swap = symbols.address(f"helper_atomic_cmpxchg{suffix}_mmu_{cpu}".encode())
        code += host.loop(kind, size, new, swap)
        code += bytes(-len(code) % 16)
    loops = new_code(library, code)
    if loops is None:
        return None
    jumps = {function: jump(loops[0] + offset) for function, offset in places.items()}
    return loops[1] if overwrite(library, jumps) else None
