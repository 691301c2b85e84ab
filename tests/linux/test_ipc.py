"""System V IPC: what a sample can't show: order of bytes, permissions, what is left behind."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from compat.data import replace
from compat.errors import MemoryFault
from compat.sandbox.default import default_view
from compat.sandbox.synthetic import Directory
from shims.posix.credentials import Ids
from tests.linux.guest import Guest, refused

CREATE = 0o1000 | 0o600


@pytest.fixture
def sharing(guest: Guest, tmp_path: Path) -> Iterator[Guest]:
    guest.process.view = default_view(guest.process.host, cwd=bytes(tmp_path), proc=Directory({}), dev=Directory({}))
    yield guest
    if guest.process.ipc is not None:
        guest.process.ipc.end()
    folder = guest.process.view.private.path
    guest.process.view.close()
    assert not os.path.exists(folder)


def cmd(guest: Guest, kind: str, name: str) -> int:
    return guest.abi.constants(kind).encode(name) | 0x100


def operation(guest: Guest, index: int, change: int, *flags: str) -> int:
    bits = guest.abi.flags("SemFlags").encode(flags)
    return guest.struct("Sembuf", {"num": index, "op": change, "flg": bits})


def operate(guest: Guest, id: int, ops: int) -> None:
    if "semop" in guest.abi.numbers:
        guest.call("semop", id, ops, 1)
    else:
        guest.call("ipc/SEMOP", guest.abi.constants("IpcCall").encode("SEMOP"), id, 1, 0, ops)


def value(guest: Guest, id: int, index: int) -> int:
    return guest.call("semctl", id, index, cmd(guest, "SemCmd", "GETVAL"), 0)


def test_what_a_killed_process_owed_is_paid(sharing: Guest) -> None:
    guest = sharing
    id = guest.call("semget", 0, 1, CREATE)
    pid = os.fork()
    if not pid:
        try:
            guest.process.pid = os.getpid()
            operate(guest, id, operation(guest, 0, 3, "SEM_UNDO"))
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    assert value(guest, id, 0) == 0
    assert guest.call("semctl", id, 0, cmd(guest, "SemCmd", "GETPID"), 0) == pid


def test_the_union_of_semctl_is_a_word(sharing: Guest) -> None:
    guest = sharing
    id = guest.call("semget", 5, 2, CREATE)
    guest.call("semctl", id, 1, cmd(guest, "SemCmd", "SETVAL"), 7)
    assert [value(guest, id, 0), value(guest, id, 1)] == [0, 7]
    with refused(errno.ERANGE):
        guest.call("semctl", id, 1, cmd(guest, "SemCmd", "SETVAL"), 0xFFFFFFFF)
    with pytest.raises(MemoryFault):
        guest.call("semctl", id, 0, cmd(guest, "SemCmd", "GETALL"), 0x10)


def test_others_need_permission(sharing: Guest) -> None:
    guest = sharing
    id, queue = guest.call("semget", 5, 1, CREATE), guest.call("msgget", 5, CREATE)
    segment = guest.call("shmget", 5, 100, 0o1000 | 0o444)
    mine = guest.process.credentials
    other = Ids(4242, 4242, 4242, 4242)
    guest.process.credentials = replace(mine, users=other, groups=other, supplementary=())
    with refused(errno.EACCES):
        value(guest, id, 0)
    with refused(errno.EACCES):
        guest.call("msgrcv", queue, guest.allot(16), 8, 0, 0)
    with refused(errno.EACCES):
        guest.call("shmget", 5, 100, 0o666)
    with refused(errno.EACCES):
        guest.call("shmat", segment, 0, 0)
    with refused(errno.EPERM):
        guest.call("semctl", id, 0, cmd(guest, "SemCmd", "IPC_RMID"), 0)
    readonly = guest.abi.flags("ShmAttachFlags").encode(["SHM_RDONLY"])
    address = guest.call("shmat", segment, 0, readonly)
    area = guest.process.memory.areas.find(address)
    assert area is not None
    assert area.protection == 1
    guest.call("shmdt", address)
    guest.process.credentials = mine
    guest.call("semctl", id, 0, cmd(guest, "SemCmd", "IPC_RMID"), 0)


def test_the_end_of_a_process_lets_go(sharing: Guest) -> None:
    guest = sharing
    id = guest.call("shmget", 0, 5000, CREATE)
    address = guest.call("shmat", id, 0, 0)
    guest.call("shmctl", id, cmd(guest, "ShmCmd", "IPC_RMID"), 0)
    about = guest.allot(200)
    guest.call("shmctl", id, cmd(guest, "ShmCmd", "IPC_STAT"), about)
    assert guest.record("ShmidDs", about).int("nattch") == 1
    guest.process.memory.write(address + 4999, b"x")
    assert guest.process.ipc is not None
    guest.process.ipc.end()
    guest.process.ipc = None
    with refused(errno.EINVAL):
        guest.call("shmctl", id, cmd(guest, "ShmCmd", "IPC_STAT"), about)
    guest.process.memory.clear()


def test_walking_the_table(sharing: Guest) -> None:
    guest = sharing
    ids = [guest.call("msgget", key, CREATE) for key in (1, 2)]
    place = guest.allot(200)
    assert guest.call("msgctl", 0, cmd(guest, "MsgCmd", "MSG_INFO"), place) == 1
    assert guest.record("Msginfo", place)["pool"] == 2
    found = [guest.call("msgctl", k, cmd(guest, "MsgCmd", "MSG_STAT"), place) for k in (0, 1)]
    assert found == ids
    with refused(errno.EINVAL):
        guest.call("msgctl", 2, cmd(guest, "MsgCmd", "MSG_STAT"), place)
    guest.call("msgctl", ids[0], cmd(guest, "MsgCmd", "IPC_RMID"), 0)
    again = guest.call("msgget", 3, CREATE)
    assert again % 32768 == 0
    assert again != ids[0]
