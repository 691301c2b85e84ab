"""`-e`: names, classes, negation, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from compat.abi.abi import Abi
from compat.errors import CompatError
from compat.trace.filters import CLASSES, Selection
from tests.trace.traced import guest_side, trace

ABI = Abi("linux", "x86-64")


def chosen(expression: str) -> set[str]:
    selection = Selection(ABI, expression)
    return {name for name in ABI.numbers if selection.wants(name, ABI.tables.rows.get(name))}


def test_nothing_and_all_choose_everything() -> None:
    assert chosen("") == chosen("all") == chosen("trace=all") == set(ABI.numbers)
    assert chosen("!all") == set()


def test_names() -> None:
    assert chosen("openat,read") == chosen("trace=openat, read") == {"openat", "read"}
    assert chosen("!openat") == set(ABI.numbers) - {"openat"}


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("%file", {"openat", "unlink", "execve"}, {"read", "close", "mmap"}),
        ("%desc", {"read", "openat", "close", "epoll_wait"}, {"getpid", "unlink"}),
        ("%memory", {"mmap", "brk", "mprotect"}, {"read"}),
        ("%process", {"fork", "execve", "wait4", "exit_group"}, {"read"}),
        ("%signal", {"rt_sigaction", "kill", "rt_sigreturn"}, {"read"}),
        ("%network", {"socket", "connect", "sendmsg"}, {"read"}),
        ("%time", {"clock_gettime", "nanosleep"}, {"read"}),
        ("%ipc", {"shmget", "semop", "mq_open"}, {"read"}),
    ],
)
def test_classes(name: str, inside: set[str], outside: set[str]) -> None:
    found = chosen(name)
    assert inside <= found
    assert not outside & found
    assert chosen(f"!{name}") == set(ABI.numbers) - found


def test_every_class_is_tested_and_not_empty() -> None:
    assert all(chosen(name) for name in CLASSES)


def test_cases() -> None:
    selection = Selection(ABI, "fcntl/F_GETFL")
    cases = ABI.tables.cases["fcntl"]
    assert selection.wants("fcntl", cases["F_GETFL"])
    assert not selection.wants("fcntl", cases["F_GETFD"])
    assert Selection(ABI, "fcntl").wants("fcntl", cases["F_GETFD"])


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("raed", "no call named raed; did you mean read?"),
        ("read,%files", "no class of calls named %files; there are %file, %desc"),
        ("fcntl/F_NONE", "no call named fcntl/F_NONE"),
        ("!", "names no call"),
        (",", "names no call"),
    ],
)
def test_refusals(expression: str, sentence: str) -> None:
    with pytest.raises(CompatError) as refused:
        Selection(ABI, expression)
    assert sentence in str(refused.value)


def test_a_run(tmp_path: Path) -> None:
    lines, _ = trace(tmp_path, "x86-64/hello", "-e", "!write,%process")
    assert guest_side(lines)[-1] == "+++ exited with 0 +++"
    assert not any(line.startswith(("write", "exit_group")) for line in lines)
    lines, ended = trace(tmp_path / ".", "x86-64/hello", "-e", "wriet")
    assert ended.returncode != 0
    assert "did you mean write?" in ended.stderr
    assert "Traceback" not in ended.stderr
