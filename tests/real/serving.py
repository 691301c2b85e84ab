"""A guest that serves: started, waited for, ended."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.real.running import Program

PATIENCE = 60.0
"""Seconds that a server may take to listen or to end."""


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(
    program: Program, *arguments: str, folder: Path, port: int, ends_with: int = 0
) -> Iterator[subprocess.Popen[bytes]]:
    """The server while it runs in *folder*; its output goes to the file `output` there. SIGTERM ends it.

    AssertionError with its output where it does not listen on *port*, or ends with another status.
    """
    output = folder / "output"
    with output.open("wb") as file:
        server = subprocess.Popen(
            program.command(*arguments),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=program.environment(),
        )
    try:
        _wait_until_open(server, port, output)
        yield server
        server.send_signal(signal.SIGTERM)
        status = server.wait(PATIENCE)
        assert status == ends_with, f"exit status {status}\n{output.read_text(errors='replace')[-3000:]}"
    finally:
        if server.poll() is None:
            server.kill()
            server.wait()


def _wait_until_open(server: subprocess.Popen[bytes], port: int, output: Path) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert server.poll() is None and time.monotonic() < end, output.read_text(errors="replace")[-3000:]  # noqa: PT018
            time.sleep(0.05)
        else:
            return
