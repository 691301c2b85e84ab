"""The guest's file tree, from what the user granted."""

from __future__ import annotations

import os

from compat.process import Program
from compat.sandbox.default import default_view, start_folder
from shims.linux.state import LinuxProcess


def build_view(process: LinuxProcess, program: Program) -> None:
    """Temporary."""
    process.view = default_view(process.host, cwd=os.getcwdb(), program=program.path, trust=True)
    process.directory = start_folder(process.view, os.getcwdb())
