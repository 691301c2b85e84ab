"""ruff of PyPI: a program in Rust whose threads share work; it lints and formats as its build for the host does."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

import pytest

from tests.real.debian import sysroot
from tests.real.registries import wheel
from tests.real.running import Program

VERSION = "0.9.10"
HOSTS = {"x86_64": "manylinux_2_17_x86_64", "aarch64": "manylinux_2_17_aarch64"}
WHEELS = {
    "manylinux_2_17_aarch64": ("aarch64", "arm64"),
    "musllinux_1_2_armv7l": ("arm", None),
    "manylinux_2_17_armv7l": ("arm", "armhf"),
    "manylinux_2_17_ppc64le": ("ppc64le", "ppc64el"),
    "manylinux_2_17_s390x": ("s390x", "s390x"),
    "manylinux_2_17_i686": ("x86", "i386"),
}
"""Tags of wheels; our CPU; Debian's architecture if the program needs libraries."""

SOURCE = """\
import os, sys
from typing import List
def call{i}(a,b = {i}, *args, **kw):
    x = {{ 'a':1, "b" : [1,2,3 ], }}
    if a == None: return x
    l = lambda q : q+1
    for k in range(len(args)) :
        print( "%s" % k, l(k), undefined )
    try:
        pass
    except:
        pass
class  Box{i}( object ):
    def m(self): return   self.n[{i}:a+1]
"""

CHECK = ("check", "--no-cache", "--isolated", "--select=E,F,W,B,UP,SIM", "--output-format=concise", "pkg")
FORMAT = ("format", "--no-cache", "--isolated", "pkg")


def make_sources(folder: Path) -> None:
    (folder / "pkg").mkdir()
    for i in range(16):
        (folder / f"pkg/mod{i}.py").write_text(SOURCE.format(i=i))


def sources(folder: Path) -> list[str]:
    return [file.read_text() for file in sorted((folder / "pkg").iterdir())]


def ruff(platform: str) -> Path:
    return wheel("ruff", VERSION, platform) / f"ruff-{VERSION}.data/scripts/ruff"


@pytest.fixture(scope="session")
def expected(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[str]]:
    """What the host's own ruff says of the sources, and makes of them."""
    if platform.machine() not in HOSTS:
        pytest.skip("no wheel of ruff is named for the host's CPU")
    folder = tmp_path_factory.mktemp("native")
    make_sources(folder)
    native = ruff(HOSTS[platform.machine()])
    environment = os.environ | {"NO_COLOR": "1"}
    said = subprocess.run([native, *CHECK], cwd=folder, env=environment, capture_output=True, timeout=60, check=False)
    subprocess.run([native, *FORMAT], cwd=folder, capture_output=True, timeout=60, check=True)
    return said.stdout, sources(folder)


@pytest.mark.parametrize("tag", WHEELS)
def test_check_and_format(tag: str, tmp_path: Path, expected: tuple[bytes, list[str]]) -> None:
    cpu, architecture = WHEELS[tag]
    root = sysroot(architecture, "libc6", "libgcc-s1", "libstdc++6") if architecture else None
    make_sources(tmp_path)
    program = Program(ruff(tag), cpu, root)
    program.prints(expected[0], *CHECK, folder=tmp_path, status=1)
    program.prints("16 files reformatted\n", *FORMAT, folder=tmp_path)
    assert sources(tmp_path) == expected[1]
