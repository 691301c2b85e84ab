"""Programs from npm and PyPI for other CPUs, fetched by name and version into the cache."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real.debian import cache, locked


def npm_package(name: str, version: str) -> Path:
    """The unpacked files of an npm package; skips the test with a reason where it can't be had."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed: packages can't be fetched")

    def fetch(into: Path) -> list[str]:
        return ["npm", "pack", "--silent", "--pack-destination", str(into), f"{name}@{version}"]

    return _unpacked("npm", f"{name}-{version}", fetch)


def wheel(name: str, version: str, platform: str) -> Path:
    """The unpacked files of a wheel for *platform*, a tag of PyPI; skips the test where it can't be had."""

    def fetch(into: Path) -> list[str]:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        return [*pip, "--platform", platform, "--dest", str(into), f"{name}=={version}"]

    return _unpacked("pypi", f"{name}-{version}-{platform}", fetch)


def _unpacked(registry: str, name: str, fetch: Callable[[Path], list[str]]) -> Path:
    """The folder of a package, which appears only when it is whole; *fetch* is the command that fills a folder."""
    base = cache() / registry
    root = base / name.replace("/", "+")
    with locked(base):
        if not root.exists():
            half = root.with_name(root.name + ".partial")
            shutil.rmtree(half, ignore_errors=True)
            half.mkdir()
            done = subprocess.run(fetch(half), capture_output=True, text=True, timeout=300, check=False)
            if done.returncode:
                told = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
                pytest.skip(f"{name} can't be fetched from {registry}: {told}")
            for archive in list(half.iterdir()):
                _unpack(archive, half)
                archive.unlink()
            half.rename(root)
    return root


def _unpack(archive: Path, into: Path) -> None:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as files:
            files.extractall(into)
    else:
        with tarfile.open(archive) as files:
            files.extractall(into, filter="data")
    for program in (*into.glob("*.data/scripts/*"), *into.glob("package/bin/*")):
        program.chmod(0o755)
