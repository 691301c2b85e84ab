"""Fixtures for the shims that every POSIX guest shares."""

from __future__ import annotations

import pytest

from tests.guests import FakeGuest


@pytest.fixture
def guest(fake_guest: FakeGuest) -> FakeGuest:
    return fake_guest
