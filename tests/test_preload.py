"""A process that gives up the way to compat's files has all of them at hand."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from compat import preload

PACKAGES = ["compat", "loaders", "shims.linux", "shims.posix"]


@pytest.fixture
def top() -> Iterator[Path]:
    """A folder that everybody comes to."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        found = Path(name)
        found.chmod(0o755)
        yield found


@pytest.mark.parametrize("closed", ["a", "a/b"])
def test_a_folder_that_is_closed_anywhere_above(top: Path, closed: str) -> None:
    folder = top / "a/b"
    folder.mkdir(parents=True)
    for mode, wanted in ((0o755, True), (0o750, False), (0o711, closed == "a")):
        (top / closed).chmod(mode)
        assert preload._open_to_all(str(folder)) == wanted


def loaded(open_to_all: bool) -> set[str]:
    program = f"""
import sys
from compat import preload
preload._open_to_all = lambda folder: {open_to_all}
preload.preload({PACKAGES})
print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    return set(done.stdout.split())


def test_all_is_imported_where_the_way_closes() -> None:
    found = loaded(open_to_all=False)
    wanted = {"shims.linux.proc_other", "shims.posix.semaphores", "loaders.elf", "compat.cpu.s390x", "ctypes", "shutil"}
    assert wanted <= found
    assert not {"lief", "rich", "compat.cli.run", "compat.cpu.build_interface"} & found


def test_nothing_is_imported_where_it_stays_open() -> None:
    assert "shims.linux.proc_other" not in loaded(open_to_all=True)
