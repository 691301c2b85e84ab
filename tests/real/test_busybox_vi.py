"""busybox's vi in a pseudo-terminal: what is typed ends up in the file."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from pathlib import Path

from tests.real.running import Program


class Terminal:
    """A program in a pseudo-terminal of 24 x 80; `screen` collects all that it writes."""

    def __init__(self, program: Program, *arguments: str, folder: Path) -> None:
        self.keyboard, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.screen = b""
        environment = program.environment() | {"TERM": "vt100"}
        command = program.command(*arguments)
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=other,
            stdout=other,
            stderr=other,
            start_new_session=True,
        )
        os.close(other)

    def see(self, text: bytes, timeout: float = 60) -> None:
        """Wait until *text* has been written since the last call; AssertionError with the screen when it is late."""
        end = time.monotonic() + timeout
        while text not in self.screen:
            ready = select.select([self.keyboard], [], [], max(0, end - time.monotonic()))[0]
            assert ready, f"{text!r} did not come; written so far: {self.screen!r}"
            try:
                self.screen += os.read(self.keyboard, 4096)
            except OSError:
                raise AssertionError(f"the program ended before {text!r}: {self.screen!r}") from None
        self.screen = self.screen.partition(text)[2]

    def type(self, text: bytes) -> None:
        os.write(self.keyboard, text)

    def end(self, timeout: float = 60) -> int:
        """Wait for the exit status, reading on so that the program can't block on its output."""
        end = time.monotonic() + timeout
        while self.process.poll() is None and time.monotonic() < end:
            if select.select([self.keyboard], [], [], 0.05)[0]:
                try:
                    self.screen += os.read(self.keyboard, 4096)
                except OSError:
                    break
        try:
            return self.process.wait(max(0.1, end - time.monotonic()))
        finally:
            self.process.kill()
            os.close(self.keyboard)


def test_text_is_inserted_and_saved(busybox: Program, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("first line\nlast line\n")
    vi = Terminal(busybox, "vi", "letter", folder=tmp_path)
    vi.see(b"last line")
    vi.type(b"o")
    vi.type(b"typed in the middle")
    vi.see(b"middle")
    vi.type(b"\x1b")
    vi.see(b"- letter")
    vi.type(b"Gx:s/ine/INE/\r")
    vi.see(b"INE")
    vi.type(b":wq\r")
    assert vi.end() == 0
    assert (tmp_path / "letter").read_text() == "first line\ntyped in the middle\nast lINE\n"


def test_leaving_without_saving(busybox: Program, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("stays\n")
    vi = Terminal(busybox, "vi", "letter", folder=tmp_path)
    vi.see(b"stays")
    vi.type(b"x:q!\r")
    assert vi.end() == 0
    assert (tmp_path / "letter").read_text() == "stays\n"
