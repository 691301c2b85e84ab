"""`compat trace` as a command; what it prints is tested beside compat.trace."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.command import compat, refuses, sample


def test_the_trace_goes_to_stderr_and_the_guest_to_its_own_streams() -> None:
    done = compat("trace", sample("hello"))
    assert (done.returncode, done.stdout) == (0, "hello, world\n")
    assert "write(1, " in done.stderr or "writev(1, " in done.stderr


def test_the_trace_goes_to_a_file(tmp_path: Path) -> None:
    output = tmp_path / "trace"
    done = compat("trace", "--json", "-e", "exit_group", "-o", str(output), sample("status"))
    assert (done.returncode, done.stderr) == (42, "")
    calls = [json.loads(line).get("call") for line in output.read_text().splitlines()]
    assert set(calls) <= {"exit_group", None}


def test_a_summary_counts() -> None:
    assert "exit_group" in compat("trace", "-c", sample("hello")).stderr


def test_what_is_asked_wrongly() -> None:
    refuses(compat("trace", "-e", "nonsense", sample("hello")), 126, "nonsense")
    refuses(compat("trace", "-o", "/nonexistent/x", sample("hello")), 126, "/nonexistent/x")
    refuses(compat("trace"), 2, "PROGRAM is missing")
