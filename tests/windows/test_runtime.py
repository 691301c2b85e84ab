"""The committed runtime is what its sources give, by the compiler that BUILD names."""

from __future__ import annotations

import importlib.util
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType

import pytest

RUNTIME = Path(__file__).parents[2] / "shims" / "runtime"


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_runtime", RUNTIME / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def installed() -> str:
    try:
        return version("ziglang")
    except PackageNotFoundError:
        return "none"


RECORDED = (RUNTIME / "BUILD").read_text().split("\n")[0].removeprefix("ziglang ")


@pytest.mark.skipif(installed() != RECORDED, reason=f"ziglang {RECORDED} is needed, {installed()} is installed")
def test_rebuilt_bytes_are_the_committed_bytes(tmp_path: Path) -> None:
    build = script()
    assert (RUNTIME / "BUILD").read_text() == build.record()
    for cpu in build.TRIPLES:
        assert build.build(cpu, tmp_path).read_bytes() == (RUNTIME / f"windows-{cpu}").read_bytes()
