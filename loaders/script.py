"""`#!` scripts, split as Linux does it (fs/binfmt_script.c, load_script)."""

from __future__ import annotations

from compat.errors import BadFile
from compat.image import Script
from loaders.source import Source

__all__ = ["script_of"]

BINPRM_BUF_SIZE = 256


def script_of(source: Source) -> Script:
    """The interpreter of a script, and the rest of its first line as one argument.

    Only the first 256 bytes count. A longer line is an error only if the interpreter's path itself is cut
    off; a longer argument is cut, as in Linux.

    Raises:
        BadFile: the line names no interpreter, or its path is too long.
    """
    head = source.read(0, BINPRM_BUF_SIZE)
    line, newline, _ = head[2:].partition(b"\n")
    if not newline and len(head) == BINPRM_BUF_SIZE:
        line = line[:-1] + b"\n"  # the kernel leaves out the buffer's last byte; the line end stands for "cut here"
    path, rest = _split(line.split(b"\0", 1)[0])
    if not path.strip(b"\n"):
        raise BadFile(f"{source.name} is a script whose first line names no interpreter")
    if path.endswith(b"\n"):
        raise BadFile(f"{source.name} is a script whose interpreter's path is longer than {BINPRM_BUF_SIZE} bytes")
    return Script(path, rest.rstrip(b" \t\n") or None)


def _split(line: bytes) -> tuple[bytes, bytes]:
    text = line.strip(b" \t")
    end = next((at for at, byte in enumerate(text) if byte in b" \t"), len(text))
    return text[:end], text[end:].strip(b" \t")
