"""Build the runtimes with ziglang: `python shims/runtime/build.py [CPU] [--into FOLDER]`.

The same ziglang gives the same bytes; its version and the command stand in the file BUILD beside the results.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent

TRIPLES = {"x86-64": "x86_64-linux-musl"}

# -ffp-contract=off: as the samples.
FLAGS = [
    *("-std=gnu11", "-O2", "-s", "-static", "-fPIE", "-pie", "-ffp-contract=off", "-fno-sanitize=all"),
    *("-fno-asynchronous-unwind-tables", "-Wall", "-Wno-parentheses"),
]


def sources() -> list[str]:
    """The C files of the Windows runtime, from this folder."""
    return sorted(f"windows/{file.name}" for file in (HERE / "windows").glob("*.c"))


def command(cpu: str) -> list[str]:
    """What follows `python -m ziglang`, run in this folder, without `-o FILE`."""
    return ["cc", "-target", TRIPLES[cpu], *FLAGS, *sources()]


def build(cpu: str, into: Path) -> Path:
    """Build for *cpu*; returns the file. Raises subprocess.CalledProcessError when the compiler refuses."""
    target = into.absolute() / f"windows-{cpu}"
    subprocess.run([sys.executable, "-m", "ziglang", *command(cpu), "-o", target], cwd=HERE, check=True)
    return target


def record() -> str:
    """The text of BUILD."""
    lines = [f"ziglang {version('ziglang')}", ""]
    lines += [f"{cpu}: python -m ziglang {' '.join(command(cpu))} -o windows-{cpu}" for cpu in TRIPLES]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cpus", nargs="*", choices=[[], *TRIPLES])
    parser.add_argument("--into", type=Path, default=HERE)
    options = parser.parse_args()
    for cpu in options.cpus or TRIPLES:
        print(build(cpu, options.into))
    if options.into == HERE:
        (HERE / "BUILD").write_text(record(), encoding="utf-8")


if __name__ == "__main__":
    main()
