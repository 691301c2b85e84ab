"""What a wheel holds: the tables travel with the code, and the command runs from any folder."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("compat", "abi_tables", "loaders", "shims")
NOT_DATA = {"__pycache__"}


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this tree, built without a network."""
    if not can_build():
        pytest.skip("building a wheel without a network needs pip and setuptools 70.1 in this environment")
    source = linked_tree(tmp_path_factory.mktemp("source"))
    target = tmp_path_factory.mktemp("wheel")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(target)]
    command = [sys.executable, "-m", "pip", "wheel", "-q", *options, str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = target.glob("*.whl")
    return built


def can_build() -> bool:
    """setuptools makes wheels by itself since 70.1."""
    try:
        release = version("setuptools").split(".")
        return (int(release[0]), int(release[1])) >= (70, 1) and bool(version("pip"))
    except (PackageNotFoundError, ValueError):
        return False


def linked_tree(target: Path) -> Path:
    """setuptools writes build/ and *.egg-info beside its input, so it works on links elsewhere."""
    for name in ("pyproject.toml", "README.md", "LICENSE", *PACKAGES):
        (target / name).symlink_to(ROOT / name)
    return target


def tree_files() -> Iterator[str]:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and not NOT_DATA & set(path.parts):
                yield str(path.relative_to(ROOT))


def test_a_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert set(tree_files()) <= names
    assert not [name for name in names if name.split("/")[0] in ("tests", "samples")]


def test_the_wheel_needs_no_compiler(wheel: Path) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")


def test_an_unpacked_wheel_runs_a_program_from_any_folder(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    program = ROOT / "samples/linux/aarch64/hello"
    done = subprocess.run(
        [sys.executable, "-m", "compat", "run", str(program)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    recorded = (ROOT / "samples/linux/hello.expected").read_text()
    assert recorded.startswith(done.stdout.splitlines()[0])
