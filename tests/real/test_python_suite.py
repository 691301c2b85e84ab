"""Quick modules of Python's own tests pass on an arm64 guest; `python -m tests.real.python_suite` runs the others.

COMPAT_TEST_WITH=qemu runs them in qemu-aarch64.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.real.python_suite import run, sysroot

QUICK = ["test_fcntl", "test_mmap", "test_pty", "test_time"]


@pytest.mark.parametrize("module", QUICK)
def test_module(module: str, tmp_path: Path) -> None:
    log = tmp_path / "output"
    found = run(module, os.environ.get("COMPAT_TEST_WITH", "compat"), sysroot(), 240, log)
    assert found.good, "\n".join([", ".join(found.bad), *log.read_text(errors="replace").splitlines()[-60:]])
