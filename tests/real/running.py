"""Run a foreign program under compat and say clearly what was wrong.

COMPAT_TEST_WITH=qemu runs the same tests in qemu-user, which shows that the expectations are true.
"""

from __future__ import annotations

import difflib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

QEMU = {"x86": "i386", "x86-64": "x86_64", "ppc64le": "ppc64le"}
"""What qemu-user calls our CPUs, where it differs."""


@dataclass(frozen=True)
class Program:
    """A program file of *cpu*; *sysroot* holds its libraries when it is dynamic; *options* are more of `compat run`."""

    path: Path
    cpu: str
    sysroot: Path | None = None
    options: tuple[str, ...] = ()

    def command(self, *arguments: str, way: str | None = None) -> list[str]:
        """The host's command that runs it, *way* being "qemu" or "compat"; as the environment says if None."""
        if (way or os.environ.get("COMPAT_TEST_WITH")) == "qemu":
            where = ["-L", str(self.sysroot)] if self.sysroot else []
            return [f"qemu-{QEMU.get(self.cpu, self.cpu)}", *where, str(self.path), *arguments]
        where = ["--sysroot", str(self.sysroot)] if self.sysroot else []
        return [sys.executable, "-m", "compat", "run", *self.options, *where, str(self.path), *arguments]

    def environment(self) -> dict[str, str]:
        """The environment of that command."""
        return os.environ | {"PYTHONPATH": str(REPOSITORY), "LC_ALL": "C", "TZ": "UTC"}

    def prints(
        self,
        expected: str | bytes,
        *arguments: str,
        folder: Path,
        stdin: bytes = b"",
        status: int = 0,
        timeout: float = 120,
    ) -> None:
        """Run in *folder*; AssertionError unless output and exit status are as expected and stderr is empty.

        *status* is what a shell shows: 128 + n when signal n ended the program.
        """
        command = self.command(*arguments)
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                input=stdin,
                env=self.environment(),
                capture_output=True,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise AssertionError(report(command, "no end", expected, late.stdout, late.stderr)) from None
        wanted = expected.encode() if isinstance(expected, str) else expected
        got = done.returncode if done.returncode >= 0 else 128 - done.returncode
        if (got, done.stdout, done.stderr) != (status, wanted, b""):
            told = f"exit status {got}, expected {status}"
            raise AssertionError(report(command, told, expected, done.stdout, done.stderr))

    def output(self, *arguments: str, folder: Path, timeout: float = 120) -> bytes:
        """What it prints when it runs in *folder* with an empty stdin; AssertionError unless its exit status is 0."""
        command = self.command(*arguments)
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            env=self.environment(),
            capture_output=True,
            timeout=timeout,
            check=False,
        )
        told = f"exit status {done.returncode}"
        assert not done.returncode, report(command, told, "", done.stdout, done.stderr)
        return done.stdout


def lines(output: str | bytes | None) -> list[str]:
    """The lines of what a program printed, whatever its bytes are."""
    return (output.decode(errors="backslashreplace") if isinstance(output, bytes) else output or "").splitlines()


def report(command: list[str], told: str, expected: str | bytes, output: bytes | None, errors: bytes | None) -> str:
    """The sentence for a failed run: command, what happened, a diff of the output, the end of stderr."""
    diff = difflib.unified_diff(lines(expected), lines(output), "expected", "got", lineterm="", n=2)
    return "\n".join([" ".join(command), told, *list(diff)[:60], "stderr:", *lines(errors)[-30:]])
