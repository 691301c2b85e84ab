"""Debian's dynamic python3.11 for arm64; most expectations are what the Python here says to the same code."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest

from tests.real.running import Program

SNIPPETS = {file.stem: file.read_text() for file in sorted((Path(__file__).parent / "snippets").glob("*.py"))}


@pytest.mark.parametrize("name", SNIPPETS)
def test_snippet_prints_what_python_here_prints(python: Program, name: str, tmp_path: Path) -> None:
    here = io.StringIO()
    with contextlib.redirect_stdout(here), contextlib.chdir(tmp_path):
        exec(compile(SNIPPETS[name], name, "exec"), {"__name__": "__main__"})
    python.prints(here.getvalue(), "-c", SNIPPETS[name], folder=tmp_path)


def test_walk(python: Program, tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/file").write_text("12345")
    code = (
        "import os\n"
        "for at, folders, files in sorted(os.walk('.')): print(at, folders, files)\n"
        "print(os.stat('a/b/file').st_size)"
    )
    python.prints(". ['a'] []\n./a ['b'] []\n./a/b [] ['file']\n5\n", "-c", code, folder=tmp_path)


def test_time(python: Program, tmp_path: Path) -> None:
    code = (
        "import time; a = time.monotonic(); time.sleep(0.05); b = time.monotonic()\n"
        "print(0.05 <= b - a < 30, time.time() > 1.7e9, time.gmtime(0)[:3])"
    )
    python.prints("True True (1970, 1, 1)\n", "-c", code, folder=tmp_path)


def test_who_it_is(python: Program, tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "print(os.uname().machine, sys.byteorder, sys.maxsize, sys.argv[1:], os.path.samefile(os.getcwd(), '.'))"
    )
    expected = "aarch64 little 9223372036854775807 ['x', 'y z'] True\n"
    python.prints(expected, "-c", code, "x", "y z", folder=tmp_path)


def test_files(python: Program, tmp_path: Path) -> None:
    code = (
        "import pathlib, tempfile, shutil, mmap\n"
        "p = pathlib.Path('new/sub'); p.mkdir(parents=True)\n"
        "(p / 'f').write_bytes(bytes(range(256)) * 100)\n"
        "with open(p / 'f', 'r+b') as f, mmap.mmap(f.fileno(), 0) as m:\n"
        "    m[5:8] = b'abc'; print(m.find(b'abc'), len(m))\n"
        "shutil.copytree('new', 'copy'); print(sorted(str(x) for x in pathlib.Path('copy').rglob('*')))\n"
        "shutil.rmtree('new')"
    )
    python.prints("5 25600\n['copy/sub', 'copy/sub/f']\n", "-c", code, folder=tmp_path)
    assert (tmp_path / "copy/sub/f").read_bytes()[:10] == bytes([0, 1, 2, 3, 4, 97, 98, 99, 8, 9])
    assert not (tmp_path / "new").exists()


def test_signal_handler(python: Program, tmp_path: Path) -> None:
    code = (
        "import os, signal; signal.signal(10, lambda n, f: print('got', n)); os.kill(os.getpid(), 10); print('after')"
    )
    python.prints("got 10\nafter\n", "-c", code, folder=tmp_path)


def test_exit_status(python: Program, tmp_path: Path) -> None:
    python.prints("", "-c", "raise SystemExit(9)", folder=tmp_path, status=9)
    python.prints("", "-c", "import os; os.kill(os.getpid(), 15)", folder=tmp_path, status=143)
