"""`compat info`: what a file is, what it needs, and whether it will run."""

from __future__ import annotations

import json
import os
from typing import Any

from compat.cli.facts import facts_of
from compat.cli.foreign import foreign_facts
from compat.cli.granting import DEBUG, GRANTS, guest_environment, guest_options
from compat.cli.options import Command, Option, Values
from compat.cli.page import as_object, as_text
from compat.cli.program import first_view, interpreter_of, locate, opened_program
from compat.cli.refusals import USAGE, Refusal
from compat.cli.windows import windows_facts
from compat.errors import CompatError
from compat.guest import load_image
from compat.host import Host
from compat.image import Image, Script
from compat.sandbox.view import FileView
from loaders.source import Source, printable

__all__ = ["INFO", "info"]

INFO = Command(
    "info",
    "PROGRAM",
    "Tell what a file is, what it needs, and whether it will run.",
    (
        *(option for option in GRANTS if option.key in ("sysroot", "mount", "trust")),
        Option(("--json",), "", "write one JSON object"),
        DEBUG,
    ),
    notes="The exit status is 0 if the program should run, 1 if it can't, 127 if there is no such file.",
)

_CANNOT = 1


def info(values: Values, words: list[str]) -> int:
    """Print the facts of one file; returns 0 if it should run."""
    if len(words) != 1:
        raise Refusal("info: give the name of one PROGRAM; see `compat info --help`", USAGE)
    name = words[0]
    ungiven: Values = {option.key: [] if option.repeat else None for option in GRANTS}
    options, host = guest_options(ungiven | values), Host()
    located = locate(name, options, guest_environment(options, os.environ)["PATH"], host)
    with opened_program(name, located.path) as fd, first_view(options, host) as view:
        try:
            found = load_image(fd, os.fsencode(name))
        except CompatError as error:
            facts = {"path": name, "runs": False, "obstacles": [str(error)], **foreign_facts(located.path)}
            return _tell(facts, [str(error), *_foreign_lines(facts)], as_json=values["json"])
        if isinstance(found, Script):
            return _tell_script(view, name, found, as_json=values["json"])
        if found.format == "pe":
            return _tell_windows(name, Source.of_descriptor(fd, name), found, as_json=values["json"])
        known = facts_of(Source.of_descriptor(fd, name), found, located.canonical, view)
    return _tell(as_object(name, known), as_text(name, known).splitlines(), as_json=values["json"])


def _tell(facts: dict[str, Any], lines: list[str], *, as_json: bool) -> int:
    print(json.dumps(facts) if as_json else "\n".join(lines))
    return 0 if facts["runs"] else _CANNOT


def _tell_windows(name: str, source: Source, found: Image, *, as_json: bool) -> int:
    facts: dict[str, Any] = {"path": name, "runs": True, "obstacles": [], "system": found.guest, "cpu": found.cpu}
    facts |= windows_facts(source, found)
    verdict = "It should run."
    if facts["obstacles"]:
        facts["runs"], verdict = False, f"It can't run: {facts['obstacles'][0]}."
    elif facts["unwritten"]:
        verdict = "It should run, unless it calls what is not written yet."
    lines = [f"{printable(name)} is {facts.pop('sentence')}", *_foreign_lines(facts)]
    lines += [f"  not written {each}" for each in facts["unwritten"]]
    return _tell(facts, [*lines, "", verdict], as_json=as_json)


def _foreign_lines(facts: dict[str, Any]) -> list[str]:
    lines = [f"  entry       {facts['entry']:#x}"] if "entry" in facts else []
    if "version" in facts:
        lines.append(f"  version     {facts['version']}")
    for library, count in facts.get("libraries", {}).items():
        late = ", loaded on first use" if library in facts.get("delayed", ()) else ""
        lines.append(f"  library     {printable(library)}" + (_imports(count) + late if count is not None else ""))
    if "exports" in facts:
        lines.append(f"  exports     {facts['exports']}")
    return [*lines, f"  damaged     {facts['damage']}"] if "damage" in facts else lines


def _imports(count: int) -> str:
    return ": 1 import" if count == 1 else f": {count} imports"


def _tell_script(view: FileView, name: str, script: Script, *, as_json: bool) -> int:
    wanted = os.fsdecode(script.interpreter)
    facts: dict[str, Any] = {"path": name, "format": "script", "interpreter": wanted, "obstacles": []}
    try:
        image = interpreter_of(view, script, name)
        facts |= {"cpu": image.cpu, "system": image.guest}
        verdict = f"It should run if {printable(wanted)} does: see `compat info {printable(wanted)}`."
    except CompatError as error:
        facts["obstacles"] = [str(error)]
        verdict = f"It can't run yet: {error}."
    facts["runs"] = not facts["obstacles"]
    argument = f" with the argument {printable(script.argument)}" if script.argument else ""
    return _tell(
        facts,
        [printable(name), f"  format      script for {printable(wanted)}{argument}", "", verdict],
        as_json=as_json,
    )
