"""Fork, wait, exit: children are the host's."""

from __future__ import annotations

import errno
import os
import select
import signal

import pytest

from compat.data import replace
from compat.errors import ThreadExit, Wait
from compat.host.census import Census
from compat.process import Options
from shims.linux.vfork import give_back
from shims.posix.family import is_visible, visible
from tests.linux.guest import Guest, refused


def fork(guest: Guest, name: str = "fork", *arguments: int, status: int = 0, kill: int = 0) -> int:
    """Fork; the child leaves at once with *status*, or by the host's signal *kill*."""
    pid = guest.call(name, *arguments)
    if pid == 0:
        if kill:
            signal.signal(kill, signal.SIG_DFL) if kill != signal.SIGKILL else None
            os.kill(os.getpid(), kill)
        os._exit(status)
    return pid


def options(guest: Guest, *names: str) -> int:
    return guest.abi.flags("WaitOptions").encode(names)


def test_a_child_that_exits(guest: Guest) -> None:
    pid = fork(guest, status=7)
    status, usage = guest.word(), guest.struct("Rusage")
    assert guest.call("wait4", -1, status, 0, usage) == pid
    assert guest.int_at(status) == 7 << 8
    assert guest.record("Rusage", usage).int("maxrss") > 0
    assert not guest.process.children
    with pytest.raises(ChildProcessError):
        guest.call("wait4", -1, status, 0, 0)


@pytest.mark.parametrize("cpu", ["x86-64", "mips"])
def test_the_signal_that_killed_a_child_has_the_guests_number(make_guest: type[Guest], cpu: str) -> None:
    guest = make_guest(cpu)
    pid = fork(guest, kill=signal.SIGUSR1)
    status = guest.word()
    assert guest.call("waitpid" if cpu == "mips" else "wait4", pid, status, 0, 0) == pid
    assert guest.int_at(status) == (16 if cpu == "mips" else 10)


def test_a_child_that_is_still_there(guest: Guest) -> None:
    reader, writer = os.pipe()
    pid = guest.call("fork")
    if pid == 0:
        os.close(writer)
        os.read(reader, 1)
        os._exit(3)
    status = guest.word()
    assert guest.call("wait4", pid, status, options(guest, "WNOHANG"), 0) == 0
    with pytest.raises(Wait) as wait:
        guest.enter("wait4", pid, status, 0, 0)
    assert wait.value.descriptors
    os.close(reader)
    os.close(writer)
    assert guest.call("wait4", pid, status, 0, 0) == pid
    assert guest.int_at(status) == 3 << 8


def test_a_stopped_child(guest: Guest) -> None:
    pid = guest.call("fork")
    if pid == 0:
        os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(0)
    status = guest.word()
    assert guest.call("wait4", pid, status, options(guest, "WUNTRACED"), 0) == pid
    assert guest.int_at(status) == guest.abi.signals.encode("SIGSTOP") << 8 | 0x7F
    guest.call("kill", pid, guest.abi.signals.encode("SIGCONT"))
    assert guest.call("wait4", pid, status, 0, 0) == pid
    assert guest.int_at(status) == 0


def test_waitid_tells_how_a_child_ended(guest: Guest) -> None:
    pid = fork(guest, status=9)
    info, exited = guest.allot(128), options(guest, "WEXITED")
    by_pid = guest.abi.constants("IdType").encode("P_PID")
    for extra in (options(guest, "WNOWAIT"), 0):
        assert guest.call("waitid", by_pid, pid, info, exited | extra, 0) == 0
        found = guest.record("SiginfoChild", info)
        assert found["head.signo"] == guest.abi.signals.encode("SIGCHLD")
        assert (found["pid"], found["status"], found["head.code"]) == (pid, 9, 1)
    with pytest.raises(ChildProcessError):
        guest.call("waitid", by_pid, pid, info, exited, 0)


def test_waitid_without_news_is_all_zero(guest: Guest) -> None:
    reader, writer = os.pipe()
    pid = guest.call("fork")
    if pid == 0:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    info = guest.put(b"\xff" * 128)
    assert guest.call("waitid", 0, 0, info, options(guest, "WEXITED", "WNOHANG"), 0) == 0
    assert guest.bytes_at(info, 24) == bytes(24)
    os.close(reader)
    os.close(writer)
    assert guest.call("wait4", pid, 0, 0, 0) == pid


def test_wait_options_that_do_not_exist(guest: Guest) -> None:
    for name, arguments in (("wait4", (-1, 0, 0x100, 0)), ("waitid", (0, 0, 0, 1, 0))):
        with refused(errno.EINVAL):
            guest.call(name, *arguments)


def test_the_child_is_a_process_of_its_own(guest: Guest) -> None:
    reader, writer = os.pipe()
    assert guest.call("getppid") == 0
    guest.thread.robust_list = guest.thread.clear_tid = 4
    parent = guest.process.pid
    if guest.call("fork") == 0:
        own = guest.call("getpid")
        good = own == os.getpid() == guest.call("gettid") and guest.call("getppid") == parent
        good = good and not guest.process.children and guest.thread.robust_list == guest.thread.clear_tid == 0
        os.write(writer, b"good" if good and guest.process.root_pid == parent else b"bad")
        os._exit(0)
    assert os.read(reader, 10) == b"good"
    assert guest.call("wait4", -1, 0, 0, 0) > 0
    assert guest.thread.robust_list == 4
    os.close(reader)
    os.close(writer)


def test_vfork_waits_for_the_child(guest: Guest) -> None:
    reader, writer = os.pipe()
    try:
        if guest.enter("vfork") == 0:
            os.close(writer)
            os.read(reader, 1)
            os._exit(1)
        raise AssertionError("the parent did not wait")
    except Wait as wait:
        waited = wait
    os.close(reader)
    os.close(writer)
    guest.settle(waited)
    pid, status = guest.enter("vfork"), guest.word()
    assert guest.call("wait4", pid, status, 0, 0) == pid
    assert guest.int_at(status) == 1 << 8


def test_vfork_ends_when_the_child_has_another_program(guest: Guest) -> None:
    reader, writer = os.pipe()
    pid = guest.call("vfork")
    if pid == 0:
        os.close(writer)
        give_back(guest.process)
        os.read(reader, 1)
        os._exit(0)
    assert guest.call("wait4", pid, 0, options(guest, "WNOHANG"), 0) == 0
    os.close(reader)
    os.close(writer)
    assert guest.call("wait4", pid, 0, 0, 0) == pid


def test_the_limit_of_processes(make_guest: type[Guest]) -> None:
    guest = make_guest("x86-64", Options(processes=1))
    with pytest.raises(BlockingIOError):
        guest.call("fork")


def test_exit_status_is_a_byte(guest: Guest) -> None:
    with pytest.raises(ThreadExit):
        guest.call("exit_group", 0x1FF)
    assert guest.process.status == 0xFF00


def test_execve_hands_over_to_the_personality(guest: Guest) -> None:
    asked: list[object] = []

    def execute(*arguments: object) -> object:
        asked.extend(arguments)
        return lambda: None

    guest.process.execute = execute  # type: ignore[assignment]
    word = guest.abi.word_codec()
    args = guest.put(word.pack(guest.put(b"a\0")) + word.pack(guest.put(b"b\0")) + word.pack(0))
    guest.call("execve", guest.put(b"/bin/x\0"), args, 0)
    assert asked == [guest.thread, None, b"/bin/x", [b"a", b"b"], [], frozenset()]
    assert guest.thread.jump is not None


def test_usage_and_priority(guest: Guest) -> None:
    usage = guest.struct("Rusage")
    guest.call("getrusage", 0, usage)
    assert guest.record("Rusage", usage).int("maxrss") > 0
    assert guest.call("getpriority", 0, 0) == 20 - os.getpriority(os.PRIO_PROCESS, 0)
    guest.call("setpriority", 0, 0, os.getpriority(os.PRIO_PROCESS, 0))
    with pytest.raises(ProcessLookupError):
        guest.call("setpriority", 0, os.getppid(), 19)
    with refused(errno.EINVAL):
        guest.call("getrusage", 5, usage)


def test_pidfd_of_strangers(guest: Guest) -> None:
    with pytest.raises(ProcessLookupError):
        guest.call("pidfd_open", 1, 0)
    assert guest.process.files.get(guest.call("pidfd_open", guest.process.pid, 0)).fd >= 0


# --- who may be waited for, and seen ---


def test_a_child_without_sigchld_is_a_clone_child(guest: Guest) -> None:
    pid = fork(guest, "clone", 0)
    for names in ((), ("WNOHANG",)):
        with refused(errno.ECHILD):
            guest.call("wait4", -1, 0, options(guest, *names), 0)
    with refused(errno.ECHILD):
        guest.call("waitid", 0, 0, guest.allot(128), options(guest, "WEXITED"), 0)
    assert guest.call("wait4", -1, 0, options(guest, "__WCLONE"), 0) == pid
    pid = fork(guest, "clone", 0)
    assert guest.call("wait4", pid, 0, options(guest, "__WALL"), 0) == pid


def test_only_a_clone_child_is_awaited_with_wclone(guest: Guest) -> None:
    pid = fork(guest)
    with refused(errno.ECHILD):
        guest.call("wait4", pid, 0, options(guest, "__WCLONE"), 0)
    assert guest.call("wait4", pid, 0, 0, 0) == pid


def test_the_one_pid_without_a_negative(guest: Guest) -> None:
    with refused(errno.ESRCH):
        guest.call("wait4", -(1 << 31), 0, 0, 0)


def test_a_pidfd_that_must_not_block(guest: Guest) -> None:
    reader, writer = os.pipe()
    pid = guest.call("fork")
    if pid == 0:
        os.close(writer)
        os.read(reader, 1)
        os._exit(4)
    fd = guest.call("pidfd_open", pid, guest.abi.flags("PidfdFlags").encode(["PIDFD_NONBLOCK"]))
    by_fd = guest.abi.constants("IdType").encode("P_PIDFD")
    info, exited = guest.allot(128), options(guest, "WEXITED")
    with refused(errno.EAGAIN):
        guest.call("waitid", by_fd, fd, info, exited, 0)
    os.close(reader)
    os.close(writer)
    guest.settle(Wait(descriptors={guest.process.files.get(fd).fd: select.POLLIN}))
    guest.call("waitid", by_fd, fd, info, exited, 0)
    assert guest.record("SiginfoChild", info)["status"] == 4


def test_children_that_the_host_buried_are_forgotten(guest: Guest) -> None:
    old = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        for _ in range(70):
            fork(guest)
        with refused(errno.ECHILD):
            guest.call("wait4", -1, 0, 0, 0)
    finally:
        signal.signal(signal.SIGCHLD, old)
    assert not guest.process.children


def test_an_orphan_stays_one_of_the_run(guest: Guest) -> None:
    """It descends from the first process no more, and any other process of that pid is not meant."""
    guest.process.census = Census()
    reader, writer = os.pipe()
    if guest.call("fork") == 0:
        if guest.call("fork") == 0:
            os.write(writer, b"%d" % os.getpid())
            signal.pause()
        os._exit(0)
    guest.call("wait4", -1, 0, 0, 0)
    orphan = int(os.read(reader, 20))
    assert is_visible(guest.process, orphan)
    assert orphan in visible(guest.process)
    found = guest.process.census.entry(orphan)
    assert found is not None
    guest.process.census.enter(orphan, replace(found, born=found.born - 1))
    assert not is_visible(guest.process, orphan)
    os.kill(orphan, signal.SIGKILL)
    os.close(reader)
    os.close(writer)


def test_a_child_with_another_program_keeps_its_group(guest: Guest) -> None:
    guest.process.census = Census()
    reader, writer = os.pipe()
    pid = guest.call("fork")
    if pid == 0:
        guest.process.executed = True
        guest.process.declare()
        os.write(writer, b".")
        signal.pause()
    os.read(reader, 1)
    with refused(errno.EACCES):
        guest.call("setpgid", pid, pid)
    os.kill(pid, signal.SIGKILL)
    guest.call("wait4", pid, 0, 0, 0)
    assert guest.process.census.entry(pid) is None
    os.close(reader)
    os.close(writer)


def test_a_group_that_the_guest_cannot_see(guest: Guest) -> None:
    guest.process.census = Census()
    with refused(errno.EPERM):
        guest.call("setpgid", 0, 1)
