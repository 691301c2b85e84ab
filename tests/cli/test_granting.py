"""What a guest is given of the user's environment, and the texts of sizes."""

from __future__ import annotations

import pytest

from compat.cli.granting import RUN, guest_environment, guest_options
from compat.cli.options import parse
from compat.cli.values import read_size

OWN = {"PATH": "/secret/bin", "TERM": "vt100", "LC_ALL": "C", "API_KEY": "secret", "HOME": "/home/me"}


def environment(*words: str) -> dict[str, str]:
    values, _ = parse(RUN, words)
    return guest_environment(guest_options(values), OWN)


def test_only_what_is_harmless_is_passed_on() -> None:
    assert environment() == {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "TERM": "vt100",
        "LC_ALL": "C",
        "HOME": "/home/me",
    }


def test_variables_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "secret")
    found = environment("--env", "A=1=2", "--env=TERM=", "--env", "API_KEY")
    assert (found["A"], found["TERM"], found["API_KEY"]) == ("1=2", "", "secret")


def test_trust_passes_everything() -> None:
    assert environment("--trust", "--env", "PATH=/x") == {**OWN, "PATH": "/x"}


@pytest.mark.parametrize(("text", "size"), [("1", 1), ("64K", 65536), ("2g", 2 << 30), ("1T", 1 << 40)])
def test_sizes(text: str, size: int) -> None:
    assert read_size(text) == size


@pytest.mark.parametrize("text", ["", "K", "1KB", "-1", "1.5G", "٣", "9" * 30, "99999999999999T"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError):
        read_size(text)
