"""The trace as JSON Lines: one object a line, one schema for every guest (`SCHEMA`, JSON Schema 2020-12).

    {"time": 1.5, "pid": 7, "tid": 7, "call": "read", "number": 0, "state": "done",
     "args": {"fd": {"value": 3, "text": "3"}, "buf": {"value": 4096, "text": "\\"hi\\""}, "count": …},
     "result": 2, "error": null, "host": [{"call": "read", "args": [4, …], "result": "hi"}], "duration": 1e-05}
    {"time": 1.6, "pid": 7, "tid": 7, "signal": "SIGSEGV", "code": "SEGV_MAPERR", "fields": {"addr": 16}}
    {"time": 1.7, "pid": 7, "status": 0, "killed": null}

"result" is null for a call that did not return or failed; "error" is the guest's errno name, or the kernel's word for
how an interrupted call goes on (ERESTARTSYS). Times are in seconds, since 1970 or as a span. Bytes are Latin-1 text.
"""

from __future__ import annotations

import json

from compat.trace.events import CallEvent, EndEvent, HostCall, SignalEvent
from compat.trace.writer import Writer

__all__ = ["SCHEMA", "Records"]


class Records:
    """Prints events for tools."""

    def __init__(self, writer: Writer) -> None:
        self._write = writer.line

    def call(self, event: CallEvent) -> None:
        self._print(
            time=event.time,
            pid=event.pid,
            tid=event.tid,
            call=event.call,
            number=event.number,
            state=event.state,
            args={each.name: {"value": each.value, "text": each.text} for each in event.args},
            result=event.result,
            error=event.error or event.restart or None,
            host=[_host_call(each) for each in event.host],
            duration=event.duration,
        )

    def signal(self, event: SignalEvent) -> None:
        fields = dict(event.fields)
        self._print(time=event.time, pid=event.pid, tid=event.tid, signal=event.signal, code=event.code, fields=fields)

    def end(self, event: EndEvent) -> None:
        self._print(time=event.time, pid=event.pid, status=event.status, killed=event.signal or None)

    def _print(self, **members: object) -> None:
        self._write(json.dumps(members, default=_plain))


def _host_call(call: HostCall) -> dict[str, object]:
    """One host call: "error" where it failed, "result" where not."""
    shown: dict[str, object] = {"call": call.call, "args": list(call.args)}
    if call.paths:
        shown["paths"] = list(call.paths.values())
    return {**shown, "error": call.error} if call.error else {**shown, "result": call.result}


def _plain(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


_NAME = {"type": "string", "minLength": 1}
_NAME_OR_NULL = {"type": ["string", "null"], "minLength": 1}
_COUNT = {"type": "integer", "minimum": 0}
_SECONDS = {"type": "number", "minimum": 0}
_WHO = {"time": _SECONDS, "pid": _COUNT, "tid": _COUNT}


def _object(**properties: object) -> dict[str, object]:
    """An object with exactly these members."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_ARGUMENT = _object(value={"type": ["integer", "string", "null"]}, text={"type": "string"})
_HOST_CALL = {
    **_object(call=_NAME, args={"type": "array"}, paths={"type": "array", "items": _NAME}, result={}, error=_NAME),
    "required": ["call", "args"],
}
SCHEMA: dict[str, object] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "One line of compat trace --json",
    "oneOf": [
        _object(
            **_WHO,
            call=_NAME,
            number={"type": "integer"},
            state={"enum": ["done", "partly", "refused", "known", "unknown"]},
            args={"type": "object", "additionalProperties": _ARGUMENT},
            result={"type": ["integer", "null"]},
            error=_NAME_OR_NULL,
            host={"type": "array", "items": _HOST_CALL},
            duration=_SECONDS,
        ),
        _object(**_WHO, signal=_NAME, code=_NAME, fields={"type": "object"}),
        _object(time=_SECONDS, pid=_COUNT, status={"type": ["integer", "null"]}, killed=_NAME_OR_NULL),
    ],
}
"""What every line is."""
