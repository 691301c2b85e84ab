"""Some of Debian's stress-ng for arm64, of all classes; STRESS.md tells of all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real import stress_ng
from tests.real.running import Program


@pytest.fixture(scope="module")
def program() -> Program:
    return stress_ng.stress_ng()


@pytest.mark.parametrize(
    "name",
    [
        "cpu", "dnotify", "epoll", "eventfd", "futex", "hrtimers", "mmap", "pidfd", "pthread", "sem-sysv", "sigfd",
        "sockpair", "timer",
    ],
)  # fmt: skip
def test_stressor(program: Program, name: str, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    assert stress_ng.stress(program, name, "compat", folder, limit=90) == stress_ng.Outcome("passed")
