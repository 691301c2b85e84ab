"""Where Unicorn would abort the process: at an instruction that its translator takes for impossible.

What it calls then, `abort`, is exchanged in the library's table of jumps for a few instructions of our own. They tell
us, and leave the translation the way that a page fault inside it does: by `cpu_loop_exit_noexc` (a long jump over the
library's own functions alone), after the run was asked to stop. What the library says before, on the guest's standard
error, is left out.
"""

from __future__ import annotations

import mmap
import os
import struct
from functools import cache
from typing import Any

from compat.cpu._unicorn import ffi
from compat.cpu.library_code import new_code
from compat.cpu.library_symbols import SUFFIXES, symbols_of_library

__all__ = ["Aborts", "aborts"]

_X86_64 = (
    b"\x31\xc0\xc3".ljust(16, b"\xcc"),  # xor eax, eax; ret
    b"\x48\x83\xec\x08\x48\xb8",  # sub rsp, 8; mov rax, …
    b"\xff\xd0\x48\x8b\x38\xff\x50\x08",  # call rax; mov rdi, [rax]; call [rax+8]
)
_AARCH64 = (
    struct.pack("<4I", 0x52800000, 0xD65F03C0, 0, 0),  # mov w0, #0; ret
    # stp x29, x30, [sp, #-16]!; ldr x16, …; blr x16; ldp x0, x16, [x0]; blr x16; nop
    struct.pack("<6I", 0xA9BF7BFD, 0x580000B0, 0xD63F0200, 0xA9404000, 0xD63F0200, 0xD503201F),
    b"",
)
_HOSTS = {"x86_64": _X86_64, "aarch64": _AARCH64}
"""A function that does nothing and returns 0, in 16 bytes; and what is before and behind our function's address in one
that calls it, and then the second of the two addresses that it returns a pointer to, with the first as the argument."""


_NUMBERS = (-1, 0)
"""An engine's only CPU has no number, but on s390x."""


class Aborts:
    """What the library does instead of aborting. *running* is the engine (its handle and CPU) that runs; *met* tells
    that it would have aborted, until somebody takes note."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self._symbols = symbols = symbols_of_library()
        self.running: tuple[Any, str] | None = None
        self.met = False
        slots = symbols.foreign_slots(b"abort", b"fprintf", b"printf")
        self._way_out = ffi.new("uintptr_t[2]", (0, ffi.cast("uintptr_t *", slots[0])[0]))
        self._callback = ffi.callback("void *()", self._meet)
        nothing, before, behind = _HOSTS[os.uname().machine]
        address = struct.pack("<Q", int(ffi.cast("uintptr_t", self._callback)))
        code = new_code(library, nothing + before + address + behind)
        if code is None:
            raise OSError("no memory can be made executable")
        begin, self._memory = code
        for slot, function in zip(slots, (begin + len(nothing), begin, begin), strict=True):
            page = ffi.cast("void *", slot & -mmap.PAGESIZE)
            if library.mprotect(page, mmap.PAGESIZE, mmap.PROT_READ | mmap.PROT_WRITE):
                raise OSError("the table of jumps stays as it is")
            ffi.cast("uintptr_t *", slot)[0] = function

    def _meet(self) -> Any:
        """Ask the run to stop, and return what leaves it; or what truly aborts, where nothing runs."""
        if self.running is not None:
            handle, cpu = self.running
            suffix = SUFFIXES.get(cpu, cpu)
            find = ffi.cast("void *(*)(void *, int)", self._symbols.address(f"qemu_get_cpu_{suffix}".encode()))
            leave = self._symbols.address(f"cpu_loop_exit_noexc_{suffix}".encode())
            state = next(found for number in _NUMBERS if (found := find(handle, number)))
            self._way_out[0], self._way_out[1] = int(ffi.cast("uintptr_t", state)), leave
            self._library.uc_emu_stop(handle)
            self.met = True
        return self._way_out


@cache
def aborts(library: Any) -> Aborts | None:
    """Take the place of *library*'s `abort`, for as long as this process lives; None where that can't be."""
    try:
        return Aborts(library)
    except (OSError, KeyError, struct.error):
        return None
