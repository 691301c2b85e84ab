"""What README promises exists: its commands, the options it names, the files it links to."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from compat.cli.calls import CALLS
from compat.cli.granting import RUN
from compat.cli.info import INFO
from compat.cli.options import Command, parse
from compat.cli.trace import TRACE

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = {command.name: command for command in (RUN, TRACE, INFO, CALLS)}
FOREIGN = {"--add-architecture"}
"""Options of other programs that README names."""


def command_lines() -> list[list[str]]:
    """The words of every `compat …` that README shows as a command to type."""
    blocks = [line for line in README.splitlines() if line.startswith("    ") and "──" not in line]
    found = [re.search(r"\bcompat (run|trace|info|calls)\b.*", line) for line in blocks]
    return [shlex.split(match[0], comments=True)[1:] for match in found if match]


@pytest.mark.parametrize("words", command_lines(), ids=" ".join)
def test_a_command_is_understood(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sysroot").mkdir()
    monkeypatch.chdir(tmp_path)
    _, rest = parse(COMMANDS[words[0]], words[1:])
    for word in rest:
        assert not word.startswith("samples/") or (ROOT / word).is_file()


def names(command: Command) -> set[str]:
    return {name for option in command.options for name in option.names}


def test_the_options_exist() -> None:
    known = set().union(*(names(command) for command in COMMANDS.values()))
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", README)) <= known | FOREIGN


def test_the_files_it_links_to_exist() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert links
    assert all((ROOT / link).is_file() for link in links)


def test_what_must_pass_is_what_it_says() -> None:
    (command,) = re.findall(r"^    (pip install .*pytest)$", README, re.MULTILINE)
    assert f'"{command}"' in (ROOT / ".ci/run").read_text("utf-8")
