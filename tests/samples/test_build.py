"""The committed samples are what their sources give, byte for byte, by the compiler that BUILD names."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from samples import build
from tests.samples import cases

ALL = bool(os.environ.get("COMPAT_REBUILD_ALL"))
A_FEW = [("x86-64", "hello"), ("x86-64", "signals"), ("aarch64", "files")]


def installed() -> str:
    try:
        return version("ziglang")
    except PackageNotFoundError:
        return "none"


def recorded() -> str:
    return (cases.SAMPLES / "BUILD").read_text().split("\n")[0].removeprefix("ziglang ")


def pairs() -> list[tuple[str, str]]:
    return [(cpu, file.name) for cpu in cases.cpus() for file in (cases.SAMPLES / cpu).iterdir()] if ALL else A_FEW


@pytest.mark.skipif(installed() != recorded(), reason=f"ziglang {recorded()} is needed, {installed()} is installed")
@pytest.mark.parametrize(("cpu", "name"), pairs())
def test_rebuilt_bytes_are_the_committed_bytes(cpu: str, name: str, tmp_path: Path) -> None:
    rebuilt = build.Build(cases.SAMPLES, cpu, name).run(tmp_path)
    assert rebuilt.read_bytes() == (cases.SAMPLES / cpu / name).read_bytes()


@pytest.mark.skipif(installed() != recorded(), reason="the record names another compiler")
def test_the_record_tells_the_commands() -> None:
    assert (cases.SAMPLES / "BUILD").read_text() == build.record()


def test_every_sample_is_built_for_every_cpu() -> None:
    sources = {file.stem for file in cases.SAMPLES.glob("*.c")}
    for cpu in build.TRIPLES:
        assert sources <= {file.name for file in (cases.SAMPLES / cpu).iterdir()}, cpu
    assert sources <= set(cases.names())


def test_the_samples_stay_small() -> None:
    """A repository that is cloned often, and for which each new sample is thirteen files."""
    files = [file for cpu in cases.cpus() for file in (cases.SAMPLES / cpu).iterdir()]
    assert max(file.stat().st_size for file in files) < 80_000
    assert sum(file.stat().st_size for file in files) / len(files) < 30_000
