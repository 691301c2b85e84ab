"""The one file that loads Unicorn: an engine, its registers and its hooks, through cffi's ABI mode.

Facts are those of Unicorn 2.1.4's `unicorn.h` and of its sources. The `unicorn` Python package is never
imported: it costs 100 ms, and its calls five times those made here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cache
from importlib.machinery import PathFinder
from types import TracebackType
from typing import Any

from compat.cpu._unicorn import ffi
from compat.cpu.aborts import IMPOSSIBLE, REFUSED, aborts
from compat.cpu.internals import Internals
from compat.cpu.registers import Batch, Register, WideBatch
from compat.errors import CompatError, Unsupported

__all__ = [
    "EXCEPTION",
    "HOOK_FETCH_REFUSED",
    "IMPOSSIBLE",
    "INVALID_INSTRUCTION",
    "OK",
    "REFUSED",
    "Engine",
    "EngineError",
]

OK, INVALID_INSTRUCTION, EXCEPTION = 0, 10, 21
_HOOK_INTERRUPT, _HOOK_INSTRUCTION, _HOOK_CODE = 1 << 0, 1 << 1, 1 << 2
HOOK_FETCH_REFUSED, _HOOK_INVALID, _HOOK_BLOCK_MADE, _HOOK_TLB_FILL = 1 << 9, 1 << 14, 1 << 15, 1 << 17
_PAGE_SIZE, _USE_EXITS, _EXITS, _CPU_MODEL, _REMOVE_CODE, _FLUSH_CODE, _FLUSH_TLB, _TLB_TYPE = 1, 4, 6, 7, 9, 10, 11, 12
_TLB_VIRTUAL = 1
_LOW = (1 << 64) - 1
_FIRST_ACCESS = 16
"""UC_MEM_READ; write and fetch follow it, so 1 << (type - 16) is the access as R=1 W=2 X=4."""


class EngineError(CompatError):
    """Unicorn refused a call that must not fail."""


@cache
def _library() -> Any:
    spec = PathFinder.find_spec("unicorn")
    for package in (spec and spec.submodule_search_locations) or ():
        folder = os.path.join(package, "lib")
        for name in os.listdir(folder) if os.path.isdir(folder) else ():
            if name.startswith("libunicorn.") and not name.endswith(".a"):
                return ffi.dlopen(os.path.join(folder, name), ffi.RTLD_LAZY)  # of its 30,000 symbols few are called
    raise Unsupported("the package 'unicorn' (2.1.4 or later) is not installed, or has no library for this machine")


def _check(code: int, what: str) -> None:
    if code != OK:
        raise EngineError(f"unicorn: {what}: {ffi.string(_library().uc_strerror(code)).decode()}")


class Engine:
    """One Unicorn engine in software-MMU mode (`UC_TLB_VIRTUAL`), whose pages come from a fill hook.

    Exceptions that a hook raises stop the engine and come out of `start`.
    """

    def __init__(self, cpu: str, arch: int, mode: int, model: int | None = None, page_size: int | None = None) -> None:
        self._library = _library()
        self._cpu = cpu
        slot = ffi.new("void **")
        _check(self._library.uc_open(arch, mode, slot), "open an engine")
        self._handle = slot[0]
        self._words = ffi.new("uint64_t[8]")
        self._read, self._write = self._library.uc_reg_read, self._library.uc_reg_write
        self._keep: list[object] = []
        self._base = 0
        self._failure: BaseException | None = None
        self._between_blocks = False
        if model is not None:
            self._control(_CPU_MODEL, 1, ffi.cast("int", model))
        if page_size is not None:
            self._control(_PAGE_SIZE, 1, ffi.cast("uint32_t", page_size))
        self._control(_TLB_TYPE, 1, ffi.cast("int", _TLB_VIRTUAL))
        # With no exit addresses at all, a jump to address 0 faults like any other instead of ending the run.
        self._control(_USE_EXITS, 1, ffi.cast("int", 1))
        self._internals = Internals(self._library, self._handle)
        self._aborts = aborts(self._library)
        self._running = (self._handle, cpu)

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Release what Unicorn holds; the engine is of no use after it. Never from a hook."""
        if handle := getattr(self, "_handle", None):
            self._handle = None
            self._library.uc_close(handle)

    def _control(self, what: int, count: int, *values: Any) -> None:
        _check(self._library.uc_ctl(self._handle, what | count << 26 | 1 << 30, *values), f"control {what}")

    # --- memory -------------------------------------------------------------------------------------------

    def map_ram(self, ram: Any, base: int = 0) -> None:
        """Make the host buffer *ram* (a multiple of 4096 bytes long) the guest-physical memory.

        Unicorn has it from *base* on; here its first byte is 0.
        """
        memory = ffi.from_buffer(ram, require_writable=True)
        self._keep.append(memory)
        self._base = base
        _check(self._library.uc_mem_map_ptr(self._handle, base, len(memory), 7, memory), "map guest memory")

    def flush_tlb(self) -> None:
        """Forget every page: each is asked for again through the fill hook."""
        self._control(_FLUSH_TLB, 0)

    def flush_code(self) -> None:
        """Forget all translated code."""
        self._control(_FLUSH_CODE, 0)

    def remove_code(self, begin: int, end: int) -> None:
        """Forget code from guest-virtual *begin* to *end*, whose first page the fill hook must give."""
        self._control(_REMOVE_CODE, 2, ffi.cast("uint64_t", begin), ffi.cast("uint64_t", end))

    # --- running ------------------------------------------------------------------------------------------

    def start(self, pc: int, count: int = 0) -> int:
        """Run from *pc* until `stop`, an error or *count* instructions; return the error code.

        IMPOSSIBLE: Unicorn could not translate the block where the PC now is. REFUSED: see `refuse`.
        """
        if self._aborts is not None:
            self._aborts.running = self._running
        if count and self._between_blocks:
            self._check_after_access(True)
        code: int = self._library.uc_emu_start(self._handle, pc, 0, 0, count)
        if self._aborts is not None:
            code = self._aborts.take() or code
        if count and self._between_blocks:
            self._check_after_access(False)
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        return code

    def stop(self) -> None:
        """End the run, from a hook (behind the current instruction) or from another host thread."""
        self._library.uc_emu_stop(self._handle)

    def fault_address(self) -> int:
        """Return the exact address of the access that the fill hook refused last; needs `find_fault_field`."""
        address = self._internals.fault_address()
        if address is None:
            raise EngineError("unicorn: the field that holds a fault's address is not known")
        return address

    def find_fault_field(self, probes: Sequence[int]) -> None:
        """Learn what `fault_address` needs by jumping to *probes*, which the fill hook must refuse."""
        found = self._internals.find_fault_field(self.start, probes)
        if found != 1:
            raise EngineError(f"unicorn: {found} fields hold a fault's address; is this 2.1.4?")

    def stop_between_blocks(self) -> bool:
        """Let stops take effect only where a block begins, and spare every load and store a check.

        After each access Unicorn asks whether to stop, and a stop taken there runs the whole instruction again:
        `add [mem], 1` would count twice. Returns whether that could be had.
        """
        self._between_blocks = True
        return self._check_after_access(False)

    def stop_between_blocks_in_thumb(self) -> bool:
        """The same for Thumb code, for all engines of this process."""
        return self._internals.never_check_after_access_on_arm()

    def stop_anywhere(self) -> None:
        """Undo `stop_between_blocks`."""
        self._between_blocks = False
        self._check_after_access(True)

    def _check_after_access(self, wanted: bool) -> bool:
        """Whether code asks after each access if it must stop; counting instructions needs it."""
        self.flush_code()
        return self._internals.check_after_access(wanted)

    def refuse(self, name: str) -> None:
        """Make instructions illegal that call the library's function *name* (without the CPU's name) when executed."""
        if self._aborts is not None:
            self._aborts.refuse(f"{name}_{self._cpu}")

    def mend(self, how: Callable[[Any], object]) -> None:
        """Let *how* set something of the library right, in this process; it is given the library."""
        how(self._library)

    def translate_in_parallel(self, wanted: bool) -> bool:
        """Say whether atomic instructions translated from now on are atomic for other host processes too.

        Returns False if they can't be.
        """
        from compat.cpu.atomics import translator

        found = translator(self._library, self._cpu)
        if found is not None:
            found.parallel = wanted
            self.flush_code()
        return found is not None

    # --- hooks --------------------------------------------------------------------------------------------

    def on_fill(self, fill: Callable[[int, int], tuple[int, int] | None]) -> None:
        """Ask *fill(page, access)* for a page's (physical address, permissions); None refuses the access."""

        def callback(_engine: Any, page: int, kind: int, entry: Any, _data: Any) -> bool:
            found = fill(page, 1 << (kind - _FIRST_ACCESS))
            if found is None:
                return False
            entry.paddr, entry.perms = self._base + found[0], found[1]
            return True

        raw = self._callback("bool(void *, uint64_t, int, uc_tlb_entry *, void *)", callback, False)
        self._hook(_HOOK_TLB_FILL, raw)

    def on_interrupt(self, syscall: int, on_syscall: Callable[[], None], other: Callable[[int], None]) -> None:
        """Call *on_syscall()* for the CPU exception *syscall* and *other(number)* for all others."""

        def callback(_engine: Any, number: int, _data: Any) -> None:
            if number == syscall:
                on_syscall()
            else:
                other(number)

        self._hook(_HOOK_INTERRUPT, self._callback("void(void *, uint32_t, void *)", callback))

    def on_instruction(self, instruction: int, call: Callable[[], None]) -> None:
        """Call *call()* for each x86 *instruction* (one of the few numbers that Unicorn lets be hooked)."""

        def callback(_engine: Any, _data: Any) -> None:
            call()

        raw = self._callback("void(void *, void *)", callback)
        self._hook(_HOOK_INSTRUCTION, raw, 1, 0, ffi.cast("int", instruction))

    def on_invalid(self, valid: Callable[[], bool]) -> None:
        """Ask *valid()* about what would end the run with INVALID_INSTRUCTION; True lets the guest go on."""
        raw = self._callback("bool(void *, void *)", lambda _engine, _data: valid(), False)
        self._hook(_HOOK_INVALID, raw)

    def on_block_made(self, made: Callable[[int, int], None]) -> None:
        """Call *made(address, size)* when a block has been translated, before it runs for the first time."""

        def callback(_engine: Any, block: Any, _previous: Any, _data: Any) -> None:
            made(block.pc, block.size)

        self._hook(_HOOK_BLOCK_MADE, self._callback("void(void *, uc_tb *, uc_tb *, void *)", callback))

    def end_runs_at(self, addresses: Sequence[int]) -> None:
        """End the run, without an error, before an instruction at any of *addresses* that is translated from now on."""
        self._control(_EXITS, 2, ffi.new("uint64_t[]", list(addresses)), ffi.cast("size_t", len(addresses)))

    def weigh_down(self, begin: int, end: int) -> None:
        """Make code from *begin* to *end*, both included, translate into shorter blocks.

        Each instruction there gets a call of a C function that does nothing: a few nanoseconds, and more
        operations, of which a block holds a limited number.
        """
        self.hook_idly(_HOOK_CODE, begin, end)

    def hook_idly(self, kind: int, begin: int, end: int) -> Callable[[], None]:
        """Have a hook that does nothing, for what its being there changes; the result removes it."""
        hook = self._hook(kind, ffi.addressof(self._library, "uc_errno"), begin, end)
        return lambda: _check(self._library.uc_hook_del(self._handle, hook), "remove a hook")

    def before_exception(self, decide: Callable[[int], bool]) -> bool:
        """Call *decide(number)* for each CPU exception while the PC is still exact; True ends the run there.

        The run then ends with INVALID_INSTRUCTION. Returns False, with nothing changed, if that can't be had.
        """
        raw = self._callback("int(void *, int)", lambda _engine, number: decide(number), 1)
        if not self._internals.set_stop_interrupt(raw):
            return False
        # With no hook at all an exception that goes on would end the run.
        self.hook_idly(_HOOK_INTERRUPT, 1, 0)
        return True

    def _callback(self, signature: str, function: Callable[..., Any], refused: Any = None) -> Any:
        raw = ffi.callback(signature, function, error=refused, onerror=self._fail)
        self._keep.append(raw)
        return raw

    def _hook(self, kind: int, raw: Any, begin: int = 1, end: int = 0, *extra: Any) -> int:
        identity = ffi.new("size_t *")
        callback = ffi.cast("void *", raw)
        code = self._library.uc_hook_add(self._handle, identity, kind, callback, ffi.NULL, begin, end, *extra)
        _check(code, f"add hook {kind:#x}")
        return int(identity[0])

    def _fail(self, _type: type[BaseException], error: BaseException, _traceback: TracebackType) -> None:
        self._failure = error
        self.stop()

    # --- registers ----------------------------------------------------------------------------------------

    def batch(self, registers: Sequence[Register]) -> Batch:
        """Prepare to read or write *registers*, none wider than 64 bits, together."""
        return Batch(self._library, self._handle, registers)

    def wide_batch(self, registers: Sequence[Register]) -> WideBatch:
        """Prepare to read or write *registers* of any width together."""
        return WideBatch(self._library, self._handle, registers)

    def read(self, register: Register) -> int:
        """Return one register's value, unsigned."""
        words = self._words
        words[0] = words[1] = 0
        _check(self._read(self._handle, register.id, words), "read a register")
        value: int = words[0] | words[1] << 64
        return value

    def write(self, register: Register, value: int) -> None:
        """Set one register; *value* is cut to its width."""
        value &= (1 << 8 * register.size) - 1
        words = self._words
        words[0], words[1] = value & _LOW, value >> 64
        _check(self._write(self._handle, register.id, words), "write a register")

    def write_structure(self, identity: int, packed: bytes) -> None:
        """Set a pseudo-register whose value is one of Unicorn's structures."""
        code = self._library.uc_reg_write(self._handle, identity, ffi.from_buffer(packed.ljust(64, b"\0")))
        _check(code, f"write pseudo-register {identity}")

    # --- whole contexts -----------------------------------------------------------------------------------

    def save_context(self, context: Any = None) -> Any:
        """Copy the whole CPU state into *context*, or into a new one; it is valid in this process only."""
        if context is None:
            slot = ffi.new("void **")
            _check(self._library.uc_context_alloc(self._handle, slot), "allocate a context")
            context = ffi.gc(slot[0], self._library.uc_context_free)
        _check(self._library.uc_context_save(self._handle, context), "save a context")
        return context

    def context_words(self, context: Any) -> Any:
        """Return the 32-bit words of *context*, to be read or changed in place; the layout is private."""
        size = self._library.uc_context_size(self._handle) & ~3
        return memoryview(ffi.buffer(context, size)).cast("I")

    def restore_context(self, context: Any) -> None:
        """Set the whole CPU state from one that `save_context` returned."""
        _check(self._library.uc_context_restore(self._handle, context), "restore a context")
