"""Terminals: termios(3), whose errors Python keeps apart from OSError."""

from __future__ import annotations

import os
import termios
from collections.abc import Callable
from typing import Any

from compat.data import dataclass


@dataclass(frozen=True)
class Modes:
    """struct termios of this host; *speeds* are B* constants (input, output), *controls* the characters by V* index."""

    input: int
    output: int
    control: int
    local: int
    speeds: tuple[int, int]
    controls: list[int]


class Terminals:
    """Calls on a terminal's descriptor; ENOTTY for anything else."""

    def tcgetattr(self, fd: int) -> Modes:
        found: list[Any] = _as_oserror(lambda: termios.tcgetattr(fd))
        controls = [each if isinstance(each, int) else each[0] for each in found[6]]
        return Modes(found[0], found[1], found[2], found[3], (found[4], found[5]), controls)

    def tcsetattr(self, fd: int, when: int, modes: Modes) -> None:
        """*when* is TCSANOW, TCSADRAIN or TCSAFLUSH of this host."""
        controls: list[bytes | int] = [bytes([each]) for each in modes.controls]
        fields: list[Any] = [modes.input, modes.output, modes.control, modes.local, *modes.speeds, controls]
        _as_oserror(lambda: termios.tcsetattr(fd, when, fields))

    def tcsendbreak(self, fd: int, duration: int) -> None:
        _as_oserror(lambda: termios.tcsendbreak(fd, duration))

    def tcdrain(self, fd: int) -> None:
        _as_oserror(lambda: termios.tcdrain(fd))

    def tcflush(self, fd: int, queue: int) -> None:
        _as_oserror(lambda: termios.tcflush(fd, queue))

    def tcflow(self, fd: int, action: int) -> None:
        _as_oserror(lambda: termios.tcflow(fd, action))


def _as_oserror(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except termios.error as error:
        raise OSError(error.args[0], os.strerror(error.args[0])) from None
