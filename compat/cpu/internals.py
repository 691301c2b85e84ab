"""What Unicorn keeps to itself, in its structure `uc_struct` and in its library: found by what lies around it.

The facts are those of Unicorn 2.1.4's `uc_priv.h` and `qemu/tcg/tcg-op.c`; no offset is written down here. What
isn't found where these facts say is left alone, and the caller is told.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from compat.cpu._unicorn import ffi

__all__ = ["Internals"]

_ENGINE_BYTES = 0x2000
"""How much of the engine's structure is searched; its jump buffers, behind the fields sought, are longer."""

_JUMP_BUFFERS = 0x1000
"""How many zero bytes must follow the flags among which `no_exit_request` is; the jump buffers are longer."""

_LIBRARY_BYTES = 1 << 26
"""More than the library's code is long: how near to each other its functions are."""

_RETURN = {"x86_64": b"\xc3", "aarch64": b"\xc0\x03\x5f\xd6"}
"""A host CPU's instruction that returns from a function."""


class Internals:
    """The private fields of one new *engine*, which has not run yet, and the private functions of *library*."""

    def __init__(self, library: Any, engine: Any) -> None:
        self._library = library
        self._engine = engine
        self._fault_offset: int | None = None
        self._exit_offset = self._find_exit_field()

    # --- the address of a fault ---------------------------------------------------------------------------

    def find_fault_field(self, jump: Callable[[int], object], probes: Sequence[int]) -> int:
        """Find `invalid_addr` by a *jump* to each of *probes*, which the fill hook must refuse.

        Returns how many fields may be the one; `fault_address` needs it to be 1.
        """
        candidates = set(range(0, _ENGINE_BYTES, 8))
        words = ffi.cast("uint64_t *", self._engine)
        for probe in probes:
            jump(probe)
            candidates = {offset for offset in candidates if words[offset // 8] == probe}
        self._fault_offset = min(candidates, default=None)
        return len(candidates)

    def fault_address(self) -> int | None:
        """Return the address of the access that was refused last; None before `find_fault_field`."""
        if self._fault_offset is None:
            return None
        return int(ffi.cast("uint64_t *", self._engine + self._fault_offset)[0])

    # --- where a request to stop is noticed ---------------------------------------------------------------

    def _find_exit_field(self) -> int | None:
        """Find `no_exit_request`, between `first_tb` and `init_done`, just before the jump buffers.

        These are zero until the first run.
        """
        data = bytes(ffi.buffer(ffi.cast("char *", self._engine), _ENGINE_BYTES + _JUMP_BUFFERS))
        flags = (b"\0\0\0\1\0\0\0\0", b"\0\1\0\1\0\0\0\0")
        places = [
            offset
            for offset in range(8, _ENGINE_BYTES, 8)
            if data[offset : offset + 8] in flags and not any(data[offset + 8 : offset + 8 + _JUMP_BUFFERS])
        ]
        return places[0] + 2 if len(places) == 1 else None

    def check_after_access(self, wanted: bool) -> bool:
        """Say whether code translated from now on asks after each load and store if it must stop.

        The field is meant for Thumb's IT blocks: where it is set, checks are left out of what is translated.
        Returns False, with nothing changed, if it was not found.
        """
        if self._exit_offset is None:
            return False
        ffi.cast("char *", self._engine)[self._exit_offset] = b"\0" if wanted else b"\1"
        return True

    def never_check_after_access_on_arm(self) -> bool:
        """Leave the checks out for good where the translator sets the field anew for each instruction: in Thumb.

        The library's function that adds a check (`check_exit_request`, exported with the CPU's name behind it) is
        made to return at once, in this process's copy of the library. Returns False, with nothing changed, where
        that can't be: another host CPU, or a host that keeps code as it is.
        """
        from compat.cpu.library_code import overwrite

        end = _RETURN.get(os.uname().machine)
        try:
            function = int(ffi.cast("uintptr_t", ffi.addressof(self._library, "check_exit_request_arm")))
        except AttributeError:
            return False
        return end is not None and overwrite(self._library, {function: end})

    # --- exceptions ---------------------------------------------------------------------------------------

    def set_stop_interrupt(self, function: Any) -> bool:
        """Let the C *function* decide for each exception whether the run ends there.

        Unicorn asks a function of the CPU family (`stop_interrupt`), or none: its place is known by the functions
        around it. Returns False, with nothing changed, if it is not found.
        """
        near = int(ffi.cast("uintptr_t", ffi.addressof(self._library, "uc_open")))
        words = ffi.cast("uintptr_t *", self._engine)
        kinds = "".join(
            "f" if abs(word - near) < _LIBRARY_BYTES else "0" if word == 0 else "." for word in ffi.unpack(words, 80)
        )
        places = [at for around in ("0" + "f" * 11 + own + "f" * 20 for own in "0f") for at in _all(kinds, around)]
        if len(places) != 1:
            return False
        words[places[0] + 12] = int(ffi.cast("uintptr_t", function))
        return True


def _all(text: str, part: str) -> list[int]:
    """Where *part* begins in *text*, except where what stands before or behind makes it longer."""
    return [at for at in range(len(text) - len(part) + 1) if text.startswith(part, at)]
