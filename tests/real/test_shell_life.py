"""Debian's bash with what surrounds it: hundreds of processes; the host must make the same of the same input."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
from pathlib import Path

import pytest

from tests.real import debian
from tests.real.running import Program

PACKAGES = ("bash", "dash", "coreutils", "findutils", "grep", "sed", "gawk", "make", "git", "tar", "xz-utils")
SCRIPT = Path(__file__).parent / "snippets/life.sh"
PARTS = range(1, 13)

MAKEFILE = """\
PARTS = $(shell seq 12)
total.txt: $(PARTS:%=out%.txt)
\tcat $^ | sha256sum | cut -d' ' -f1 > $@
out%.txt: in%.txt
\tgawk '{ s += $$1; print s }' $< | sort -rn | tail -n 20 > $@
"""

PRINTED = """\
first
second
third
merged
 1 file changed, 21 insertions(+), 21 deletions(-)
up to date
64 26
12
a subshell's status: 3
a job's end: 143
total.txt
out9.txt
out8.txt
trapped
"""


@pytest.fixture(scope="session")
def bash() -> Program:
    if os.environ.get("COMPAT_TEST_WITH") == "qemu":
        pytest.skip("qemu-user leaves what bash executes to the host")
    root = debian.sysroot("arm64", *PACKAGES)
    return Program(root / "usr/bin/bash", "aarch64", root)


def inputs(part: int) -> str:
    """The text of in{part}.txt after all commits."""
    lines = [str(n) for n in range(part, part * 40 + 1)]
    if part == 3:
        lines = [line.replace("7", "seven", 1) for line in lines]
    return "\n".join(lines + ["more"] * (part == 4)) + "\n"


def outputs(text: str) -> str:
    """What gawk, sort and tail make of it: sums that grow, in falling order, the least 20."""
    sums, total = [], 0
    for line in text.splitlines():
        digits = line[: next((k for k, c in enumerate(line) if not c.isdigit()), len(line))]
        total += int(digits or 0)
        sums.append(total)
    return "".join(f"{n}\n" for n in sorted(sums, reverse=True)[-20:])


def expected_files() -> dict[str, bytes]:
    files = {f"in{part}.txt": inputs(part) for part in PARTS}
    made = {f"out{part}.txt": outputs(files[f"in{part}.txt"]) for part in PARTS}
    whole = "".join(made[f"out{part}.txt"] for part in PARTS)
    files |= made | {"Makefile": MAKEFILE, "total.txt": hashlib.sha256(whole.encode()).hexdigest() + "\n"}
    return {name: text.encode() for name, text in files.items()}


def test_a_shells_life(bash: Program, tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text(MAKEFILE)
    shutil.copy(SCRIPT, tmp_path)
    bash.prints(PRINTED, SCRIPT.name, folder=tmp_path, timeout=300)
    files = expected_files()
    in_work = {f"work/{name}": data for name, data in files.items()}
    sums = dict(reversed(line.split()) for line in (tmp_path / "sums").read_text().splitlines())
    assert sums == {f"./{name}": hashlib.sha256(data).hexdigest() for name, data in files.items()}
    with tarfile.open(tmp_path / "archive.tar.xz") as archive:
        packed = {member.name: archive.extractfile(member) for member in archive.getmembers() if member.isfile()}
        assert {name: file.read() for name, file in packed.items() if file} == in_work
