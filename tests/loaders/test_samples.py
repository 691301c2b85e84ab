"""The ELF files that tests use are what their sources and build commands make, and loaders know every sample."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from compat.image import Image
from loaders.detect import detect
from loaders.source import open_source
from tests.loaders.splice import DATA, sample, sample_names

BUILT_WITH = "0.17.1"


def zig_version() -> str:
    try:
        return version("ziglang")
    except PackageNotFoundError:
        return "none"


SAMPLES = Path(__file__).parents[2] / "samples" / "linux"


@pytest.mark.skipif(zig_version() != BUILT_WITH, reason=f"needs the package ziglang {BUILT_WITH}")
def test_the_build_script_makes_the_committed_files(tmp_path: Path) -> None:
    for name in ("build.sh", "tiny.c"):
        shutil.copy(DATA / name, tmp_path)
    subprocess.run(
        ["sh", "build.sh"], cwd=tmp_path, env=os.environ | {"PYTHON": sys.executable}, check=True, capture_output=True
    )
    for name in sample_names():
        assert (tmp_path / name).read_bytes() == sample(name), name


@pytest.mark.parametrize(
    "folder", sorted(path for path in SAMPLES.glob("*") if path.is_dir()), ids=lambda path: path.name
)
def test_every_built_sample_is_for_the_cpu_it_is_kept_under(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_file() and path.read_bytes()[:4] == b"\x7fELF":
            with open_source(path) as source:
                image = detect(source)
            assert isinstance(image, Image)
            assert (image.cpu, image.remarks) == (folder.name, ()), path
