"""busybox's vi in a pseudo-terminal: what is typed ends up in the file."""

from __future__ import annotations

import os
import select
import time
from pathlib import Path

from tests.real.running import Program
from tests.real.terminal import Terminal


class Editor(Terminal):
    """busybox's vi."""

    def __init__(self, program: Program, *arguments: str, folder: Path) -> None:
        super().__init__(program, *arguments, folder=folder, term="vt100")

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
    vi = Editor(busybox, "vi", "letter", folder=tmp_path)
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
    vi = Editor(busybox, "vi", "letter", folder=tmp_path)
    vi.see(b"stays")
    vi.type(b"x:q!\r")
    assert vi.end() == 0
    assert (tmp_path / "letter").read_text() == "stays\n"
