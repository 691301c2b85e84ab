"""Debian's procps, util-linux and coreutils for arm64: what they tell of the machine."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.real.debian import sysroot
from tests.real.running import Program

PACKAGES = ("procps", "util-linux", "mount", "coreutils", "ncurses-base", "bsdutils")


def output(tool: str, *arguments: str, folder: Path) -> str:
    root = sysroot("arm64", *PACKAGES)
    program = Program(root / "usr/bin" / tool, "aarch64", root)
    done = subprocess.run(
        program.command(*arguments),
        cwd=folder,
        env=program.environment() | {"TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("free", r"Mem: +\d{4,} +\d+ +\d+"),
        ("uptime", r"up .*load average: [\d.]+, [\d.]+, [\d.]+"),
        ("vmstat", r"r +b +swpd +free"),
        ("lscpu", r"Architecture: +aarch64[\s\S]*Thread\(s\) per core: +1\n"),
        ("df", r"host +\d+ +\d+ +\d+ +\d+% /\n"),
        ("mount", r"tmpfs on /tmp type tmpfs \(rw,nodev\)[\s\S]*sysfs on /sys type sysfs"),
        ("findmnt", r"/proc +proc +proc"),
        ("ps auxww", r"USER +PID[\s\S]*ps auxww\n"),
        ("top -b -n1", r"Tasks:[\s\S]*COMMAND\n[\s\S]*top"),
        ("ipcs", r"Shared Memory Segments"),
    ],
)
def test_what_they_tell(command: str, expected: str, tmp_path: Path) -> None:
    tool, *arguments = command.split()
    assert re.search(expected, output(tool, *arguments, folder=tmp_path))


def test_as_many_processors_as_here(tmp_path: Path) -> None:
    assert int(output("nproc", folder=tmp_path)) == len(os.sched_getaffinity(0))


def test_no_block_devices(tmp_path: Path) -> None:
    assert output("lsblk", folder=tmp_path) == ""
