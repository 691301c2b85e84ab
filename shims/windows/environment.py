"""The environment of a Windows program: what every one expects, and what the user lets pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

__all__ = ["windows_environment"]

_EXPECTED: Final = (
    b"ALLUSERSPROFILE=C:\\ProgramData",
    b"COMSPEC=C:\\Windows\\system32\\cmd.exe",
    b"OS=Windows_NT",
    b"PATH=C:\\Windows\\system32;C:\\Windows",
    b"PATHEXT=.COM;.EXE;.BAT;.CMD",
    b"PROCESSOR_ARCHITECTURE=AMD64",
    b"ProgramData=C:\\ProgramData",
    b"SystemDrive=C:",
    b"SystemRoot=C:\\Windows",
    b"TEMP=C:\\Users\\user\\AppData\\Local\\Temp",
    b"TMP=C:\\Users\\user\\AppData\\Local\\Temp",
    b"USERPROFILE=C:\\Users\\user",
    b"windir=C:\\Windows",
)
_OTHERWISE: Final = (b"PATH", b"PWD", b"OLDPWD", b"SHELL", b"SHLVL", b"_")
"""Names that mean something else to a Unix, or nothing to Windows."""


def windows_environment(given: Sequence[bytes]) -> list[bytes]:
    """*given* without the Unix's own names, and before it what every program expects unless *given* has it; sorted by
    name, as CreateProcess asks for it."""
    kept = [entry for entry in given if _name(entry) not in _OTHERWISE]
    names = {_name(entry).upper() for entry in kept}
    return sorted([*kept, *(entry for entry in _EXPECTED if _name(entry).upper() not in names)], key=bytes.upper)


def _name(entry: bytes) -> bytes:
    return entry.partition(b"=")[0]
