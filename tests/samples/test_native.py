"""The samples tell the truth: on this machine, without compat, they give what is expected."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.samples import cases

# These call what only root may, or what a small machine may refuse; as nobody they harm nothing.
UNPRIVILEGED = {"wild"}


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder that nobody may enter too; pytest's own lies behind folders that are its user's alone."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.skipif(cases.host_cpu() is None, reason="no sample is built for this machine")
@pytest.mark.parametrize("name", cases.names())
def test_built_sample_runs_natively(name: str, folder: Path) -> None:
    program = shutil.copy(cases.SAMPLES / str(cases.host_cpu()) / name, folder)
    cases.compare(name, cases.run([program], folder, unprivileged=name in UNPRIVILEGED))


@pytest.mark.skipif(cases.host_cpu() is None, reason="no Linux that samples are written for")
@pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed")
@pytest.mark.parametrize("name", cases.names())
def test_source_built_by_another_compiler_with_another_libc(name: str, folder: Path) -> None:
    source, program = cases.SAMPLES / f"{name}.c", folder / name
    if not source.exists():
        pytest.skip("a differently linked build of a source that is tested under its own name")
    flags = ["-O1", "-w", "-ffp-contract=off", source, "-o", program, "-lpthread", "-lm"]
    assert cases.run(["gcc", *flags], folder).status == 0
    cases.compare(name, cases.run([program], folder, unprivileged=name in UNPRIVILEGED))
