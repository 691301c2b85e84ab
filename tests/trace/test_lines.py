"""The text of a trace, from real runs of the samples."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from compat.trace.events import Argument, CallEvent, HostCall
from compat.trace.lines import show_call
from tests.trace.traced import guest_side, trace

HELLO = {
    "x86-64": [
        "arch_prctl(ARCH_SET_FS, 0x1003008) = 0",
        "set_tid_address(0x1002fb8) = N",
        'write(1, "hello, world\\n", 13) = 13',
        "exit_group(0) = ?",
        "+++ exited with 0 +++",
    ],
    "mips": [
        "set_thread_area(0x38870) = 0",
        "set_tid_address(0x317e4) = N",
        'write(1, "hello, world\\n", 13) = 13',
        "exit_group(0) = ?",
        "+++ exited with 0 +++",
    ],
    "s390x": [
        "set_tid_address(0x1003130) = N",
        'write(1, "hello, world\\n", 13) = 13',
        "exit_group(0) = ?",
        "+++ exited with 0 +++",
    ],
}


@pytest.mark.parametrize("cpu", HELLO)
def test_hello(cpu: str, tmp_path: Path) -> None:
    lines, ended = trace(tmp_path, f"{cpu}/hello")
    assert ended.stdout == "hello, world\n"
    assert guest_side(lines) == HELLO[cpu]
    (host,) = [line.partition("   → ")[2] for line in lines if line.startswith("write")]
    assert '["hello, world\\n"]' in host
    assert host.endswith(" = 13")


def test_arguments_results_and_errors(tmp_path: Path) -> None:
    lines, ended = trace(tmp_path, "mips/files")
    assert ended.returncode == 0
    shown = guest_side(lines)
    assert 'open("a", O_RDWR|O_CREAT|O_EXCL|O_LARGEFILE, 0640) = 3' in shown
    assert 'open("missing", O_RDONLY|O_LARGEFILE) = -1 ENOENT (No such file or directory)' in shown
    assert 'read(3, "3456", 4) = 4' in shown
    assert 'writev(3, [{base="abc", len=3}, {base="", len=0}, {base="defg", len=4}], 3) = 7' in shown
    assert 'readv(3, [{base="abc", len=3}, {base="defg", len=4}], 2) = 7' in shown
    assert any(line.startswith("read(999, 0x") and line.endswith("EBADF (Bad file descriptor)") for line in shown)
    assert any(line.startswith('statx(AT_FDCWD, "a",') and "mode=S_IFREG|0751" in line for line in shown)


def test_the_host_side_names_the_file_and_leaves_out_the_steps(tmp_path: Path) -> None:
    lines, _ = trace(tmp_path, "x86-64/files", "-e", "open,chmod,rmdir")
    hosts = [line.partition("   → ")[2] for line in lines]
    created = next(line for line in hosts if "O_EXCL" in line)
    assert created.startswith("openat(")
    assert "/a, O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW, 0640) = " in created
    assert not any("fstat" in line for line in hosts if "openat" in line)
    assert any(line.startswith("unlinkat(") and line.endswith(", AT_REMOVEDIR)") for line in hosts)


def test_signals_and_death(tmp_path: Path) -> None:
    lines, ended = trace(tmp_path, "mips64/killed")
    assert ended.returncode == 139
    assert lines[-2:] == [
        "--- SIGSEGV {si_code=SEGV_MAPERR, addr=0x10} ---",
        "+++ killed by SIGSEGV (core dumped) +++",
    ]


def test_signal_sets_and_interrupted_calls(tmp_path: Path) -> None:
    lines, _ = trace(tmp_path, "aarch64/pipes")
    shown = guest_side(lines)
    at = shown.index("ppoll([], 0, {sec=5, nsec=0}, [], 8) = ? ERESTARTNOHAND")
    assert shown[at + 1 : at + 3] == ["--- SIGUSR1 {si_code=SI_TKILL, pid=N, uid=0} ---", "rt_sigreturn() = ?"] or (
        shown[at + 1].startswith("--- SIGUSR1 {si_code=SI_TKILL, pid=N")
    )
    assert "rt_sigprocmask(SIG_BLOCK, [USR1], NULL, 8) = 0" in shown
    assert sum("ppoll([], 0, {sec=5" in line for line in shown) == 1, "a call that waits is shown once"


def test_children_and_threads_are_told_apart(tmp_path: Path) -> None:
    lines, _ = trace(tmp_path, "x86-64/processes")
    children = {line.split("]")[0] for line in lines if line.startswith("[pid ")}
    assert len(children) > 1
    assert all(line[:1] == "[" or not line.startswith("fork() = 0") for line in lines)
    assert sum("+++ " in line for line in lines) > 1
    lines, _ = trace(tmp_path, "x86-64/threads")
    assert len({line.split("]")[0] for line in lines if " tid " in line}) > 1


def test_two_results(tmp_path: Path) -> None:
    lines, ended = trace(tmp_path, "mips/pipes", "-e", "pipe")
    assert ended.returncode == 0
    assert "pipe() = [3, 4]" in guest_side(lines)


def test_wild_pointers_are_shown_as_such(tmp_path: Path) -> None:
    lines, ended = trace(tmp_path, "mips/wild")
    assert ended.returncode == 0
    assert "break() = -1 ENOSYS (Function not implemented)   (refused: never existed in Linux)" in lines
    assert "break() = -1 ENOSYS (Function not implemented)" in lines, "the reason is given once"
    unknown = [line for line in lines if line.startswith("number ")]
    assert unknown
    assert all(line.endswith("(unimplemented: an unknown number)") for line in unknown)


def event(**members: object) -> CallEvent:
    return CallEvent(0.0, 1, 1, "read", 0, "done", [Argument("fd", 3, "3")], **members)  # type: ignore[arg-type]


def test_endings() -> None:
    assert show_call(event()) == "read(3) = ?"
    assert show_call(event(result=2, text="2")) == "read(3) = 2"
    assert show_call(event(restart="ERESTARTSYS")) == "read(3) = ? ERESTARTSYS"
    assert show_call(event(error=errno.errorcode[errno.EIO])) == "read(3) = -1 EIO (Input/output error)"
    served = [HostCall("read", [7, 10], b"hi\n"), HostCall("fstat", [7], error="EBADF")]
    assert show_call(event(text="2", host=served)) == 'read(3) = 2   → read(7, 10) = "hi\\n"'
