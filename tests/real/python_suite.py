"""`python -m tests.real.python_suite [MODULE…]`: Python's own tests on an arm64 guest, beside qemu-aarch64."""

from __future__ import annotations

import argparse
import compileall
import os
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

from tests.real import binfmt, debian, python_table
from tests.real.python_table import WAYS, Result
from tests.real.running import REPOSITORY

TABLE = Path(__file__).parent / "PYTHON.md"
PROGRAM = "usr/bin/python3.11"
PACKAGES = ("python3.11", "libpython3.11-testsuite", "bash", "coreutils", "dash", "libc-bin", "netbase")

MODULES = [
    *("test_asyncio", "test_concurrent_futures", "test_fcntl", "test_io", "test_mmap"),
    *("test_multiprocessing_fork", "test_multiprocessing_forkserver"),
    *("test_multiprocessing_main_handling", "test_multiprocessing_spawn"),
    *("test_os", "test_posix", "test_pty", "test_select", "test_selectors", "test_shutil", "test_signal"),
    *("test_socket", "test_subprocess", "test_tempfile", "test_thread", "test_threading", "test_time"),
]
"""Those that meet the operating system."""


def sysroot() -> Path:
    """Python with its tests, and the few programs that these start.

    Its library is compiled, as when Debian installs it, where the Python here has the same byte code.
    """
    root = debian.sysroot("arm64", *PACKAGES)
    library = root / "usr/lib/python3.11"
    with debian.locked(debian.cache() / "python-suite"):
        if sys.version_info[:2] == (3, 11) and not (library / "__pycache__/this.cpython-311.pyc").exists():
            with warnings.catch_warnings(action="ignore"):
                compileall.compile_dir(library, stripdir=str(root), quiet=2)
    return root


def command(way: str, root: Path, folder: Path) -> list[str]:
    """The host's command that runs the guest's Python; *folder* is for the run's own files."""
    if way == "qemu":
        return [sys.executable, binfmt.__file__, str(root), str(folder / "etc"), str(root / PROGRAM)]
    return [sys.executable, "-m", "compat", "run", "--net", "host", "--sysroot", str(root), f"/{PROGRAM}"]


def environment(way: str) -> dict[str, str]:
    """A few variables: qemu's guest sees them all, compat's only those of the user, the language and the terminal."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TERM") if name in os.environ}
    return kept | {"LANG": "C.UTF-8", "TZ": "UTC"} | ({"PYTHONPATH": str(REPOSITORY)} if way == "compat" else {})


def run(module: str, way: str, root: Path, limit: float, log: Path | None = None) -> Result:
    """Run one module within *limit* seconds; what it wrote goes to *log* too."""
    started, end = time.monotonic(), ""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        folder = Path(place)
        (work := folder / "work").mkdir()
        written = log or folder / "output"
        with written.open("wb") as output:
            process = subprocess.Popen(
                [*command(way, root, folder), "-m", "test", "-v", module],
                cwd=work,
                env=environment(way),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                if process.wait(limit):
                    end = f"exit status {process.returncode}"
            except subprocess.TimeoutExpired:
                end = f"no end within {limit:.0f} s"
            finally:
                stop(process)
        return python_table.result(written.read_text(errors="replace"), time.monotonic() - started, end)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End what is left of the run's process group."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def record(module: str, results: dict[str, Result]) -> None:
    """Rewrite the module's row of the table."""
    table = python_table.rows(TABLE.read_text()) if TABLE.exists() else {}
    table[module] = python_table.row(module, results, table.get(module))
    TABLE.write_text(python_table.markdown(table))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.real.python_suite", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="of test.*; those that meet the OS by default")
    parser.add_argument("--with", dest="way", choices=WAYS, help="one way only")
    parser.add_argument("--limit", type=float, default=900, help="seconds for one module (900)")
    parser.add_argument("--log", type=Path, metavar="FOLDER", help="keep what the modules write there")
    parser.add_argument("--record", action="store_true", help=f"write the modules' rows of {TABLE.name}")
    options = parser.parse_args()
    root = sysroot()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell ignores it for what runs in the background, as would Python
    if options.log:
        options.log.mkdir(parents=True, exist_ok=True)
    for module in options.modules or MODULES:
        results = {}
        for way in [options.way] if options.way else WAYS:
            log = options.log / f"{module}.{way}" if options.log else None
            results[way] = found = run(module, way, root, options.limit, log)
            told = ", ".join(f"{number} {name}" for name, number in found.counts.items())
            print(f"{module} {way}: {told}", *found.bad, sep="\n    ", flush=True)
        if options.record:
            record(module, results)


if __name__ == "__main__":
    main()
