"""Every sample on every CPU under compat: same output, same exit status as natively."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.samples import cases

PAIRS = [
    pytest.param(
        cpu,
        name,
        id=f"{cpu}-{name}",
        marks=[pytest.mark.xfail(reason=reason, strict=True)] if (reason := cases.known_failure(cpu, name)) else [],
    )
    for cpu in cases.cpus()
    for name in cases.names()
    if (cases.SAMPLES / cpu / name).exists()
]


@pytest.mark.parametrize(("cpu", "name"), PAIRS)
def test_sample(cpu: str, name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "compat", "run", cases.SAMPLES / cpu / name]
    cases.compare(name, cases.run(command, tmp_path, timeout=120))
