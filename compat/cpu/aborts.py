"""Where Unicorn would abort the process, or would do what no CPU does: the instruction is illegal.

At an instruction that its translator takes for impossible, Unicorn calls `abort`. That is exchanged in the library's
table of jumps for a few instructions of our own. They tell us, and leave the translation the way that a page fault
inside it does: by `cpu_loop_exit_noexc` (a long jump over the library's own functions alone), after the run was asked
to stop. What the library says before, on the guest's standard error, is left out. A function that an instruction calls
when it is executed can be refused: it leaves in the same way, with the PC restored.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Sequence
from functools import cache
from typing import Any

from compat.cpu._unicorn import ffi
from compat.cpu.library_code import jump, new_code, overwrite
from compat.cpu.library_symbols import SUFFIXES, symbols_of_library

__all__ = ["IMPOSSIBLE", "REFUSED", "Aborts", "aborts", "functions"]

IMPOSSIBLE, REFUSED = -1, -2

_X86_64 = (
    b"\x31\xc0\xc3".ljust(16, b"\xcc"),  # xor eax, eax; ret
    b"\x48\x83\xec\x08\x48\xb8",  # sub rsp, 8; mov rax, …
    b"\xff\xd0\x48\x8b\x38\xff\x50\x08".ljust(18, b"\xcc"),  # call rax; mov rdi, [rax]; call [rax+8]
    # call rax; mov rdi, [rax]; mov rsi, [rsp+8]; call [rax+16]
    b"\xff\xd0\x48\x8b\x38\x48\x8b\x74\x24\x08\xff\x50\x10",
)
_AARCH64 = (
    struct.pack("<4I", 0x52800000, 0xD65F03C0, 0, 0),  # mov w0, #0; ret
    struct.pack("<4I", 0xA9BF7BFD, 0x58000070, 0x14000004, 0),  # stp x29, x30, [sp, #-16]!; ldr x16, …; b …
    struct.pack("<4I", 0xD63F0200, 0xA9404000, 0xD63F0200, 0),  # blr x16; ldp x0, x16, [x0]; blr x16
    # blr x16; mov x2, x0; ldr x0, [x2]; ldr x1, [sp, #8]; ldr x16, [x2, #16]; blr x16
    struct.pack("<6I", 0xD63F0200, 0xAA0003E2, 0xF9400040, 0xF94007E1, 0xF9400850, 0xD63F0200),
)
_HOSTS = {"x86_64": _X86_64, "aarch64": _AARCH64}
"""A function that does nothing and returns 0, in 16 bytes; and two that call ours: what is before its address, and what
is behind it in each. The first leaves by the second of the addresses that ours returns a pointer to, the other by the
third; both hand over the first, and the other where it was called from."""

_FOREIGN = (b"abort", b"fprintf", b"printf")
"""What is exchanged: the first for the way out, the others for nothing."""

_NUMBERS = (-1, 0)
"""An engine's only CPU has no number, but on s390x."""


def functions(machine: str, callbacks: Sequence[int]) -> tuple[bytes, list[int]]:
    """Return the code for a host CPU, and where the two functions in it begin that call those at *callbacks*."""
    code, before, *ends = _HOSTS[machine]
    begins = []
    for callback, end in zip(callbacks, ends, strict=True):
        begins.append(len(code))
        code += before + struct.pack("<Q", callback) + end
    return code, begins


class Aborts:
    """What the library does instead. *running* is the engine (its handle and CPU) that runs."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self._symbols = symbols = symbols_of_library()
        self.running: tuple[Any, str] | None = None
        self._met = 0
        slots = symbols.foreign_slots(*_FOREIGN)
        self._way_out = ffi.new("uintptr_t[3]", (0, *[ffi.cast("uintptr_t *", slots[0])[0]] * 2))
        self._callbacks = [ffi.callback("void *()", meet) for meet in (self._meet_impossible, self._meet_refused)]
        callbacks = [int(ffi.cast("uintptr_t", callback)) for callback in self._callbacks]
        code, (impossible, refused) = functions(os.uname().machine, callbacks)
        memory = new_code(library, code)
        if memory is None:
            raise OSError("no memory can be made executable")
        begin, self._memory = memory
        self._refusal = begin + refused
        for slot, function in zip(slots, (begin + impossible, *[begin] * (len(slots) - 1)), strict=True):
            page = ffi.cast("void *", slot & -mmap.PAGESIZE)
            if library.mprotect(page, mmap.PAGESIZE, mmap.PROT_READ | mmap.PROT_WRITE):
                raise OSError("the table of jumps stays as it is")
            ffi.cast("uintptr_t *", slot)[0] = function

    def refuse(self, name: str) -> None:
        """Make instructions illegal that call the library's function *name*, if it has that, when executed."""
        try:
            function = self._symbols.address(name.encode())
        except KeyError:
            return
        overwrite(self._library, {function: jump(self._refusal)})

    def take(self) -> int:
        """Return what the run that has ended came to, IMPOSSIBLE or REFUSED, or 0."""
        met, self._met, self.running = self._met, 0, None
        return met

    def _meet_impossible(self) -> Any:
        self._met = IMPOSSIBLE
        return self._leave()

    def _meet_refused(self) -> Any:
        self._met = REFUSED
        return self._leave()

    def _leave(self) -> Any:
        """Ask the run to stop, and return what leaves it; or what truly aborts, where nothing runs."""
        if self.running is not None:
            handle, cpu = self.running
            suffix = SUFFIXES.get(cpu, cpu)
            address = self._symbols.address
            find = ffi.cast("void *(*)(void *, int)", address(f"qemu_get_cpu_{suffix}".encode()))
            state = next(found for number in _NUMBERS if (found := find(handle, number)))
            exits = [address(f"cpu_loop_exit_{how}_{suffix}".encode()) for how in ("noexc", "restore")]
            self._way_out[0:3] = [int(ffi.cast("uintptr_t", state)), *exits]
            self._library.uc_emu_stop(handle)
        return self._way_out


@cache
def aborts(library: Any) -> Aborts | None:
    """Take the place of *library*'s `abort`, for as long as this process lives; None where that can't be."""
    try:
        return Aborts(library)
    except (OSError, KeyError, struct.error):
        return None
