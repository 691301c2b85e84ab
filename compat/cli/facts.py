"""What `compat info` finds out about a program: what it is, what it needs, and what it will call."""

from __future__ import annotations

import os
from collections.abc import Iterable

from compat.abi.abi import Abi
from compat.cli.coverage import Entry
from compat.cli.libraries import Library, libraries_of, open_image
from compat.cli.scan import numbers_in
from compat.data import dataclass, field
from compat.errors import BadFile
from compat.image import Image
from compat.sandbox.view import FileView
from loaders.elf_imports import Import, imports_of
from loaders.source import Source

__all__ = ["Facts", "facts_of"]

_BEYOND_THE_CPU = ("x86-64-v3", "x86-64-v4")
"""Levels of the x86-64 psABI that need AVX, which the CPU lacks."""


@dataclass
class Facts:
    """*interpreter_found* is None for a program without one. *calls* are those its code or its imports show; *other*
    counts imported functions that are no calls. *obstacles* are why it can't run, *doubts* what it may miss."""

    image: Image
    interpreter_found: bool | None = None
    libraries: list[Library] = field(default_factory=list)
    imports: tuple[Import, ...] = ()
    calls: list[Entry] = field(default_factory=list)
    obstacles: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    @property
    def runs(self) -> bool:
        return not self.obstacles


def facts_of(source: Source, image: Image, path: bytes, view: FileView) -> Facts:
    """The facts of *image*, read from *source* and called *path* by the guest, among the files of *view*."""
    abi = Abi(image.guest, image.cpu)
    facts = Facts(image)
    if image.kind == "shared-library":
        facts.obstacles.append("it is a library, not a program")
    if image.elf.isa in _BEYOND_THE_CPU:
        facts.obstacles.append(f"it needs {image.elf.isa}, and compat's x86-64 has no AVX")
    try:
        facts.imports = imports_of(source).imports
    except BadFile as error:
        facts.doubts.append(str(error))
    if image.interpreter is not None:
        _look_for_libraries(facts, view, path)
    names = {wanted.name for wanted in facts.imports}
    numbers = {abi.numbers[name] for name in names if name in abi.numbers}
    numbers |= numbers_in(source, image, abi.cpu)
    facts.calls = _known(abi, numbers)
    lacking = [entry.key for entry in facts.calls if entry.state == "known"]
    if lacking:
        facts.doubts.append(f"calls not written yet: {', '.join(lacking)}")
    return facts


def _look_for_libraries(facts: Facts, view: FileView, path: bytes) -> None:
    image = facts.image
    interpreter = image.interpreter or b""
    found = open_image(view, interpreter)
    facts.interpreter_found = found is not None and found.cpu == image.cpu
    if not facts.interpreter_found:
        why = "is missing" if found is None else f"is one for {found.cpu}"
        facts.obstacles.append(f"its dynamic loader {os.fsdecode(interpreter)} {why}")
    facts.libraries = libraries_of(view, image, path)
    missing = [library.name for library in facts.libraries if not library.path]
    if missing:
        facts.obstacles.append(f"{_plural(len(missing), 'library is', 'libraries are')} missing: {', '.join(missing)}")


def _plural(count: int, one: str, many: str) -> str:
    return f"a {one}" if count == 1 else f"{count} {many}"


def _known(abi: Abi, numbers: Iterable[int]) -> list[Entry]:
    """The calls with these numbers; numbers that are none were no calls."""
    return [
        Entry(abi.names[number], number, abi.tables.rows.get(abi.names[number]))
        for number in sorted(set(numbers) & abi.names.keys())
    ]
