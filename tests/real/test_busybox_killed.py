"""A run that is killed from outside leaves nothing behind, whatever the guest was doing."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.real import debian
from tests.real.running import Program

KEEPS = {
    "computing": "while :; do :; done",
    "reading": "read answer",
    "waiting for a child": "(read answer); :",
}


@pytest.fixture(scope="module")
def shell() -> Program:
    return Program(debian.sysroot("arm64", "busybox-static") / "bin/busybox", "aarch64")


@pytest.mark.skipif(os.environ.get("COMPAT_TEST_WITH") == "qemu", reason="its guests have no /tmp of their own")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("doing", KEEPS)
def test_the_private_folder_goes_with_the_run(shell: Program, doing: str, name: str, tmp_path: Path) -> None:
    number = signal.Signals[name]
    private, work = tmp_path / "private", tmp_path / "work"
    private.mkdir()
    work.mkdir()
    script = f"echo kept > /tmp/file; mkdir /tmp/folder; echo ready; {KEEPS[doing]}"
    run = subprocess.Popen(
        shell.command("sh", "-c", script),
        cwd=work,
        env=shell.environment() | {"TMPDIR": str(private)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert run.stdin is not None
    assert run.stdout is not None
    with run.stdin, run.stdout:
        assert run.stdout.readline() == b"ready\n"
        (folder,) = private.iterdir()
        assert (folder / "run/tmp/file").read_text() == "kept\n"
        run.send_signal(number)
        assert run.wait(60) == 128 + number
    assert list(private.iterdir()) == []
