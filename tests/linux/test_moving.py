"""execve across CPUs: one process hands over from program to program."""

from __future__ import annotations

from tests.cli.command import compat, sample

FEW = ("aarch64", "mips", "x86-64", "s390x", "arm", "mips64el", "ppc64le", "x86")
"""Both byte orders, both widths, and from MIPS, whose signals have other numbers, to others and back."""


def test_what_execve_keeps_survives_a_change_of_cpu() -> None:
    programs = [sample("relay", cpu) for cpu in FEW]
    done = compat("run", *programs)
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines.count("ok   a waiting signal") == len(FEW) - 1
    assert lines.count("ok   descriptors") == len(FEW) - 1
    assert lines[-1] == "all ok"
    assert done.returncode == 0
