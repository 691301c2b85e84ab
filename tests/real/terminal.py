"""A guest program on a pseudo-terminal, and what is typed at it."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import termios
import time
from pathlib import Path

from tests.real.running import Program

__all__ = ["Terminal"]


class Terminal:
    """A program that leads a session on a pseudo-terminal of 24 x 80, of the kind *term*.

    *options* are those of `compat run`; `screen` collects what is written.
    """

    def __init__(
        self, program: Program, *arguments: str, folder: Path, term: str, options: tuple[str, ...] = ()
    ) -> None:
        self.keyboard, other = os.openpty()
        self.resize(24, 80)
        self.screen = b""
        command = program.command(*arguments)
        if options:
            command[command.index("run") + 1 : command.index("run") + 1] = options
        # Busybox believes LINES and COLUMNS, which pytest's workers have, before the terminal.
        environment = program.environment() | {"TERM": term}
        environment = {name: value for name, value in environment.items() if name not in ("LINES", "COLUMNS")}
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=other,
            stdout=other,
            stderr=other,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(other)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.keyboard, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def see(self, text: bytes, timeout: float = 60) -> bytes:
        """Wait until *text* has been written since the last call; returns what stood before it.

        AssertionError with the screen when it is late.
        """
        end = time.monotonic() + timeout
        while text not in self.screen:
            ready = select.select([self.keyboard], [], [], max(0, end - time.monotonic()))[0]
            assert ready, f"{text!r} did not come; written so far: {self.screen!r}"
            try:
                self.screen += os.read(self.keyboard, 4096)
            except OSError:
                raise AssertionError(f"the program ended before {text!r}: {self.screen!r}") from None
        before, _, self.screen = self.screen.partition(text)
        return before

    def type(self, text: bytes) -> None:
        os.write(self.keyboard, text)
