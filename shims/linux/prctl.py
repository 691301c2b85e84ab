"""prctl: attributes of the calling thread and its process, a function per command."""

from __future__ import annotations

import errno

from compat.abi.flags import Constant
from compat.abi.handles import Buffer, CString, Pointer
from compat.abi.structs import Record
from shims.linux.state import LinuxThread
from shims.posix.host_signals import check, to_host

_NAME_SIZE = 16  # TASK_COMM_LEN
_NAME_MOST = 80  # ANON_VMA_NAME_MAX_LEN


def set_name(thread: LinuxThread, option: Constant, name: CString) -> None:
    """Name the thread: the first 15 bytes count."""
    text = bytearray()
    while len(text) < _NAME_SIZE - 1 and (byte := thread.memory.read(name.address + len(text), 1)) != b"\0":
        text += byte
    thread.name = bytes(text)
    if thread.id == thread.process.pid:
        thread.process.declare()


def get_name(thread: LinuxThread, option: Constant, name: Pointer[Record]) -> None:
    name.write({"text": thread.name[: _NAME_SIZE - 1]})


def set_parent_death_signal(thread: LinuxThread, option: Constant, signal: Constant) -> None:
    """Ask for a signal when the parent ends, which the host sends. Raises OSError(EINVAL) for no signal."""
    number = check(thread.abi, signal)
    thread.host.set_parent_death_signal(to_host(thread.abi, number))
    thread.parent_death_signal = number


def get_parent_death_signal(thread: LinuxThread, option: Constant, signal: Pointer[int]) -> None:
    signal.write(thread.parent_death_signal)


def set_dumpable(thread: LinuxThread, option: Constant, value: int) -> None:
    """Raises OSError(EINVAL) for another value than 0 and 1."""
    thread.process.dumpable = _truth(value)


def get_dumpable(thread: LinuxThread, option: Constant) -> int:
    return int(thread.process.dumpable)


def _truth(value: int) -> int:
    if value not in (0, 1):
        raise OSError(errno.EINVAL, "neither 0 nor 1")
    return value


_DEFAULT_SLACK = 50_000


def set_timer_slack(thread: LinuxThread, option: Constant, value: int) -> None:
    """In nanoseconds; 0 goes back to the default. The host's timers keep their own slack."""
    signed = value - (1 << thread.abi.cpu.bits) if value >> (thread.abi.cpu.bits - 1) else value
    thread.timer_slack = signed if signed > 0 else _DEFAULT_SLACK


def get_timer_slack(thread: LinuxThread, option: Constant) -> int:
    return thread.timer_slack


def set_no_new_privileges(thread: LinuxThread, option: Constant, value: int, arg3: int, arg4: int, arg5: int) -> None:
    """So it is: execve raises no privileges here. Raises OSError(EINVAL) for other arguments."""
    if (value, arg3, arg4, arg5) != (1, 0, 0, 0):
        raise OSError(errno.EINVAL, "PR_SET_NO_NEW_PRIVS arguments")


def get_no_new_privileges(thread: LinuxThread, option: Constant, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    """Always 1. Raises OSError(EINVAL) unless all arguments are 0."""
    if any((arg2, arg3, arg4, arg5)):
        raise OSError(errno.EINVAL, "PR_GET_NO_NEW_PRIVS arguments")
    return 1


def set_child_subreaper(thread: LinuxThread, option: Constant, value: int) -> None:
    """Adopt orphans among the descendants, as the host does then."""
    thread.host.set_child_subreaper(bool(value))
    thread.process.subreaper = bool(value)


def get_child_subreaper(thread: LinuxThread, option: Constant, value: Pointer[int]) -> None:
    value.write(int(thread.process.subreaper))


def name_area(thread: LinuxThread, option: Constant, what: int, addr: int, length: int, name: CString | None) -> None:
    """PR_SET_VMA_ANON_NAME: name anonymous memory for /proc/self/maps.

    Raises:
        OSError: EINVAL for another subcommand, an address not on a page, or a name with bytes that may not be in it.
    """
    if what != 0 or addr % 4096:
        raise OSError(errno.EINVAL, "PR_SET_VMA")
    text = _area_name(name) if name is not None else b""
    end = addr + -(-length // 4096) * 4096
    if end > thread.memory.top:
        raise OSError(errno.ENOMEM, "beyond user addresses")
    for area in thread.memory.areas.cut(addr, end):
        if area.backing is None:
            area.name = b"[anon:" + text + b"]" if text else b""
        thread.memory.areas.insert(area)


def _area_name(name: CString) -> bytes:
    try:
        text = name.read(_NAME_MOST)
    except ValueError:
        raise OSError(errno.EINVAL, "name too long") from None
    if any(not 32 <= byte < 127 or byte in b"\\`$[]" for byte in text):
        raise OSError(errno.EINVAL, "a byte that may not be in a name")
    return text


def get_tid_address(thread: LinuxThread, option: Constant, where: Pointer[int]) -> None:
    """The address that set_tid_address set."""
    where.write(thread.clear_tid)


def set_huge_pages_disabled(thread: LinuxThread, option: Constant, value: int, arg3: int, arg4: int, arg5: int) -> None:
    """Remember the wish: guest memory has no huge pages of its own. Raises OSError(EINVAL) for other arguments."""
    if any((arg3, arg4, arg5)):
        raise OSError(errno.EINVAL, "PR_SET_THP_DISABLE arguments")
    thread.process.thp_disabled = bool(value)


def get_huge_pages_disabled(thread: LinuxThread, option: Constant, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    """Raises OSError(EINVAL) unless all arguments are 0."""
    if any((arg2, arg3, arg4, arg5)):
        raise OSError(errno.EINVAL, "PR_GET_THP_DISABLE arguments")
    return int(thread.process.thp_disabled)


def get_auxv(thread: LinuxThread, option: Constant, buf: Buffer, count: int, arg4: int, arg5: int) -> int:
    """The auxiliary vector, as much as there is room for; returns its whole size. Raises OSError(EINVAL)."""
    if arg4 or arg5:
        raise OSError(errno.EINVAL, "PR_GET_AUXV arguments")
    auxv = thread.process.auxv
    buf.write(auxv[:count])
    return len(auxv)
