"""Run the command line as a user does, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples" / "linux"


def sample(name: str, cpu: str = "aarch64") -> str:
    return str(SAMPLES / cpu / name)


def compat(
    *words: str, cwd: Path = ROOT, stdin: bytes = b"", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """`compat WORDS…`; *env* is added to this process's own environment."""
    done = subprocess.run(
        [sys.executable, "-m", "compat", *words],
        cwd=cwd,
        input=stdin,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | (env or {}),
        capture_output=True,
        timeout=60,
        check=False,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def refuses(done: subprocess.CompletedProcess[str], status: int, *words: str) -> None:
    """AssertionError unless *done* ended with *status*, one sentence on stderr that holds *words*, and no output."""
    assert done.stdout == ""
    assert done.stderr.startswith("compat: "), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert "defect" not in done.stderr
    for word in words:
        assert word in done.stderr
    assert done.returncode == status
