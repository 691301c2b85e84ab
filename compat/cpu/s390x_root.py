"""SQXBR, whose translation in Unicorn crashes the process: its row of the table of instructions has no second result.

A row (`struct DisasInsn` of `qemu/target/s390x/translate.c`) names the functions that translate. The one that prepares
the results is taken from the row of LCXBR, which has two results like it.
"""

from __future__ import annotations

import re
import struct
from functools import cache
from typing import Any

from compat.cpu.library_code import overwrite_data
from compat.cpu.library_symbols import symbols_of_library

__all__ = ["mend_square_root"]

_ROW_BYTES, _PREPARE, _OUTPUT = 72, 32, 40
"""A row: its opcode in 16 bits, 6 bytes of kinds, its name, and 6 functions: these are the third and the fourth."""
_BEFORE, _ROOT, _AFTER, _COMPLEMENT = 0xB315, 0xB316, 0xED14, 0xB343
"""The opcodes of SQDBR, SQXBR, SQEB, which follow each other, and LCXBR."""


@cache
def mend_square_root(library: Any) -> bool:
    """Set the row right in this process; False, with nothing changed, where it isn't found."""
    try:
        begin, data = symbols_of_library().tables()
        root = _find_root(data)
        other = root
        while _opcode(data, other) != _COMPLEMENT:
            other -= _ROW_BYTES
    except (OSError, KeyError, struct.error):
        return False
    functions = data[other + _PREPARE : other + _PREPARE + 8]
    if data[other + _OUTPUT : other + _OUTPUT + 8] != data[root + _OUTPUT : root + _OUTPUT + 8]:
        return False
    return overwrite_data(library, {begin + root + _PREPARE: functions})


def _find_root(data: bytes) -> int:
    """Where SQXBR's row is; raises KeyError."""
    for match in re.finditer(re.escape(struct.pack("=H", _ROOT)), data):
        at = match.start()
        around = [_opcode(data, at + distance) for distance in (-_ROW_BYTES, _ROW_BYTES)]
        if at % 8 == 0 and around == [_BEFORE, _AFTER]:
            return at
    raise KeyError("SQXBR")


def _opcode(data: bytes, row: int) -> int:
    if row < 0:
        raise KeyError("LCXBR")
    return int(struct.unpack_from("=H", data, row)[0])
