"""Facts on a PE file, for `compat info`."""

from __future__ import annotations

from typing import Any

from compat.errors import BadFile
from loaders.pe_exports import exports_of
from loaders.pe_file import PeFile
from loaders.pe_imports import libraries_of
from loaders.pe_version import file_version
from loaders.source import Source

__all__ = ["pe_facts"]


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
