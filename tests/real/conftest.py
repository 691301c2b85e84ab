"""Programs of Debian for other CPUs, fetched once per cache."""

from __future__ import annotations

import pytest

from tests.real import debian
from tests.real.running import Program


@pytest.fixture(scope="session", params=sorted(debian.CPUS))
def busybox(request: pytest.FixtureRequest) -> Program:
    """The static busybox of each architecture."""
    root = debian.sysroot(request.param, "busybox-static")
    return Program(root / "bin/busybox", debian.CPUS[request.param])


def dynamic(package: str, program: str, *more: str) -> Program:
    """A dynamic program of arm64, with the sysroot it needs."""
    root = debian.sysroot("arm64", package, *more)
    return Program(root / program, "aarch64", root)


@pytest.fixture(scope="session")
def lua() -> Program:
    return dynamic("lua5.4", "usr/bin/lua5.4")


@pytest.fixture(scope="session")
def sqlite() -> Program:
    return dynamic("sqlite3", "usr/bin/sqlite3")


@pytest.fixture(scope="session")
def python() -> Program:
    return dynamic("python3.11-minimal", "usr/bin/python3.11", "libpython3.11-stdlib")
