"""Fixtures for the shims of Linux: on one 64-bit little-endian CPU and one 32-bit big-endian one."""

from __future__ import annotations

import pytest

from tests.linux.guest import Guest


@pytest.fixture(params=["x86-64", "ppc"])
def guest(request: pytest.FixtureRequest) -> Guest:
    return Guest(request.param)


@pytest.fixture
def make_guest() -> type[Guest]:
    """For tests of what one CPU has alone."""
    return Guest
