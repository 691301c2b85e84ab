"""The facts of `compat info` as lines for people and as one object for tools."""

from __future__ import annotations

import os
from collections import Counter
from textwrap import fill
from typing import Any

from compat.cli.coverage import STATES
from compat.cli.facts import Facts
from compat.image import Image
from loaders.elf_brands import OS_NAMES
from loaders.source import printable

__all__ = ["as_object", "as_text"]

_WIDTH = 100
_LABEL = 14


def as_text(name: str, facts: Facts) -> str:
    """The page: what it is, what it needs, what it calls, and whether it should run."""
    lines = [printable(name), *_what(facts.image), *_needs(facts), *_calls(facts)]
    lines += [_line("remark", remark) for remark in facts.image.remarks]
    return "\n".join([*lines, "", fill(_verdict(facts), _WIDTH)]) + "\n"


def _line(label: str, text: str) -> str:
    return fill(text, _WIDTH, initial_indent=f"  {label}".ljust(_LABEL), subsequent_indent=" " * _LABEL)


def _what(image: Image) -> list[str]:
    elf = image.elf
    details = [elf.abi, elf.float_abi and f"{elf.float_abi} float", elf.isa, *elf.properties]
    cpu = ", ".join(filter(None, [image.cpu, *details]))
    size = sum(segment.memory_size for segment in image.segments)
    stack = {True: ", executable stack", False: "", None: ", stack unmarked"}[image.stack_executable]
    return [
        _line("format", f"ELF, {image.kind.replace('-', ' ')}"),
        _line("system", OS_NAMES[image.guest] + (f" ({image.brand})" if image.brand else "")),
        _line("CPU", cpu),
        _line("memory", f"{-(-size // 1024)} KiB in {len(image.segments)} segments{stack}"),
    ]


def _needs(facts: Facts) -> list[str]:
    image, lines = facts.image, []
    if image.interpreter is not None:
        found = "found" if facts.interpreter_found else "missing"
        lines.append(_line("loader", f"{os.fsdecode(image.interpreter)}: {found}"))
    for library in facts.libraries:
        where = library.path or f"missing (wanted by {library.wanted_by})"
        lines.append(_line("library", f"{library.name}: {where}"))
    return lines + [_line("imports", text) for text in _imports(facts)]


def _imports(facts: Facts) -> list[str]:
    """One line for each library and one for the imports that name none."""
    texts = []
    for library in sorted({wanted.library or "" for wanted in facts.imports}):
        wanted = [each for each in facts.imports if (each.library or "") == library]
        versions = sorted({each.version for each in wanted if each.version}, key=_natural)
        of = f" from {library}" if library else ""
        newest = f", up to {versions[-1]}" if versions else ""
        weak = sum(each.weak for each in wanted)
        texts.append(f"{len(wanted)} symbols{of}{newest}" + (f" ({weak} weak)" if weak else ""))
    return texts


def _natural(version: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in version.replace("_", ".").split(".")]


def _calls(facts: Facts) -> list[str]:
    seen = "its imports and its code name" if facts.image.interpreter else "constant numbers in its code name"
    if not facts.calls:
        return [_line("calls", "none are named in its code; they can only be seen by running it (`compat trace -c`)")]
    states = Counter(entry.state for entry in facts.calls)
    counts = ", ".join(f"{states[state]} {state}" for state in STATES if states[state])
    lines = [_line("calls", f"{seen} {len(facts.calls)}: {counts}; there may be more")]
    for state in ("partly", "refused", "known"):
        for entry in facts.calls:
            if entry.state == state:
                why = f" ({entry.note})" if entry.note else ""
                lines.append(_line("", f"{state.ljust(7)} {entry.key}{why}"))
    return lines


def _verdict(facts: Facts) -> str:
    if not facts.runs:
        advice = "" if facts.interpreter_found is not False else "; give --sysroot a folder that has what it needs"
        return f"It can't run yet: {'; '.join(facts.obstacles)}{advice}."
    if facts.doubts:
        return f"It should run, but may stumble: {'; '.join(facts.doubts)}."
    return "It should run."


def as_object(name: str, facts: Facts) -> dict[str, Any]:
    """The same facts, all of them."""
    image = facts.image
    return {
        "path": name,
        "runs": facts.runs,
        "obstacles": facts.obstacles,
        "doubts": facts.doubts,
        "format": image.format,
        "kind": image.kind,
        "system": image.guest,
        "brand": image.brand,
        "cpu": image.cpu,
        "abi": image.elf.abi,
        "float_abi": image.elf.float_abi,
        "isa": image.elf.isa,
        "entry": image.entry,
        "interpreter": None if image.interpreter is None else os.fsdecode(image.interpreter),
        "interpreter_found": facts.interpreter_found,
        "libraries": [{"name": x.name, "wanted_by": x.wanted_by, "path": x.path or None} for x in facts.libraries],
        "imports": [
            {"name": x.name, "library": x.library, "version": x.version, "weak": x.weak} for x in facts.imports
        ],
        "calls": {entry.key: entry.state for entry in facts.calls},
        "remarks": list(image.remarks),
    }
