"""What a Unicorn engine calls while it runs. Exceptions that a hook raises stop the engine and come out of its run."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

from compat.cpu._unicorn import ffi
from compat.cpu.internals import Internals
from compat.cpu.library import check

__all__ = ["HOOK_FETCH_REFUSED", "Hooks"]

_HOOK_INTERRUPT, _HOOK_INSTRUCTION, _HOOK_CODE = 1 << 0, 1 << 1, 1 << 2
HOOK_FETCH_REFUSED, _HOOK_INVALID, _HOOK_BLOCK_MADE, _HOOK_TLB_FILL = 1 << 9, 1 << 14, 1 << 15, 1 << 17
_FIRST_ACCESS = 16
"""UC_MEM_READ; write and fetch follow it, so 1 << (type - 16) is the access as R=1 W=2 X=4."""


class Hooks:
    """The hooks of the engine *handle*, whose RAM Unicorn has from *base* on."""

    def __init__(self, library: Any, handle: Any) -> None:
        self._library = library
        self._handle = handle
        self._base = 0
        self._keep: list[object] = []
        self._failure: BaseException | None = None
        self._internals: Internals

    def stop(self) -> None:
        """End the run, from a hook (behind the current instruction) or from another host thread."""
        self._library.uc_emu_stop(self._handle)

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

    def weigh_down(self, begin: int, end: int) -> None:
        """Make code from *begin* to *end*, both included, translate into shorter blocks.

        Each instruction there gets a call of a C function that does nothing: a few nanoseconds, and more
        operations, of which a block holds a limited number.
        """
        self.hook_idly(_HOOK_CODE, begin, end)

    def hook_idly(self, kind: int, begin: int, end: int) -> Callable[[], None]:
        """Have a hook that does nothing, for what its being there changes; the result removes it."""
        hook = self._hook(kind, ffi.addressof(self._library, "uc_errno"), begin, end)
        return lambda: check(self._library.uc_hook_del(self._handle, hook), "remove a hook")

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
        check(code, f"add hook {kind:#x}")
        return int(identity[0])

    def _fail(self, _type: type[BaseException], error: BaseException, _traceback: TracebackType) -> None:
        self._failure = error
        self.stop()
