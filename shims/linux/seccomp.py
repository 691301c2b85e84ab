"""seccomp(2): a thread gives up system calls, by a fixed list or by filters (kernel/seccomp.c)."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from typing import Final

from compat.abi.flags import Constant, FlagSet
from compat.abi.handles import ArrayHandle, Pointer
from compat.abi.structs import Record
from compat.errors import ThreadExit
from compat.process import Thread
from shims.linux.bpf import Instruction, Program
from shims.linux.faults import force
from shims.linux.state import LinuxThread
from shims.linux.threads import end_thread
from shims.posix.state import Pending

__all__ = ["Filter"]

_ACTION: Final = 0x7FFF0000 | 1 << 31  # SECCOMP_RET_ACTION_FULL and the rest: include/uapi/linux/seccomp.h
_DATA: Final = 0xFFFF
_KILL_PROCESS, _KILL_THREAD, _TRAP, _ERRNO = 0x80000000, 0, 0x00030000, 0x00050000
_TRACE, _LOG, _ALLOW = 0x7FF00000, 0x7FFC0000, 0x7FFF0000
_MOST_ERROR: Final = 4095
_MOST_INSTRUCTIONS: Final = 32768  # MAX_INSNS_PER_PATH
_STRICT: Final = frozenset({"read", "write", "exit", "sigreturn", "rt_sigreturn"})
_64_BIT, _LITTLE = 0x80000000, 0x40000000  # __AUDIT_ARCH_*, include/uapi/linux/audit.h
_KNOWN_ACTIONS: Final = (_KILL_PROCESS, _KILL_THREAD, _TRAP, _ERRNO, _TRACE, _LOG, _ALLOW)


class Filter:
    """One filter and what it was built on, the newest first. *size* counts the instructions of all, *count* them."""

    def __init__(self, program: Program, length: int, older: Filter | None) -> None:
        self.program = program
        self.older = older
        self.size: int = length + (older.size + 4 if older is not None else 0)
        self.count: int = 1 + (older.count if older is not None else 0)
        self._known: dict[int, int] = {}

    def verdict(self, words: Sequence[int], number: int) -> int:
        """The strictest answer of all filters; of equal ones the newest's."""
        answer = self._known.get(number) if self.program.plain else None
        if answer is None:
            answer = self.program.run(words)
            if self.program.plain and len(self._known) < _MOST_ERROR:
                self._known[number] = answer
        if self.older is None:
            return answer
        before = self.older.verdict(words, number)
        return before if _strictness(before) < _strictness(answer) else answer


def _strictness(answer: int) -> int:
    """Actions by their number as a signed one, the strictest first."""
    return ((answer & _ACTION) ^ 1 << 31) - (1 << 31)


# --- asking for it ---


def strict(thread: LinuxThread) -> None:
    """SECCOMP_SET_MODE_STRICT. Raises OSError(EINVAL) in a thread that has a filter."""
    if thread.filters is not None:
        raise OSError(errno.EINVAL, "another mode")
    thread.strict = True
    _begin(thread)


def add_filter(thread: LinuxThread, program: Pointer[Record]) -> None:
    """Put a filter before those that the thread has.

    Raises OSError: EINVAL for the program, ENOMEM where they get too long.
    """
    given = program.read()
    count = given.int("len")
    if not 0 < count <= 4096:
        raise OSError(errno.EINVAL, "length of the filter")
    place = given.int("filter")
    found = ArrayHandle[Record](thread.memory, place, thread.abi.layout("SockFilter"), count).read()
    checked = Program([Instruction(*(each.int(name) for name in ("code", "jt", "jf", "k"))) for each in found])
    if thread.strict:
        raise OSError(errno.EINVAL, "another mode")
    made = Filter(checked, count, thread.filters)
    if made.size > _MOST_INSTRUCTIONS:
        raise OSError(errno.ENOMEM, "filters too long")
    thread.filters = made
    _begin(thread)


def _begin(thread: LinuxThread) -> None:
    """From the next call on, every call is looked at."""
    thread.process.screen = screen
    assert thread.process.engine is not None
    thread.process.engine.rebind()


def set_strict(thread: LinuxThread, op: Constant, flags: int, args: int) -> None:
    """seccomp(SECCOMP_SET_MODE_STRICT)."""
    if flags or args:
        raise OSError(errno.EINVAL, "flags or args")
    strict(thread)


def set_filter(thread: LinuxThread, op: Constant, flags: FlagSet, program: Pointer[Record]) -> int:
    """seccomp(SECCOMP_SET_MODE_FILTER): 0, or with TSYNC the id of a thread that has another filter."""
    if flags.unknown or flags & {"SECCOMP_FILTER_FLAG_NEW_LISTENER", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"}:
        raise OSError(errno.EINVAL, "flags")
    before = thread.filters
    others = [each for each in thread.process.threads.values() if each is not thread and isinstance(each, LinuxThread)]
    together = "SECCOMP_FILTER_FLAG_TSYNC" in flags
    odd = [each.id for each in others if each.strict or not _grew_from(before, each.filters)]
    if together and odd:
        if "SECCOMP_FILTER_FLAG_TSYNC_ESRCH" in flags:
            raise OSError(errno.ESRCH, "another filter")
        return odd[0]
    add_filter(thread, program)
    for each in others if together else ():
        each.filters = thread.filters
    return 0


def _grew_from(newest: Filter | None, oldest: Filter | None) -> bool:
    """Whether *newest* is *oldest*, or was built on it."""
    while newest is not None and newest is not oldest:
        newest = newest.older
    return newest is oldest


def action_available(thread: LinuxThread, op: Constant, flags: int, action: Pointer[int]) -> None:
    """seccomp(SECCOMP_GET_ACTION_AVAIL). Raises OSError(EOPNOTSUPP) for an action that there is not."""
    if flags:
        raise OSError(errno.EINVAL, "flags")
    if action.read() not in _KNOWN_ACTIONS:
        raise OSError(errno.EOPNOTSUPP, "action")


def unknown(thread: LinuxThread, op: Constant, flags: int, args: int) -> None:
    """Other operations: there are no listeners to ask about."""
    raise OSError(errno.EINVAL, "op")


def set_mode(thread: LinuxThread, option: Constant, mode: Constant, filter: int) -> None:
    """prctl(PR_SET_SECCOMP)."""
    if mode == "SECCOMP_MODE_STRICT":
        strict(thread)
    elif mode == "SECCOMP_MODE_FILTER":
        add_filter(thread, Pointer(thread.memory, filter, thread.abi.layout("SockFprog")))
    else:
        raise OSError(errno.EINVAL, "mode")


def get_mode(thread: LinuxThread, option: Constant) -> int:
    """prctl(PR_GET_SECCOMP): in strict mode the call itself kills."""
    return 2 if thread.filters is not None else 0


# --- looking at calls ---


def screen(thread: Thread, number: int, arguments: Callable[[], Sequence[int]], place: int) -> int | None:
    """What becomes of a call before it is made: None lets it go on, a number is its result.

    Raises OSError with the filter's error, or ThreadExit.
    """
    assert isinstance(thread, LinuxThread)
    if thread.strict and thread.abi.names.get(number, "") not in _STRICT:
        _kill(thread, "SIGKILL", whole=False)
    if thread.filters is None:
        return None
    answer = thread.filters.verdict(_words(thread, number, arguments(), place), number)
    action = answer & _ACTION
    if action in (_ALLOW, _LOG):
        return None
    if action == _ERRNO:
        return _fail(thread, min(answer & _DATA, _MOST_ERROR))
    if action == _TRACE:
        raise OSError(errno.ENOSYS, "nobody traces")
    if action == _TRAP:
        return _trap(thread, number, place, answer & _DATA)
    _kill(thread, "SIGSYS", whole=action != _KILL_THREAD)
    return None


def _words(thread: LinuxThread, number: int, arguments: Sequence[int], place: int) -> list[int]:
    """struct seccomp_data as 32-bit words."""
    words = [number & 0xFFFFFFFF, architecture(thread)]
    for value in (place, *arguments):
        halves = value & 0xFFFFFFFF, value >> 32 & 0xFFFFFFFF
        words += halves if thread.abi.cpu.endian == "little" else reversed(halves)
    return words


def architecture(thread: LinuxThread) -> int:
    """AUDIT_ARCH_* of the guest's CPU."""
    cpu = thread.abi.cpu
    machine = thread.abi.constants("AuditArch").encode("EM")
    return machine | (_64_BIT if cpu.bits == 64 else 0) | (_LITTLE if cpu.endian == "little" else 0)


def _fail(thread: LinuxThread, number: int) -> int:
    """The call's result is the guest's error *number*; 0 is success."""
    if number == 0:
        return 0
    name = thread.abi.error_names.get(number, "EPERM")
    raise OSError(getattr(errno, name, errno.EPERM), "a filter refuses")


def _trap(thread: LinuxThread, number: int, place: int, data: int) -> int:
    """SIGSYS instead of the call, whose registers stay as they are."""
    fields: dict[str, object] = {"call_addr": place, "syscall": number, "head.errno": data}
    fields["arch"] = architecture(thread)
    force(thread, Pending(thread.abi.signals.encode("SIGSYS"), "SYS_SECCOMP", "SiginfoSys", fields))
    thread.jump = lambda: None
    return 0


def _kill(thread: LinuxThread, signal: str, *, whole: bool) -> None:
    """End the thread, or the process where it is the last or *whole*. Raises ThreadExit."""
    process = thread.process
    if not whole and len(process.threads) > 1:
        end_thread(thread)
        raise ThreadExit
    process.status = thread.abi.signals.encode(signal)
    raise ThreadExit
