"""Facts on Mach-O and PE files, for `compat info`. `python -m compat.cli.foreign FILE` prints the former as JSON.

Mach-O is parsed by lief in a process of its own: a hostile file that crashes or starves it costs only the facts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from compat.cli.windows import pe_facts
from loaders.source import open_source

__all__ = ["foreign_facts"]

_SECONDS = 20
_MEMORY = 2 << 30
_MOST = 200  # libraries shown


def foreign_facts(path: bytes) -> dict[str, Any]:
    """`format`, `entry`, `libraries` (name → number of imports, None where unknown), and of a PE what `pe_facts` adds;
    empty for a file of another format, or a damaged one."""
    with open_source(path) as source:
        if source.read(0, 2) == b"MZ":
            return pe_facts(source)
    command = [sys.executable, "-m", "compat.cli.foreign", os.fsdecode(path)]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False)
        facts = json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _parse(path: str) -> dict[str, Any]:
    import lief

    lief.logging.disable()
    if lief.is_macho(path):
        return _macho(lief.MachO.parse(path))
    return {}


def _macho(binaries: Any) -> dict[str, Any]:
    if binaries is None or not len(binaries):
        return {}
    binary = binaries.at(0)
    libraries = {str(library.name): None for library in list(binary.libraries)[:_MOST]}
    return {"format": "Mach-O", "entry": binary.entrypoint if binary.has_entrypoint else 0, "libraries": libraries}


def _limit() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    _limit()
    print(json.dumps(_parse(sys.argv[1])))
