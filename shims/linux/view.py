"""The guest's file tree, from what the user granted and the synthetic /proc, /dev and /sys."""

from __future__ import annotations

import os

from compat.process import Program
from compat.sandbox.default import default_view, start_folder
from compat.sandbox.grants import parse_mount
from compat.sandbox.synthetic import Directory, LateDirectory
from shims.linux.dev import dev_tree
from shims.linux.network_files import add_network_files
from shims.linux.state import LinuxProcess
from shims.linux.sys import sys_tree

__all__ = ["build_view"]


def build_view(process: LinuxProcess, program: Program) -> None:
    """Give *process* its view and its working folder. Raises CompatError for a grant that can't be made."""
    options = process.options
    cwd = os.getcwdb()
    process.view = default_view(
        process.host,
        cwd=cwd,
        program=program.path if program.path == program.guest_path else None,  # else some mount shows it already
        sysroot=os.fsencode(options.sysroot) if options.sysroot is not None else None,
        grants=[parse_mount(text) for text in options.mounts],
        proc=LateDirectory(lambda: _proc(process)),
        dev=dev_tree(process),
        sys=sys_tree(process),
        trust=options.trust,
    )
    if not options.trust:
        add_network_files(process.view, network=options.network)
    process.view.private.when_made(lambda: _end_in_order(process))
    process.directory = start_folder(process.view, cwd)


def _proc(process: LinuxProcess) -> Directory:
    from shims.linux.proc import proc_tree  # late: a dozen modules

    return proc_tree(process)


def _end_in_order(process: LinuxProcess) -> None:
    from shims.linux.catching import catch_endings  # late: most guests keep nothing

    catch_endings(process)
