"""Guests for tests of shims: one little-endian CPU of 64 bits, one big-endian of 32 whose numbers deviate most."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from shims.linux.state import LinuxThread
from tests.guests import FakeGuest


@pytest.fixture(autouse=True)
def host_mask() -> Iterator[None]:
    """What a guest in this process has the host hold back would be held back from later tests and their children."""
    held = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    yield
    signal.pthread_sigmask(signal.SIG_SETMASK, held)


@pytest.fixture(params=["x86-64", "mips"])
def fake_guest(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FakeGuest]:
    """A process whose root folder is tmp_path/root."""
    root = tmp_path / "root"
    root.mkdir()
    made = FakeGuest(request.param, root)
    yield made
    made.close()


@pytest.fixture
def guest_thread(fake_guest: FakeGuest) -> LinuxThread:
    """The only thread of `fake_guest`."""
    return fake_guest.thread
