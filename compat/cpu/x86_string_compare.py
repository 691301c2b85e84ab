"""PCMPESTRI and PCMPESTRM, whose lengths Unicorn cuts to 8 or 16 as numbers with a sign.

The smallest number of 32 bits has no absolute value, so it stays the smallest, and Unicorn reads far outside the CPU's
state. Comparing as numbers without a sign makes it large, as it should be (Intel SDM volume 2, 4.1.6: lengths are
saturated). So the conditions of the choices in these two functions are changed, in this process's copy of them.
"""

from __future__ import annotations

import os
import re
import struct
from functools import cache
from typing import Any

from compat.cpu._unicorn import ffi
from compat.cpu.library_code import overwrite
from compat.cpu.library_symbols import symbols_of_library

__all__ = ["mend_string_compare"]

_FUNCTIONS = (b"helper_pcmpestri_xmm_x86_64", b"helper_pcmpestrm_xmm_x86_64")
_CHOICES = 4
"""In a function: two lengths, of bytes or words."""

# cmp with 8 or 16, and cmovg or cmovle within a few instructions
_X86_64 = re.compile(rb"\x83[\xf8-\xff][\x08\x10].{0,12}?\x0f[\x4e\x4f]", re.DOTALL)
_UNSIGNED = {0x4F: 0x47, 0x4E: 0x46}
_BYTES = 240
"""How far the choices are from a function's begin at most."""


@cache
def mend_string_compare(library: Any) -> bool:
    """Do so in this process; False, with nothing changed, where the functions don't look as expected."""
    change = {"x86_64": _on_x86_64, "aarch64": _on_aarch64}.get(os.uname().machine)
    try:
        places = [symbols_of_library().address(name) for name in _FUNCTIONS]
    except (OSError, KeyError, struct.error):
        return False
    if change is None:
        return False
    pieces = {place: change(bytes(ffi.buffer(ffi.cast("char *", place), _BYTES))) for place in places}
    changed = {place: code for place, code in pieces.items() if code is not None}
    return len(changed) == len(_FUNCTIONS) and overwrite(library, changed)


def _on_x86_64(code: bytes) -> bytes | None:
    found = list(_X86_64.finditer(code))
    better = bytearray(code)
    for match in found:
        better[match.end() - 1] = _UNSIGNED[code[match.end() - 1]]
    return bytes(better) if len(found) == _CHOICES else None


def _on_aarch64(code: bytes) -> bytes | None:
    words = list(struct.unpack(f"<{len(code) // 4}I", code))
    found = [i for i, word in enumerate(words) if word & 0xFFE0FC00 == 0x1A80D000]  # csel wN, wN, wN, le
    for i in found:
        words[i] ^= 0xD000 ^ 0x9000  # ls
    return struct.pack(f"<{len(words)}I", *words) if len(found) == _CHOICES else None
