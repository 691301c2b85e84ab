"""Every CPU test runs for every variant."""

from __future__ import annotations

import pytest

from tests.cpu.guest import Guest
from tests.cpu.sources import CPUS


@pytest.fixture(params=CPUS)
def guest(request: pytest.FixtureRequest) -> Guest:
    return Guest(request.param)
