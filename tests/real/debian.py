"""Packages of Debian for other CPUs, fetched by name into a cache: programs that nobody here wrote.

apt is given a private state, so nothing of the machine changes and no root is needed. The packages, and with them
the expectations of the tests, are those of one release; elsewhere the tests are skipped.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

RELEASE = "bookworm"
SOURCES = (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list"))

CPUS = {
    "arm64": "aarch64",
    "armhf": "arm",
    "i386": "x86",
    "ppc64el": "ppc64le",
    "s390x": "s390x",
    "mipsel": "mipsel",
    "mips64el": "mips64el",
}
"""Debian's names of architectures, and ours."""

SETTINGS = """
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
APT::Sandbox::User "root";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "20";
Dir::State "{folder}/state";
Dir::State::status "{folder}/state/status";
Dir::Cache "{folder}/cache";
Dir::Etc::sourcelist "{sources}";
Dir::Etc::sourceparts "-";
Dir::Etc::preferencesparts "-";
"""


def cache() -> Path:
    """Where packages and sysroots stay between runs; COMPAT_TEST_CACHE overrides it."""
    given = os.environ.get("COMPAT_TEST_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(given) if given else base / "compat-tests"


def sources() -> Path:
    """The machine's own list of Debian's archives; skips the test where there is none."""
    for tool in ("apt-get", "dpkg-deb", "tar"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed: packages can't be fetched")
    found = next((file for file in SOURCES if file.exists() and RELEASE in file.read_text()), None)
    if not found:
        pytest.skip(f"this machine has no package sources of Debian {RELEASE}")
    return found


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One test process at a time may fill *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def apt(folder: Path, *arguments: str) -> str | None:
    """Run apt-get with the private state in *folder*; apt's last sentence when it fails."""
    command = ["apt-get", "-qq", *arguments]
    environment = os.environ | {"APT_CONFIG": str(folder / "apt.conf"), "LC_ALL": "C"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    if not done.returncode:
        return None
    return (done.stderr.strip().splitlines() or ["no reason given"])[-1]


def prepare(folder: Path, architecture: str) -> None:
    """Give *folder* a private apt state for one architecture, with package lists.

    A mirror may lack one list for a while; the others are enough if the packages are in them.
    """
    done = folder / "lists-are-here"
    if done.exists():
        return
    settings = SETTINGS.format(architecture=architecture, folder=folder, sources=sources())
    for part in ("state/lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "state/status").touch()
    (folder / "apt.conf").write_text(settings)
    refused = apt(folder, "update")
    if not any((folder / "state/lists").glob("*_main_*_Packages*")):
        pytest.skip(f"apt-get update failed: {refused}")
    done.touch()


def unpack(package: Path, into: Path) -> None:
    """Unpack the files of a package over *into*, through the links that a merged /usr has."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as files:
        keep = ["--keep-directory-symlink", "--no-same-owner", "--exclude=./usr/share/doc"]
        subprocess.run(["tar", "-x", *keep, "-C", into], stdin=files.stdout, check=True)


def sysroot(architecture: str, *packages: str) -> Path:
    """A folder with *packages* and all that they need, as root of a foreign file system.

    Skips the test with a reason where the packages can't be had.
    """
    base = cache() / RELEASE / architecture
    root = base / "+".join(packages)
    with locked(base):
        if not root.exists():
            prepare(base, architecture)
            fill(base, root, packages)
    return root


def fill(base: Path, root: Path, packages: tuple[str, ...]) -> None:
    """Fetch *packages* with their dependencies and make *root* of them; *root* appears only when it is whole."""
    archives = base / "cache/archives"
    for old in archives.glob("*.deb"):
        old.unlink()
    refused = apt(base, "install", "--yes", "--download-only", *packages)
    if refused:
        pytest.skip(f"{' '.join(packages)} can't be fetched: {refused}")
    half = root.with_name(root.name + ".partial")
    shutil.rmtree(half, ignore_errors=True)
    for merged in ("bin", "sbin", "lib", "lib64"):
        (half / "usr" / merged).mkdir(parents=True)
        (half / merged).symlink_to(f"usr/{merged}")
    for package in sorted(archives.glob("*.deb")):
        unpack(package, half)
    (half / "etc").mkdir(exist_ok=True)
    (half / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
    (half / "etc/group").write_text("root:x:0:\nnogroup:x:65534:\n")
    half.rename(root)
