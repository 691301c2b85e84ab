"""ninja of PyPI: a program in C++ that runs a shell for each edge of a build."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.debian import sysroot
from tests.real.registries import wheel
from tests.real.running import Program

VERSION = "1.11.1.4"
WHEELS = {
    "manylinux_2_17_aarch64": ("aarch64", "arm64"),
    "manylinux_2_17_ppc64le": ("ppc64le", "ppc64el"),
    "manylinux_2_17_s390x": ("s390x", "s390x"),
}
"""Tags of wheels; our CPU; Debian's architecture."""

EDGES, COMMANDS = 500, 12
"""Most edges only join others: a command takes a tenth of a second, most of it the start of a shell."""


def make_build(folder: Path) -> None:
    """A tree of edges; the lowest run a command."""
    lines = ["rule copy", "  command = read line < leaf; echo $$line $out > $out", "  description = COPY $out", ""]
    for i in range(COMMANDS):
        lines.append(f"build leaf{i}: copy leaf")
    for i in range(EDGES - COMMANDS):
        below = [f"node{j}" for j in (2 * i + 1, 2 * i + 2) if j < EDGES - COMMANDS] or [f"leaf{i % COMMANDS}"]
        lines.append(f"build node{i}: phony {' '.join(below)}")
    (folder / "build.ninja").write_text("\n".join([*lines, "default node0", ""]))
    (folder / "leaf").write_text("made\n")


@pytest.mark.parametrize("tag", WHEELS)
def test_build(tag: str, tmp_path: Path) -> None:
    cpu, architecture = WHEELS[tag]
    root = sysroot(architecture, "dash", "libc6", "libgcc-s1", "libstdc++6")
    make_build(tmp_path)
    ninja = Program(wheel("ninja", VERSION, tag) / f"ninja-{VERSION}.data/scripts/ninja", cpu, root)
    said = [f"[{i + 1}/{COMMANDS}] COPY leaf{i}" for i in range(COMMANDS)]
    ninja.prints("\n".join([*said, ""]), "-j1", folder=tmp_path)
    assert (tmp_path / "leaf7").read_text() == "made leaf7\n"
    ninja.prints("ninja: no work to do.\n", folder=tmp_path)
    (tmp_path / "leaf3").unlink()
    ninja.prints("[1/1] COPY leaf3\n", folder=tmp_path)
