"""The same as `loop_x86_64`, for AArch64 hosts: x0 environment, x1 guest address, x2 operand, w3 kind of access."""

from __future__ import annotations

import struct

__all__ = ["loop"]

_ENTER = (
    0xA9BB7BFD,  # stp x29, x30, [sp, #-80]!
    0xA90153F3,  # stp x19, x20, [sp, #16]
    0xA9025BF5,  # stp x21, x22, [sp, #32]
    0xA90363F7,  # stp x23, x24, [sp, #48]
    0xF90023F9,  # str x25, [sp, #64]
    0xAA0003F3,  # mov x19, x0
    0xAA0103F4,  # mov x20, x1
    0xAA0203F5,  # mov x21, x2
    0x2A0303F6,  # mov w22, w3
    0xAA1E03F7,  # mov x23, x30, the return address
    0xD2800000,  # mov x0, #0: a guess at the old value
)
_OLD = {1: 0x2A0003F8, 2: 0x2A0003F8, 4: 0x2A0003F8, 8: 0xAA0003F8}  # mov w24, w0; mov x24, x0
_SIGNED = {1: (0x13001F09, 0x13001EAA), 2: (0x13003F09, 0x13003EAA)}  # sxtb w9, w24; sxtb w10, w21; sxth…
_UNSIGNED = {1: (0x53001F09, 0x53001EAA), 2: (0x53003F09, 0x53003EAA)}  # uxtb…
_WHOLE = {4: (0x2A1803E9, 0x2A1503EA), 8: (0xAA1803E9, 0xAA1503EA)}  # mov w9, w24; mov w10, w21…
_COMPARE = {1: 0x6B0A013F, 2: 0x6B0A013F, 4: 0x6B0A013F, 8: 0xEB0A013F}  # cmp w9, w10; cmp x9, x10
_CHOOSE = {"smin": 0x9A95B319, "smax": 0x9A95C319, "umin": 0x9A953319, "umax": 0x9A958319}  # csel x25, x24, x21, lt…
_ARGUMENTS = (
    0xAA1303E0,  # mov x0, x19
    0xAA1403E1,  # mov x1, x20
    0xAA1803E2,  # mov x2, x24
    0xAA1903E3,  # mov x3, x25
    0x2A1603E4,  # mov w4, w22
    0xAA1703E5,  # mov x5, x23
)
_LOAD, _CALL = 0x58000010, 0xD63F0200  # ldr x16, …; blr x16
_SAME = {1: 0x6B18001F, 2: 0x6B18001F, 4: 0x6B18001F, 8: 0xEB18001F}  # cmp w0, w24; cmp x0, x24
_UNEQUAL = 0x54000001  # b.ne …
_RESULT_OLD = 0xAA1803E0  # mov x0, x24
_RESULT_NEW = {1: 0x53001F20, 2: 0x53003F20, 4: 0x2A1903E0, 8: 0xAA1903E0}  # uxtb w0, w25; uxth…; mov…
_LEAVE = (
    0xF94023F9,  # ldr x25, [sp, #64]
    0xA94363F7,  # ldp x23, x24, [sp, #48]
    0xA9425BF5,  # ldp x21, x22, [sp, #32]
    0xA94153F3,  # ldp x19, x20, [sp, #16]
    0xA8C57BFD,  # ldp x29, x30, [sp], #80
    0xD65F03C0,  # ret
)


def loop(operation: str, size: int, new: bool, swap: int) -> bytes:
    """See `loop_x86_64.loop`."""
    again = [_OLD[size], *_computed(operation, size), *_ARGUMENTS]
    end = [_RESULT_NEW[size] if new else _RESULT_OLD, *_LEAVE]
    distance = 4 + len(end)  # from the load to the word behind the end
    again += [_LOAD | distance << 5, _CALL, _SAME[size]]
    back = _UNEQUAL | (-len(again) & 0x7FFFF) << 5
    words = [*_ENTER, *again, back, *end]
    return struct.pack(f"<{len(words)}IQ", *words, swap)


def _computed(operation: str, size: int) -> tuple[int, ...]:
    """The new value into x25, from the old one in x24 and the operand in x21."""
    if operation == "xchg":
        return (0xAA1503F9,)  # mov x25, x21
    if operation == "add":
        return (0x8B150319,)  # add x25, x24, x21
    operands = _WHOLE.get(size) or (_SIGNED if operation[0] == "s" else _UNSIGNED)[size]
    return (*operands, _COMPARE[size], _CHOOSE[operation])
