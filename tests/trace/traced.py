"""Runs samples under `compat trace`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples" / "linux"


def trace(folder: Path, sample: str, *options: str) -> tuple[list[str], subprocess.CompletedProcess[str]]:
    """(the lines of the trace, how the command ended) of *sample*, run in *folder*."""
    output = folder / "trace.out"
    words = [sys.executable, "-m", "compat", "trace", "-o", str(output), *options, str(SAMPLES / sample)]
    ended = subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return (output.read_text("utf-8").splitlines() if output.exists() else []), ended


def guest_side(lines: list[str]) -> list[str]:
    """The lines without the host side, process numbers as N."""
    guests = [line.partition("   → ")[0] for line in lines]
    return [re.sub(r"(set_tid_address\(.*\) = |pid=)\d+", r"\1N", line) for line in guests]
