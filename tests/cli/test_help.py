"""Help, version, and what the user reads of a defect."""

from __future__ import annotations

import pytest

from compat.cli.refusals import HOST, INTERNAL, refusing
from tests.cli.command import compat


@pytest.mark.parametrize("command", ["run", "trace", "info", "calls"])
def test_every_command_explains_its_options(command: str) -> None:
    done = compat(command, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: compat {command} [options]")
    assert "--debug" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_the_overview_names_every_command() -> None:
    text = compat("--help").stdout
    assert all(f"compat {name} " in text for name in ("run", "trace", "info", "calls"))


def test_the_version_is_told() -> None:
    done = compat("--version")
    assert (done.returncode, done.stdout.split()[0]) == (0, "compat")


def fail(error: BaseException) -> int:
    raise error


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (KeyError("x"), INTERNAL, "defect of compat (KeyError: 'x')"),
        (RecursionError("deep\nand deeper"), INTERNAL, "RecursionError: deep and deeper"),
        (MemoryError(), HOST, "no memory is left"),
        (OSError(24, "Too many open files"), HOST, "Too many open files"),
    ],
)
def test_failures_are_sentences(error: Exception, status: int, told: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert refusing(lambda: fail(error), debug=False) == status
    text = capfd.readouterr().err
    assert told in text
    assert text.count("\n") == 1


def test_debug_shows_the_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    refusing(lambda: fail(KeyError("x")), debug=True)
    assert "Traceback (most recent call last)" in capfd.readouterr().err
