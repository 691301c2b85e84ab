"""`compat info`: what a file is, what it needs, and whether it will run."""

from __future__ import annotations

import json
import os
from collections import Counter
from typing import Any

from compat.cli.coverage import STATES
from compat.cli.facts import Facts, facts_of
from compat.cli.granting import DEBUG, GRANTS, guest_environment, guest_options
from compat.cli.options import Command, Option, Values
from compat.cli.program import first_view, locate, opened_program
from compat.cli.refusals import USAGE, Refusal
from compat.errors import BadFile, CompatError
from compat.guest import load_image
from compat.host import Host
from compat.image import Image, Script
from loaders.source import Source, printable

__all__ = ["INFO", "info"]

_NEEDED = ("--sysroot", "--mount", "--trust")

INFO = Command(
    "info",
    "PROGRAM",
    "Tell what a file is, what it needs, and whether it will run.",
    (
        *(option for option in GRANTS if option.names[-1] in _NEEDED),
        Option(("--json",), "", "write one JSON object"),
        DEBUG,
    ),
    notes="The exit status is 0 if the program should run, 1 if it can't, 127 if there is no such file.",
)

_CANNOT = 1
Lines = list[tuple[str, str]]


def info(values: Values, words: list[str]) -> int:
    """Print the facts of one file; returns 0 if it should run."""
    if len(words) != 1:
        raise Refusal("info: give the name of one PROGRAM; see `compat info --help`", USAGE)
    empty = {option.key: [] if option.repeat else None for option in GRANTS}
    options = guest_options(empty | values)
    host = Host()
    located = locate(words[0], options, guest_environment(options, os.environ)["PATH"], host)
    with opened_program(words[0], located.path) as fd, first_view(options, host) as view:
        try:
            found = load_image(fd, os.fsencode(words[0]))
        except CompatError as error:
            return _tell_foreign(words[0], located.path, str(error), as_json=values["json"])
        if isinstance(found, Script):
            return _tell_script(words[0], found, view_has(view, found), as_json=values["json"])
        source = Source.of_descriptor(fd, words[0])
        facts = facts_of(source, found, located.canonical, view)
    if values["json"]:
        print(json.dumps(_object(words[0], facts)))
    else:
        _print(words[0], [*_what(found), *_needs(facts), *_calls(facts)], _verdict(facts))
    return 0 if facts.runs else _CANNOT
