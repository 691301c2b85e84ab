"""The condition code of signed additions and subtractions: Unicorn misses the overflow of the smallest number plus
itself, and of 0 minus that.

Its two functions for condition codes are made to jump to code of our own, which knows an overflow by the signs, and
goes on in them for everything else. Only x86-64 hosts have the room for that jump, in the padding behind their one
instruction. Source: Principles of Operation, chapter 7; `enum cc_op` of `qemu/target/s390x/internal.h`.
"""

from __future__ import annotations

import os
import struct
from functools import cache
from typing import Any

from compat.cpu._unicorn import ffi
from compat.cpu.library_code import jump, new_code, overwrite
from compat.cpu.library_symbols import symbols_of_library

__all__ = ["mend_overflow"]

_FUNCTIONS = (b"helper_calc_cc", b"calc_cc")
_JUMP, _PADDING = b"\xe9", bytes.fromhex("66662e0f1f840000000000")

# esi is the operation, rdx and rcx the operands, r8 the result. The operations ADD_64, SUB_64, ADD_32 and SUB_32 are
# 13, 16, 21 and 24: bits 0, 3, 8 and 11 of 0x909, of which the subtractions have odd numbers and the last two 32 bits.
_OVERFLOW = bytes.fromhex(
    "8d46f3 83f80b 7736"  # lea eax, [rsi-13]; cmp eax, 11; ja out
    "41b909090000 410fa3c1 732a"  # mov r9d, 0x909; bt r9d, eax; jnc out
    "4989c9 a801 7403 49f7d1"  # mov r9, rcx; test al, 1; jz 1f; not r9
    "4989d2 4d31c2 4d31c1 4d21d1"  # 1: mov r10, rdx; xor r10, r8; xor r9, r8; and r9, r10
    "83f808 7204 49c1e120"  # cmp eax, 8; jb 2f; shl r9, 32
    "4d85c9 7906 b803000000 c3"  # 2: test r9, r9; jns out; mov eax, 3; ret; out: …
)


@cache
def mend_overflow(library: Any) -> object | None:
    """Do so in this process. Returns what must be kept; None, with nothing changed, where it can't be done."""
    if os.uname().machine != "x86_64":
        return None
    try:
        functions = [symbols_of_library().address(name) for name in _FUNCTIONS]
    except (OSError, KeyError, struct.error):
        return None
    code = [bytes(ffi.buffer(ffi.cast("char *", function), 5 + len(_PADDING))) for function in functions]
    targets = {at + 5 + int(struct.unpack_from("<i", each, 1)[0]) for at, each in zip(functions, code, strict=True)}
    if len(targets) > 1 or any(each[:1] != _JUMP or each[5:] != _PADDING for each in code):
        return None
    own = new_code(library, _OVERFLOW + jump(targets.pop()))
    return own if own is not None and overwrite(library, dict.fromkeys(functions, jump(own[0]))) else None
