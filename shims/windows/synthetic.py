"""Synthetic images: a PE image in memory for each library that has a table, its exports bound to stubs."""

from __future__ import annotations

from compat.abi.rows import Row
from compat.memory import PAGE
from shims.windows.pe_builder import Export, build_image
from shims.windows.state import WindowsProcess
from shims.windows.stubs import Stubs

__all__ = ["map_synthetic", "spare_stub"]


def map_synthetic(process: WindowsProcess, library: str) -> int:
    """Make the image of *library*, which has a table; returns its base. Raises OSError(ENOMEM) without room."""
    stubs = Stubs(process.windows)
    exports = [_export(process, library, name) for name in sorted(process.libraries[library])]
    built = build_image(library, exports, stubs)
    memory = process.memory
    base = memory.map(len(built.data), 1, name=library.encode())
    memory.store(base, built.data)
    memory.protect(base + built.code[0], built.code[1], 5)
    process.modules[base] = len(built.data), library
    return base


def _export(process: WindowsProcess, library: str, name: str) -> Export:
    """A stub that goes to the runtime where that has the function, first to the host if the call is to be seen."""
    row = process.imports.row(library, name)
    target = process.runtime.get(_symbol(row), 0) if row.in_runtime else 0
    number = process.imports.number(library, name) if process.traced or not target else None
    return Export(name, number, target)


def _symbol(row: Row) -> str:
    """What the runtime calls it: `= runtime.NAME` where that is not the row's own name."""
    return row.target.partition(".")[2] or row.name


def spare_stub(process: WindowsProcess, library: str, name: str) -> int:
    """The address of a stub outside of any image, for an import that no library exports."""
    code = Stubs(process.windows).trap(process.imports.number(library, name))
    page = process.spare_stubs
    if page is None or page[1] + len(code) > page[0] + PAGE:
        start = process.memory.map(PAGE, 5, name=b"[missing imports]")
        page = start, start
    process.memory.store(page[1], code)
    process.spare_stubs = page[0], page[1] + -(-len(code) // 16) * 16
    return page[1]
