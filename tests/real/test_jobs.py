"""Job control on a real terminal: a shell of another CPU, its jobs, and the keys that stop and end them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real import debian
from tests.real.running import Program
from tests.real.terminal import Terminal

INTERRUPT, STOP = b"\x03", b"\x1a"


class Shell(Terminal):
    """A shell whose prompt is known."""

    def __init__(self, program: Program, *arguments: str, folder: Path) -> None:
        super().__init__(program, *arguments, folder=folder, term="dumb", options=("--env", "PS1=ready> "))

    def run(self, line: bytes) -> bytes:
        """Type a line and wait for the next prompt; returns what was written in between."""
        self.type(line + b"\n")
        self.see(line + b"\r\n")
        return self.see(b"ready> ")

    def end(self) -> int:
        self.type(b"exit 3\n")
        self.see(b"exit 3\r\n")
        return self.process.wait(60)

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        os.close(self.keyboard)


@pytest.fixture(params=["busybox", "bash"])
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shell]:
    if os.environ.get("COMPAT_TEST_WITH") == "qemu":
        pytest.skip("the options are compat's")
    if request.param == "busybox":
        root = debian.sysroot("arm64", "busybox-static")
        made = Shell(Program(root / "bin/busybox", "aarch64"), "sh", folder=tmp_path)
    else:
        root = debian.sysroot("arm64", "bash", "coreutils")
        program = Program(root / "bin/bash", "aarch64", root)
        made = Shell(program, "--norc", "--noediting", "-i", folder=tmp_path)
    made.see(b"ready> ")
    yield made
    made.kill()


def until(shell: Shell, text: bytes) -> bytes:
    """`jobs`, asked again until it says *text*."""
    for _ in range(60):
        said = shell.run(b"jobs")
        if text in said:
            return said
        time.sleep(0.5)
    raise AssertionError(f"no job is {text!r}: {said!r}")


def test_ctrl_c_ends_the_job_in_the_foreground(shell: Shell) -> None:
    shell.type(b'echo be""gins; sleep 1000\n')
    shell.see(b"begins\r\n")
    time.sleep(1)
    shell.type(INTERRUPT)
    shell.see(b"ready> ")
    assert b"status 130" in shell.run(b"echo status $?")
    assert shell.end() == 3


def test_ctrl_z_stops_it_and_fg_lets_it_go_on(shell: Shell) -> None:
    shell.type(b"sleep 3\n")
    time.sleep(2)
    shell.type(STOP)
    assert b"Stopped" in shell.see(b"ready> ")
    assert b"Stopped" in shell.run(b"jobs")
    assert b"sleep 3" in shell.run(b"fg")
    assert b"status 0" in shell.run(b"echo status $?")
    shell.end()


def test_a_job_in_the_background_may_not_read(shell: Shell) -> None:
    shell.run(b"cat &")
    until(shell, b"Stopped")
    shell.type(b"fg\n")
    time.sleep(1)
    shell.type(b"to the cat\n")
    shell.see(b"to the cat\r\nto the cat\r\n")
    shell.type(INTERRUPT)
    shell.see(b"ready> ")
    shell.end()


def test_nor_write_where_the_terminal_says_so(shell: Shell) -> None:
    shell.run(b"stty tostop")
    shell.run(b"echo from behind &")
    until(shell, b"Stopped")
    assert b"\nfrom behind" in shell.run(b"fg")
    shell.end()


def test_a_new_size_is_told(shell: Shell) -> None:
    shell.run(b"trap 'echo another size; enough=1' WINCH")
    shell.type(b'echo be""gins; until [ "$enough" ]; do :; done\n')
    shell.see(b"begins\r\n")
    shell.resize(30, 90)
    assert b"another size" in shell.see(b"ready> ")
    assert b"30 90" in shell.run(b"stty size")
    shell.end()


def test_a_handler_of_ctrl_c(shell: Shell) -> None:
    shell.run(b"trap 'echo caught; enough=1' INT")
    shell.type(b'echo be""gins; until [ "$enough" ]; do :; done\n')
    shell.see(b"begins\r\n")
    shell.type(INTERRUPT)
    assert b"caught" in shell.see(b"ready> ")
    shell.end()
