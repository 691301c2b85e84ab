"""The one file that loads Unicorn, through cffi's ABI mode.

The `unicorn` Python package is never imported: it costs 100 ms, and its calls five times those made here.
"""

from __future__ import annotations

import os
from functools import cache
from importlib.machinery import PathFinder
from typing import Any

from compat.cpu._unicorn import ffi
from compat.errors import CompatError, Unsupported

__all__ = ["OK", "EngineError", "check", "library"]

OK = 0


class EngineError(CompatError):
    """Unicorn refused a call that must not fail."""


@cache
def library() -> Any:
    """The library of the installed package `unicorn`. Raises Unsupported."""
    spec = PathFinder.find_spec("unicorn")
    for package in (spec and spec.submodule_search_locations) or ():
        folder = os.path.join(package, "lib")
        for name in os.listdir(folder) if os.path.isdir(folder) else ():
            if name.startswith("libunicorn.") and not name.endswith(".a"):
                return ffi.dlopen(os.path.join(folder, name), ffi.RTLD_LAZY)  # of its 30,000 symbols few are called
    raise Unsupported("the package 'unicorn' (2.1.4 or later) is not installed, or has no library for this machine")


def check(code: int, what: str) -> None:
    """Raise EngineError unless *code* is OK; *what* was to be done."""
    if code != OK:
        raise EngineError(f"unicorn: {what}: {ffi.string(library().uc_strerror(code)).decode()}")
