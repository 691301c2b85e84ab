"""Build the Windows samples with ziglang: `python samples/build_windows.py [NAMES] [--into FOLDER]`.

As samples/build.py; the command and the version stand in samples/windows/BUILD.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

SOURCES = Path(__file__).parent / "windows"

TRIPLES = {"x86-64": "x86_64-windows-gnu"}
FLAGS = ["-Os", "-s", "-Wall", "-ffp-contract=off"]
BARE = ["-nostdlib", "-Wl,-e,start", "-lkernel32"]
"""How bare.c is linked, which has no C library."""


def names() -> list[str]:
    """All samples."""
    return sorted(file.stem for file in SOURCES.glob("*.c"))


def command(name: str, cpu: str) -> list[str]:
    """What follows `python -m ziglang`, run in the folder of the sources, without `-o FILE`."""
    return ["cc", "-target", TRIPLES[cpu], *FLAGS, f"{name}.c", *(BARE if name == "bare" else [])]


def build(name: str, cpu: str, into: Path) -> Path:
    """Build and answer the file; subprocess.CalledProcessError when the compiler refuses."""
    target = into.absolute() / cpu / f"{name}.exe"
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, "-m", "ziglang", *command(name, cpu), "-o", target], cwd=SOURCES, check=True)
    for extra in (target.with_suffix(".pdb"), target.with_suffix(".lib")):
        extra.unlink(missing_ok=True)
    return target


def record() -> str:
    """The text of samples/windows/BUILD."""
    lines = [f"ziglang {version('ziglang')}", ""]
    lines += [f"{cpu}: python -m ziglang {' '.join(command('NAME', cpu))} -o {cpu}/NAME.exe" for cpu in TRIPLES]
    lines += ["", f"bare: {' '.join(BARE)} at the end"]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--into", type=Path, default=SOURCES)
    options = parser.parse_args()
    for cpu in TRIPLES:
        for name in options.names or names():
            print(build(name, cpu, options.into))
    if options.into == SOURCES:
        (SOURCES / "BUILD").write_text(record(), encoding="utf-8")


if __name__ == "__main__":
    main()
