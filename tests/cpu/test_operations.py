"""The engine computes what the host computes: `programs/operations.c`, whose output no CPU may change.

Building it for thirteen CPUs takes minutes, so this runs only with COMPAT_BUILD_TESTS in the environment.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cpu.assemble import TARGETS
from tests.cpu.sources import CPUS

_PROGRAM = Path(__file__).with_name("programs") / "operations.c"

_NO_WIDE_INTEGERS = frozenset({"128"})
DIFFERENT = {
    "x86": _NO_WIDE_INTEGERS | {"exception flags"},
    "x86-64": frozenset({"exception flags"}),
    "arm": _NO_WIDE_INTEGERS | {"vectors of floating"},
    "mips": _NO_WIDE_INTEGERS | {"exception flags"},
    "mipsel": _NO_WIDE_INTEGERS | {"exception flags"},
    "mips64": frozenset({"exception flags"}),
    "mips64el": frozenset({"exception flags"}),
    "ppc": _NO_WIDE_INTEGERS,
    "s390x": frozenset({"32 overflow", "64 overflow"}),
}
"""The lines that a compiler leaves out, that NEON flushes to zero (ARM), where what is a quiet NaN elsewhere is a
signalling one (MIPS), or that Unicorn gets wrong: see the docstrings of `compat.cpu.x86` and `compat.cpu.s390x`."""


def _lines(text: str) -> dict[str, str]:
    return {line[:-17]: line[-16:] for line in text.splitlines()}


@pytest.mark.skipif("COMPAT_BUILD_TESTS" not in os.environ, reason="COMPAT_BUILD_TESTS is not set")
@pytest.mark.skipif(importlib.util.find_spec("ziglang") is None, reason="ziglang is not installed")
@pytest.mark.parametrize("level", ["-O0", "-O2", "-Os"])
@pytest.mark.parametrize("cpu", CPUS)
def test_operations(cpu: str, level: str, tmp_path: Path) -> None:
    binary = tmp_path / "operations"
    options = ["-target", TARGETS[cpu], level, "-fno-sanitize=undefined", "-static"]
    build = [sys.executable, "-m", "ziglang", "cc", *options, str(_PROGRAM), "-o", str(binary), "-lm"]
    subprocess.run(build, check=True)
    run = [sys.executable, "-m", "compat", "run", str(binary)]
    done = subprocess.run(run, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    expected, found = _lines(_PROGRAM.with_suffix(".expected").read_text()), _lines(done.stdout)
    wrong = {name for name, value in expected.items() if found.get(name) != value}
    different = DIFFERENT.get(cpu, frozenset())
    assert wrong - different == set()
    if level != "-Os":
        assert different <= wrong, "what is right has no place in DIFFERENT"
