"""A dynamic program of ours with Debian's musl as loader and libc, on each architecture that has the package."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real import debian
from tests.real.running import REPOSITORY, Program


@pytest.mark.parametrize("architecture", sorted(debian.CPUS))
def test_hello(architecture: str, tmp_path: Path) -> None:
    cpu = debian.CPUS[architecture]
    root = debian.sysroot(architecture, "musl")
    program = Program(REPOSITORY / "samples/linux" / cpu / "hello-dynamic", cpu, root)
    program.prints("hello, world\n", folder=tmp_path)
