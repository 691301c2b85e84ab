"""Threads begin and end; what waits for their end is woken."""

from __future__ import annotations

import errno
import os

import pytest

from compat.errors import ThreadExit
from shims.linux.state import LinuxThread
from tests.linux.guest import Guest, refused, words

_THREAD = ["CLONE_VM", "CLONE_FS", "CLONE_FILES", "CLONE_SIGHAND", "CLONE_THREAD"]


def flags(guest: Guest, *more: str) -> int:
    return guest.abi.flags("CloneFlags").encode([*_THREAD, *more])


def clone(guest: Guest, flags: int, stack: int, parent_tid: int = 0, tls: int = 0, child_tid: int = 0) -> int:
    last = (child_tid, tls) if guest.abi.cpu.name == "x86-64" else (tls, child_tid)
    return guest.call("clone", flags, stack, parent_tid, *last)


def start(guest: Guest) -> LinuxThread:
    clone(guest, flags(guest), 0)
    return guest.engine.spawned[-1]


def test_a_new_thread(guest: Guest) -> None:
    guest.thread.mask, guest.thread.name = 5, b"worker"
    parent, child = guest.word(), guest.word(99)
    wanted = flags(guest, "CLONE_SETTLS", "CLONE_PARENT_SETTID", "CLONE_CHILD_CLEARTID")
    tid = clone(guest, wanted, 0x7000, parent, 0x1234, child)
    (thread,) = guest.engine.spawned
    assert thread.id == tid == guest.int_at(parent) != guest.process.pid
    assert guest.int_at(child) == 99
    assert thread.clear_tid == child
    assert (thread.mask, thread.name) == (5, b"worker")
    assert thread.registers.read(guest.abi.cpu.sp) == 0x7000
    assert thread.registers.read("tls") == 0x1234
    assert thread.registers.read("result") == 0
    assert guest.call("gettid", thread=thread) == tid
    assert guest.call("getpid", thread=thread) == guest.process.pid


def test_clone3(guest: Guest) -> None:
    child = guest.word()
    wanted = {
        "flags": flags(guest, "CLONE_CHILD_SETTID", "CLONE_SETTLS"),
        "stack": 0x7000,
        "stack_size": 0x1000,
        "tls": 0x4321,
        "child_tid": child,
    }
    size = guest.abi.layout("CloneArgs").size
    tid = guest.call("clone3", guest.struct("CloneArgs", wanted), size)
    (thread,) = guest.engine.spawned
    assert guest.int_at(child) == tid == thread.id
    assert thread.registers.read(guest.abi.cpu.sp) == 0x8000
    assert thread.registers.read("tls") == 0x4321


def test_clone3_refuses_what_it_does_not_know(guest: Guest) -> None:
    size = guest.abi.layout("CloneArgs").size
    for fields, given, expected in (
        ({"flags": flags(guest) | 1}, size, errno.EINVAL),
        ({"flags": flags(guest)}, 63, errno.EINVAL),
        ({"flags": flags(guest), "stack": 5}, size, errno.EINVAL),
        ({"flags": flags(guest), "set_tid": 5, "set_tid_size": 1}, size, errno.EPERM),
    ):
        with refused(expected):
            guest.call("clone3", guest.struct("CloneArgs", fields), given)
    long = guest.put(bytes(size) + b"\x01" + bytes(7))
    with refused(errno.E2BIG):
        guest.call("clone3", long, size + 8)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["CLONE_THREAD"], errno.EINVAL),
        (["CLONE_SIGHAND"], errno.EINVAL),
        (["CLONE_NEWNS", "CLONE_FS"], errno.EINVAL),
        (["CLONE_NEWPID"], errno.EPERM),
        (["CLONE_VM"], errno.EINVAL),
    ],
)
def test_clone_refuses_flags(guest: Guest, names: list[str], expected: int) -> None:
    with refused(expected):
        clone(guest, guest.abi.flags("CloneFlags").encode(names), 0)
    assert not guest.engine.spawned


def test_clone_without_shared_memory_is_fork(guest: Guest) -> None:
    place = guest.word()
    wanted = guest.abi.flags("CloneFlags").encode(["CLONE_CHILD_SETTID"]) | guest.abi.signals.encode("SIGCHLD")
    pid = clone(guest, wanted, 0, child_tid=place)
    if pid == 0:
        os._exit(guest.int_at(place) == os.getpid())
    status = guest.word()
    assert guest.call("wait4", pid, status, 0, 0) == pid
    assert guest.int_at(status) == 1 << 8
    assert guest.int_at(place) == 0


def test_thread_ids_are_no_pids_and_not_used_twice(guest: Guest) -> None:
    ids = [start(guest).id for _ in range(300)]
    assert len(set(ids)) == 300
    assert all(1 << 22 <= tid < 1 << 30 for tid in ids)


def test_two_processes_number_their_threads_differently(make_guest: type[Guest]) -> None:
    one, other = make_guest("ppc"), make_guest("ppc")
    other.process.pid += 1
    assert not {start(one).id for _ in range(200)} & {start(other).id for _ in range(200)}


def test_the_end_of_a_thread_clears_and_wakes(guest: Guest) -> None:
    thread, place = start(guest), guest.word(77)
    assert guest.call("set_tid_address", place, thread=thread) == thread.id
    guest.block("futex", place, 0, 77, 0, 0, 0, thread=guest.thread)
    with pytest.raises(ThreadExit):
        guest.call("exit", 0, thread=thread)
    assert guest.int_at(place) == 0
    assert guest.thread.woken
    assert guest.process.status is None


def test_the_first_threads_status_is_the_processs(guest: Guest) -> None:
    thread = start(guest)
    with pytest.raises(ThreadExit):
        guest.call("exit", 3)
    assert guest.process.status is None
    del guest.process.threads[guest.thread.id]
    with pytest.raises(ThreadExit):
        guest.call("exit", 4, thread=thread)
    assert guest.process.status == 3 << 8


def test_robust_locks_are_marked_and_their_waiters_woken(guest: Guest) -> None:
    thread, word = start(guest), guest.abi.cpu.word
    lock, head = guest.allot(32), guest.allot(32)
    pack = guest.abi.word_codec().pack
    guest.process.memory.write(lock, pack(head))
    guest.process.memory.write(head, pack(lock) + pack(16) + pack(0))
    held = (thread.id | 0x80000000).to_bytes(4, guest.order)
    guest.process.memory.write(lock + 16, held)
    guest.call("set_robust_list", head, 3 * word, thread=thread)
    guest.block("futex", lock + 16, 0, thread.id | 0x80000000, 0, 0, 0, thread=guest.thread)
    with pytest.raises(ThreadExit):
        guest.call("exit", 0, thread=thread)
    assert guest.int_at(lock + 16) & 0xFFFFFFFF == 0xC0000000
    assert guest.thread.woken


@pytest.mark.parametrize("entry", [0, 0xDEAD0, "itself"])
def test_a_spoilt_robust_list_ends_nothing_but_itself(guest: Guest, entry: int | str) -> None:
    head = guest.allot(32)
    target = head + 8 if entry == "itself" else int(entry)
    guest.process.memory.write(head, guest.bytes_at(words(guest, [target, 0, 0]), 3 * guest.abi.cpu.word))
    if entry == "itself":
        guest.process.memory.write(head + 8, guest.abi.word_codec().pack(head + 8))
    guest.thread.robust_list = head
    with pytest.raises(ThreadExit):
        guest.call("exit", 0)


def test_robust_lists_are_told(guest: Guest) -> None:
    with refused(errno.EINVAL):
        guest.call("set_robust_list", 0x1000, 1)
    guest.call("set_robust_list", 0x1000, 3 * guest.abi.cpu.word)
    head, size = guest.allot(8), guest.allot(8)
    guest.call("get_robust_list", 0, head, size)
    assert (guest.pointer_at(head), guest.pointer_at(size)) == (0x1000, 3 * guest.abi.cpu.word)
    with pytest.raises(ProcessLookupError):
        guest.call("get_robust_list", 1, head, size)


def test_barriers_must_be_registered(guest: Guest) -> None:
    values = guest.abi.constants("MembarrierCmd").values
    offered = guest.call("membarrier", 0, 0, 0)
    private = values["MEMBARRIER_CMD_PRIVATE_EXPEDITED"]
    assert offered & private
    with pytest.raises(PermissionError):
        guest.call("membarrier", private, 0, 0)
    guest.call("membarrier", values["MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED"], 0, 0)
    assert guest.call("membarrier", private, 0, 0) == 0
    for command, given in ((values["MEMBARRIER_CMD_GLOBAL"], 0), (0, 1), (1 << 20, 0)):
        with refused(errno.EINVAL):
            guest.call("membarrier", command, given, 0)


def test_getcpu(guest: Guest) -> None:
    cpu, node = guest.word(-1), guest.word(-1)
    guest.call("getcpu", cpu, node, 0)
    assert guest.int_at(cpu) in range(os.cpu_count() or 1)
    assert guest.int_at(node) == 0
