"""Facts on a PE file, for `compat info`."""

from __future__ import annotations

from typing import Any

from compat.abi.abi import Abi
from compat.abi.apisets import library_name
from compat.errors import BadFile
from compat.image import Image
from loaders.foreign_mz import mz_words
from loaders.pe_exports import exports_of
from loaders.pe_file import PeFile
from loaders.pe_imports import libraries_of
from loaders.pe_version import file_version
from loaders.source import Source

__all__ = ["pe_facts", "windows_facts"]


def pe_facts(source: Source) -> dict[str, Any]:
    """`format`, `entry` (an address), `libraries` (name → number of imports), `delayed` (those loaded on first use),
    `exports` (their number), `version`; empty where there is no PE, `damage` is a sentence on one that is damaged."""
    facts: dict[str, Any] = {"format": "PE"}
    try:
        file = PeFile(source)
        facts["format"] = "PE32+" if file.header.plus else "PE32"
        if file.header.entry:
            facts["entry"] = file.header.base + file.header.entry
        libraries = libraries_of(file)
        facts["libraries"] = {library.name: len(library.imports) for library in libraries}
        facts["delayed"] = [library.name for library in libraries if library.delayed]
        exports, version = exports_of(file), file_version(file)
    except BadFile as error:
        return facts | {"damage": str(error)} if "entry" in facts else {}
    if exports is not None:
        facts["exports"] = len(exports.exports)
    if version is not None:
        facts["version"] = ".".join(map(str, version))
    return facts


def windows_facts(source: Source, image: Image) -> dict[str, Any]:
    """What `pe_facts` tells of a file that compat runs; `sentence` on what it is, `obstacles`, and `unwritten`: its
    imports that nobody has written yet, as `library!name`."""
    facts = {"sentence": mz_words(source, source.read(0, 64))[0], "obstacles": [], **pe_facts(source)}
    if image.kind == "shared-library":
        facts["obstacles"] = ["it is a library (DLL), not a program"]
    if "damage" in facts:
        facts["obstacles"] = [facts["damage"]]
    facts["unwritten"] = [] if facts["obstacles"] else _unwritten(source, Abi(image.guest, image.cpu))
    return facts


def _unwritten(source: Source, abi: Abi) -> list[str]:
    found = []
    for library in libraries_of(PeFile(source)):
        name = library_name(abi.tables.grids["apisets"], library.name)
        for wanted in library.imports:
            key = f"{name}!{wanted.name or f'#{wanted.number}'}"
            row = abi.tables.rows.get(key)
            if row is None or row.state == "known":
                found.append(key)
    return sorted(set(found))
