"""Every sample on every CPU under compat: same output, same exit status as natively."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.samples import cases


def marks(reason: str | None) -> list[pytest.MarkDecorator]:
    """A sample that fails must fail each time, unless the reason begins with "now and then"."""
    if reason is None:
        return []
    if reason.startswith("now and then"):
        return [pytest.mark.skip(reason)]
    return [pytest.mark.xfail(reason=reason, strict=True)]


PAIRS = [
    pytest.param(
        cpu,
        name,
        id=f"{cpu}-{name}",
        marks=marks(cases.known_failure(cpu, name)),
    )
    for cpu in cases.cpus()
    for name in cases.names()
    if (cases.SAMPLES / cpu / name).exists()
]


@pytest.mark.parametrize(("cpu", "name"), PAIRS)
def test_sample(cpu: str, name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "compat", "run", *cases.OPTIONS.get(name, ()), cases.SAMPLES / cpu / name]
    cases.compare(name, cases.run(command, tmp_path, timeout=120))
