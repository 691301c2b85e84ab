"""The guest's file tree, from what the user granted."""

from __future__ import annotations

import os

from compat.process import Program
from compat.sandbox.default import default_view, start_folder
from compat.sandbox.grants import parse_mount
from shims.linux.state import LinuxProcess


def build_view(process: LinuxProcess, program: Program) -> None:
    """Temporary: the whole host unless there is a sysroot."""
    options, cwd = process.options, os.getcwdb()
    sysroot = None if options.sysroot is None else os.fsencode(options.sysroot)
    process.view = default_view(
        process.host,
        cwd=cwd,
        program=program.path if program.path == program.guest_path else None,
        sysroot=sysroot,
        grants=[parse_mount(text) for text in options.mounts],
        trust=options.trust or sysroot is None,
    )
    process.directory = start_folder(process.view, cwd)
