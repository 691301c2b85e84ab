"""x86's descriptors for thread-local storage: struct user_desc to and from an entry of the descriptor table.

The CPU calls the three entries gdt12, gdt13 and gdt14, numbered as on a 64-bit kernel (GDT_ENTRY_TLS_MIN in
arch/x86/include/asm/segment.h).
"""

from __future__ import annotations

import errno

from compat.abi.structs import Record
from compat.process import Registers

__all__ = ["area_of", "load_area"]

_ENTRIES = range(12, 15)
_ANY = 0xFFFFFFFF
_32BIT, _CONTENTS, _READ_ONLY, _PAGES, _ABSENT, _USEABLE = 1, 6, 8, 16, 32, 64
_EMPTY_BITS = _READ_ONLY | _ABSENT


def load_area(registers: Registers, area: Record, *, may_choose: bool) -> int:
    """Put *area* into its entry, or with *may_choose* into a free one where its number is -1; returns the number.

    Raises:
        OSError: EINVAL for another entry or a segment that may not be, ESRCH without a free entry.
    """
    entry = area.int("entry_number")
    if entry == _ANY and may_choose:
        entry = next((each for each in _ENTRIES if not registers.read(f"gdt{each}")), 0)
        if not entry:
            raise OSError(errno.ESRCH, "no free descriptor")
    if entry not in _ENTRIES:
        raise OSError(errno.EINVAL, f"descriptor {entry}")
    registers.write(f"gdt{entry}", _make_descriptor(area))
    return entry


def _make_descriptor(area: Record) -> int:
    """The 8 bytes of a segment of ring 3; 0 for an empty one (Intel SDM 3A 3.4.5; LDT_empty in asm/desc.h)."""
    base, limit, bits = (area.int(name) for name in ("base_addr", "limit", "bits"))
    if bits & 0x7F in (0, _EMPTY_BITS) and base == limit == 0:
        return 0
    if not bits & _32BIT or bits & _CONTENTS > 2 or bits & _ABSENT:
        raise OSError(errno.EINVAL, "only present 32-bit data segments serve for thread-local storage")
    kind = (0 if bits & _READ_ONLY else 2) | (bits & _CONTENTS) << 1 | 1
    access = kind | 0xF0
    flags = 4 | (8 if bits & _PAGES else 0) | (1 if bits & _USEABLE else 0)
    high = base >> 24 & 0xFF
    return (
        limit & 0xFFFF | (base & 0xFFFFFF) << 16 | access << 40 | (limit >> 16 & 0xF) << 48 | flags << 52 | high << 56
    )


def area_of(registers: Registers, entry: int) -> dict[str, object]:
    """The user_desc of an entry. Raises OSError(EINVAL) for one that is none of the three."""
    if entry not in _ENTRIES:
        raise OSError(errno.EINVAL, f"descriptor {entry}")
    packed = registers.read(f"gdt{entry}")
    fields: dict[str, object] = {"entry_number": entry, "bits": _EMPTY_BITS}
    if packed:
        kind, flags = packed >> 40 & 0xF, packed >> 52 & 0xF
        bits = (flags >> 2 & 1) | (kind >> 1 & _CONTENTS) | (0 if kind & 2 else _READ_ONLY)
        bits |= (_PAGES if flags & 8 else 0) | (_USEABLE if flags & 1 else 0)
        fields["bits"] = bits
        fields["base_addr"] = packed >> 16 & 0xFFFFFF | (packed >> 56) << 24
        fields["limit"] = packed & 0xFFFF | (packed >> 48 & 0xF) << 16
    return fields
