"""Texts of the command line to values; each raises ValueError with the words that follow "is not"."""

from __future__ import annotations

import os

__all__ = ["read_count", "read_files", "read_folder", "read_mount", "read_network", "read_size", "read_variable"]

_UNITS = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}
_MOST = 1 << 62


def read_size(text: str) -> int:
    """Bytes, with a unit of 1024: 65536, 64K, 512M, 2G, 1T."""
    digits = text.rstrip("kKmMgGtT")
    unit = text[len(digits) :].upper()
    if not (digits.isascii() and digits.isdigit()) or unit not in _UNITS or len(digits) > 19:
        raise ValueError("a size such as 65536, 512M or 2G")
    size = int(digits) << _UNITS[unit]
    if not 0 < size <= _MOST:
        raise ValueError("a size between 1 and 4194304T")
    return size


def read_stack(text: str) -> int:
    """Bytes of stack: what the arguments need at least, and what every CPU has room for at most."""
    size = read_size(text)
    if not 1 << 17 <= size <= 1 << 30:
        raise ValueError("a size between 128K and 1G")
    return size


def read_count(text: str) -> int:
    """A whole number of processes or seconds."""
    return _number(text, 1)


def read_files(text: str) -> int:
    """A number of open files, among them standard input, output and error."""
    return _number(text, 3)


def _number(text: str, least: int) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 10 or not least <= int(text) < 1 << 31:
        raise ValueError(f"a whole number between {least} and {(1 << 31) - 1}")
    return int(text)


def read_folder(text: str) -> str:
    """The absolute path of a folder that exists."""
    try:
        with os.scandir(text):
            return os.path.abspath(text)
    except ValueError:
        raise ValueError("the name of a folder") from None
    except OSError as error:
        raise ValueError(f"a folder that can be read: {error.strerror}") from None


def read_mount(text: str) -> str:
    """HOST[:GUEST][:ro], checked; CompatError says which part is wrong."""
    from compat.sandbox.grants import parse_mount

    parse_mount(text)
    return text


def read_variable(text: str) -> tuple[str, str]:
    """NAME=VALUE, or NAME for the user's own value."""
    name, equals, value = text.partition("=")
    if not name:
        raise ValueError("NAME=VALUE or NAME")
    return (name, value) if equals else (name, os.environ.get(name, ""))


def read_network(text: str) -> bool:
    if text != "host":
        raise ValueError("a network; there is only `host`")
    return True
