"""`compat calls`: the manual and the coverage of the calls, read off the tables."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from compat.abi.abi import Abi
from compat.cli.coverage import STATES, Entry, cpu_names, entries, grid_text, guest_cpus, summary
from compat.cli.granting import DEBUG, TABLES
from compat.cli.manual import describe, description
from compat.cli.options import Command, Option, Values
from compat.cli.refusals import USAGE, Refusal
from compat.cli.table import show_table
from loaders.detect import GUESTS

__all__ = ["CALLS", "calls"]

_NOTES = """
Without names: every call that the CPU has, by number, with its state: done, partly, refused (on purpose, with that
error), or known (not written yet: the guest gets its system's own "not implemented").

With names, or numbers: the manual of each, with its arguments, the names of its flags, the layout of its structs, its
variants, and its number on every CPU. A variant is written fcntl/F_DUPFD.
"""


def _guest(text: str) -> str:
    if text not in GUESTS:
        raise ValueError(f"a guest; there is {', '.join(sorted(GUESTS))}")
    return text


def _cpu(text: str) -> str:
    if text not in cpu_names():
        raise ValueError(f"a CPU; there are {', '.join(cpu_names())}")
    return text


def _state(text: str) -> str:
    if text not in STATES:
        raise ValueError(f"a state; there are {', '.join(STATES)}")
    return text


CALLS = Command(
    "calls",
    "[NAME…]",
    "Show the calls a guest may make, and what becomes of them.",
    (
        Option(("--guest",), "GUEST", "whose calls (linux)", read=_guest),
        Option(("--cpu",), "CPU", "on which CPU (x86-64)", read=_cpu),
        Option(
            ("--state",), "STATE", "only calls in this state; may be given more than once", repeat=True, read=_state
        ),
        Option(("--summary",), "", "how many calls are in each state, for every CPU"),
        Option(("--grid",), "", "the state of every call on every CPU, as a table for tools"),
        Option(("--json",), "", "write JSON Lines, an object for each call"),
        TABLES,
        DEBUG,
    ),
    notes=_NOTES,
)


def calls(values: Values, names: list[str]) -> int:
    """Print what was asked for."""
    guest, cpu = values["guest"] or "linux", values["cpu"]
    tables = values["tables"]
    cpus = [cpu] if cpu else guest_cpus(guest)
    if values["grid"]:
        sys.stdout.write(grid_text(guest, cpus, tables))
    elif values["summary"]:
        _show_summary(summary(guest, cpus, tables), as_json=values["json"])
    else:
        abi = Abi(guest, cpu or "x86-64", tables)
        if names:
            _show_manual(abi, [_find(abi, name) for name in names], as_json=values["json"])
        else:
            wanted = values["state"] or STATES
            _show_list([entry for entry in entries(abi) if entry.state in wanted], as_json=values["json"])
    return 0


def _show_summary(counts: Sequence[dict[str, object]], *, as_json: bool) -> None:
    if as_json:
        for count in counts:
            print(json.dumps(count))
        return
    rows = []
    for count in counts:
        row = [str(count["cpu"])]
        for kind in ("calls", "cases"):
            numbers = count[kind]
            assert isinstance(numbers, dict)
            row += [*map(str, numbers.values()), str(sum(numbers.values()))]
        rows.append(row)
    headers = ["cpu", *STATES, "calls", *(f"/{state}" for state in STATES), "cases"]
    show_table(headers, rows, right=range(1, len(headers)))


def _show_list(found: Sequence[Entry], *, as_json: bool) -> None:
    if as_json:
        for entry in found:
            print(json.dumps(description(entry)))
        return
    rows = [
        [
            "" if entry.number is None else str(entry.number),
            entry.state,
            entry.support,
            entry.place,
            entry.signature + (f'  "{entry.note}"' if entry.note else ""),
        ]
        for entry in found
    ]
    show_table(["number", "state", "shim", "row", "call"], rows, right=[0])


def _show_manual(abi: Abi, found: Sequence[Entry], *, as_json: bool) -> None:
    for position, entry in enumerate(found):
        if as_json:
            print(json.dumps(description(entry)))
        else:
            sys.stdout.write(("\n" if position else "") + describe(abi, entry))


def _find(abi: Abi, name: str) -> Entry:
    """The call that the user calls *name*: its name, its name and case, or its number."""
    if name.isascii() and name.isdigit() and len(name) < 10:
        name = abi.names.get(int(name), name)
    call, _, case = name.partition("/")
    if case:
        row = abi.tables.cases.get(call, {}).get(case)
        if row is not None:
            return Entry(name, None, row)
    elif call in abi.tables.rows or call in abi.numbers:
        return Entry(call, abi.numbers.get(call), abi.tables.rows.get(call))
    raise Refusal(f"calls: {abi.guest} on {abi.cpu.name} has no call {name!r}{_near(abi, name)}", USAGE)


def _near(abi: Abi, name: str) -> str:
    import difflib

    keys = [entry.key for entry in entries(abi)]
    found = difflib.get_close_matches(name, keys, 1)
    return f"; did you mean {found[0]}?" if found else ""
