"""JSON Lines: every line of real runs is what the schema says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from compat.trace.records import SCHEMA
from tests.trace.traced import trace

_TYPES: dict[str, Any] = {
    "object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "null": type(None),
}  # fmt: skip


def fits(schema: dict[str, Any], value: object) -> bool:
    """The part of JSON Schema that SCHEMA uses."""
    if "oneOf" in schema:
        return sum(fits(each, value) for each in schema["oneOf"]) == 1
    if "enum" in schema and value not in schema["enum"]:
        return False
    names = schema.get("type", [])
    names = [names] if isinstance(names, str) else names
    if names and not any(isinstance(value, _TYPES[name]) and not isinstance(value, bool) for name in names):
        return False
    if isinstance(value, (int, float)) and value < schema.get("minimum", value):
        return False
    if isinstance(value, str) and len(value) < schema.get("minLength", 0):
        return False
    if isinstance(value, list) and "items" in schema:
        return all(fits(schema["items"], item) for item in value)
    return not isinstance(value, dict) or fits_members(schema, value)


def fits_members(schema: dict[str, Any], value: dict[str, object]) -> bool:
    known, rest = schema.get("properties", {}), schema.get("additionalProperties", True)
    if not set(schema.get("required", ())) <= value.keys():
        return False
    for name, member in value.items():
        wanted = known.get(name, rest)
        if wanted is False or (isinstance(wanted, dict) and not fits(wanted, member)):
            return False
    return True


def test_the_validator_refuses() -> None:
    assert not fits(SCHEMA, {"time": 1.0})
    assert not fits(SCHEMA, {"time": 1.0, "pid": 1, "status": 0, "killed": None, "more": 1})
    assert not fits(SCHEMA, {"time": 1.0, "pid": "1", "status": 0, "killed": None})
    assert fits(SCHEMA, {"time": 1.0, "pid": 1, "status": 0, "killed": None})


@pytest.mark.parametrize("sample", ["mips/files", "mips64/killed", "x86-64/processes", "ppc/wild", "s390x/signals"])
def test_every_line_fits_the_schema(sample: str, tmp_path: Path) -> None:
    lines, _ = trace(tmp_path, sample, "--json")
    assert len(lines) > 3
    wrong = [line for line in lines if not fits(SCHEMA, json.loads(line))]
    assert not wrong


def test_a_call(tmp_path: Path) -> None:
    lines, _ = trace(tmp_path, "mips/files", "--json", "-e", "open")
    events = [json.loads(line) for line in lines]
    created = next(event for event in events if "O_EXCL" in event.get("args", {}).get("flags", {}).get("text", ""))
    assert created["call"] == "open"
    assert created["number"] == 4005
    assert created["args"]["path"]["text"] == '"a"'
    assert created["args"]["flags"] == {
        "value": 0o20000 | 0o2000 | 0o400 | 2,
        "text": "O_RDWR|O_CREAT|O_EXCL|O_LARGEFILE",
    }
    assert created["args"]["mode"] == {"value": 0o640, "text": "0640"}
    assert (created["result"], created["error"]) == (3, None)
    opened = next(host for host in created["host"] if host["call"] == "openat")
    assert opened["paths"][0].endswith("/a")
    assert isinstance(opened["result"], int)
    failed = next(event for event in events if event.get("error") == "EEXIST")
    assert failed["result"] is None
    assert failed["host"][-1]["error"] == "EEXIST"
    assert events[-1]["status"] == 0


def test_a_signal(tmp_path: Path) -> None:
    lines, _ = trace(tmp_path, "mips64/killed", "--json")
    signal, end = (json.loads(line) for line in lines[-2:])
    assert (signal["signal"], signal["code"], signal["fields"]) == ("SIGSEGV", "SEGV_MAPERR", {"addr": 16})
    assert (end["status"], end["killed"]) == (None, "SIGSEGV")
