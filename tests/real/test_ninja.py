"""ninja of PyPI: a program in C++ that runs a shell for each edge of a build."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import pytest

from tests.real.debian import sysroot
from tests.real.registries import wheel
from tests.real.running import Program

VERSION = "1.11.1.4"
HOSTS = {"x86_64": "manylinux_2_12_x86_64", "aarch64": "manylinux_2_17_aarch64"}
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


@pytest.fixture(scope="session")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """What the host's own ninja says of three builds: of all, of nothing, and after a file went away."""
    if platform.machine() not in HOSTS:
        pytest.skip("no wheel of ninja is named for the host's CPU")
    folder, tag = tmp_path_factory.mktemp("native"), HOSTS[platform.machine()]
    make_build(folder)

    def run(*arguments: str) -> bytes:
        return subprocess.run([ninja(tag), *arguments], cwd=folder, capture_output=True, timeout=60, check=True).stdout

    said = [run("-j1"), run()]
    (folder / "leaf3").unlink()
    return [*said, run(), run("-t", "query", "node0"), run("-t", "commands", "node200")]


def ninja(tag: str) -> Path:
    return wheel("ninja", VERSION, tag) / f"ninja-{VERSION}.data/scripts/ninja"


@pytest.mark.parametrize("tag", WHEELS)
def test_build(tag: str, tmp_path: Path, expected: list[bytes]) -> None:
    cpu, architecture = WHEELS[tag]
    root = sysroot(architecture, "dash", "libc6", "libgcc-s1", "libstdc++6")
    make_build(tmp_path)
    program = Program(ninja(tag), cpu, root)
    program.prints(expected[0], "-j1", folder=tmp_path)
    assert (tmp_path / "leaf7").read_text() == "made leaf7\n"
    program.prints(expected[1], folder=tmp_path)
    (tmp_path / "leaf3").unlink()
    program.prints(expected[2], folder=tmp_path)
    program.prints(expected[3], "-t", "query", "node0", folder=tmp_path)
    program.prints(expected[4], "-t", "commands", "node200", folder=tmp_path)


def test_five_hundred_commands_at_once(tmp_path: Path) -> None:
    root = sysroot("arm64", "dash", "libc6", "libgcc-s1", "libstdc++6")
    lines = ["rule make", "  command = echo $in > $out"]
    for i in range(EDGES):
        lines.append(f"build out{i}: make {f'out{(i - 1) // 2}' if i else 'seed'}")
    (tmp_path / "build.ninja").write_text("\n".join([*lines, ""]))
    (tmp_path / "seed").touch()
    program = Program(ninja("manylinux_2_17_aarch64"), "aarch64", root)
    said = program.output("-j4", "--quiet", folder=tmp_path, timeout=300)
    assert said == b""
    assert [(tmp_path / f"out{i}").read_text() for i in (0, 1, 499)] == ["seed\n", "out0\n", "out249\n"]
    assert len(list(tmp_path.glob("out*"))) == EDGES
