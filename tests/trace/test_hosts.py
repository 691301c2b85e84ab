"""A TracedHost reports every call; a Host has nothing to do with it."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from compat.host import AT_FDCWD, Host
from compat.trace.hosts import TracedHost, calls


def test_calls_are_reported_with_result_or_error(tmp_path: Path) -> None:
    seen: list[tuple[str, tuple[Any, ...], Any]] = []
    host = TracedHost(lambda *call: seen.append(call))
    path = os.fsencode(tmp_path / "file")
    fd = host.openat(AT_FDCWD, path, os.O_CREAT | os.O_RDWR, 0o600)
    host.write(fd, b"abc")
    host.close(fd)
    with pytest.raises(FileNotFoundError):
        host.fstatat(AT_FDCWD, path + b"x")
    assert seen[:3] == [
        ("openat", (AT_FDCWD, path, os.O_CREAT | os.O_RDWR, 0o600), fd),
        ("write", (fd, b"abc"), 3),
        ("close", (fd,), None),
    ]
    assert (seen[3][0], seen[3][2].errno) == ("fstatat", errno.ENOENT)


def test_every_call_of_the_host_is_traced() -> None:
    host = TracedHost(lambda *_: None)
    assert set(calls()) <= set(vars(host))
    assert {"read", "openat2", "poll", "getrandom", "faccessat"} <= set(calls())
    assert "call" not in calls()
    assert type(Host().read) is type(os.read)
