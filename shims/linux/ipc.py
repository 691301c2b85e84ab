"""System V IPC as Linux has it: timeouts, and the one call that stands for all on older CPUs (ipc/syscall.c)."""

from __future__ import annotations

from compat.abi.flags import Constant, FlagSet
from compat.abi.handles import ArrayHandle, Pointer
from compat.abi.structs import Record
from shims.linux.state import LinuxThread
from shims.posix.clock import nanoseconds
from shims.posix.message_queues import msgctl, msgget, msgrcv, msgsnd
from shims.posix.semaphores import operate, semctl, semget
from shims.posix.shared_memory import attach, shmctl, shmdt, shmget

_NANO = 1_000_000_000


def semtimedop(
    thread: LinuxThread, id: int, ops: ArrayHandle[Record], count: int, timeout: Pointer[Record] | None
) -> None:
    """semtimedop(2)."""
    operate(thread, id, ops, None if timeout is None else nanoseconds(thread, timeout.read()) / _NANO)


# --- ipc: each case takes the words of the call in its own order ---


def ipc_semop(thread: LinuxThread, call: Constant, id: int, count: int, third: int, ops: ArrayHandle[Record]) -> None:
    """SEMOP."""
    operate(thread, id, ops, None)


def ipc_semtimedop(
    thread: LinuxThread,
    call: Constant,
    id: int,
    count: int,
    third: int,
    ops: ArrayHandle[Record],
    timeout: Pointer[Record] | None,
) -> None:
    """SEMTIMEDOP."""
    semtimedop(thread, id, ops, count, timeout)


def ipc_semtimedop_s390x(
    thread: LinuxThread,
    call: Constant,
    id: int,
    count: int,
    timeout: Pointer[Record] | None,
    ops: ArrayHandle[Record],
) -> None:
    """SEMTIMEDOP where the call has five words."""
    semtimedop(thread, id, ops, count, timeout)


def ipc_semget(thread: LinuxThread, call: Constant, key: int, count: int, flags: FlagSet) -> int:
    """SEMGET."""
    return semget(thread, key, count, flags)


def ipc_semctl(thread: LinuxThread, call: Constant, id: int, index: int, cmd: Constant, arg: Pointer[int]) -> int:
    """SEMCTL: the union lies in memory."""
    return semctl(thread, id, index, cmd, arg.read())


def ipc_msgsnd(thread: LinuxThread, call: Constant, id: int, size: int, flags: FlagSet, message: int) -> None:
    """MSGSND."""
    msgsnd(thread, id, message, size, flags)


def ipc_msgrcv(thread: LinuxThread, call: Constant, id: int, size: int, flags: FlagSet, where: Pointer[Record]) -> int:
    """MSGRCV: address and type lie in memory (struct ipc_kludge)."""
    given = where.read()
    return msgrcv(thread, id, given.int("msgp"), size, given.int("msgtyp"), flags)


def ipc_msgget(thread: LinuxThread, call: Constant, key: int, flags: FlagSet) -> int:
    """MSGGET."""
    return msgget(thread, key, flags)


def ipc_msgctl(thread: LinuxThread, call: Constant, id: int, cmd: Constant, third: int, buf: int) -> int:
    """MSGCTL."""
    return msgctl(thread, id, cmd, buf)


def ipc_shmat(thread: LinuxThread, call: Constant, id: int, flags: FlagSet, result: Pointer[int], addr: int) -> None:
    """SHMAT: the address goes to memory."""
    result.write(attach(thread, id, addr, flags))


def ipc_shmdt(thread: LinuxThread, call: Constant, first: int, second: int, third: int, addr: int) -> None:
    """SHMDT."""
    shmdt(thread, addr)


def ipc_shmget(thread: LinuxThread, call: Constant, key: int, size: int, flags: FlagSet) -> int:
    """SHMGET."""
    return shmget(thread, key, size, flags)


def ipc_shmctl(thread: LinuxThread, call: Constant, id: int, cmd: Constant, third: int, buf: int) -> int:
    """SHMCTL."""
    return shmctl(thread, id, cmd, buf)
