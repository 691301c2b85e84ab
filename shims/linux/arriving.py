"""Host signals that arrive, as the guest's own: who sent them, and what they tell (sigaction(2), "The siginfo_t")."""

from __future__ import annotations

import signal as host_signal
import sys

from compat.host import Arrived
from shims.linux.state import LinuxProcess, LinuxThread
from shims.linux.timers import fired
from shims.posix.host_signals import from_host
from shims.posix.sending import queue_for_process, queue_for_thread
from shims.posix.state import Pending

__all__ = ["HOST_CODES", "TO_THREAD", "swap_value", "take_in"]

# si_code of the host, include/uapi/asm-generic/siginfo.h
_GENERIC = {
    0: "SI_USER", 0x80: "SI_KERNEL", -1: "SI_QUEUE", -3: "SI_MESGQ", -4: "SI_ASYNCIO", -5: "SI_SIGIO", -6: "SI_TKILL",
}  # fmt: skip
_SI_TIMER = -2
HOST_CODES = {name: code for code, name in _GENERIC.items()}
_CHILD = {
    1: "CLD_EXITED", 2: "CLD_KILLED", 3: "CLD_DUMPED", 4: "CLD_TRAPPED", 5: "CLD_STOPPED", 6: "CLD_CONTINUED",
}  # fmt: skip
_OWN_CODES = {
    getattr(host_signal, name)
    for name in ("SIGILL", "SIGFPE", "SIGSEGV", "SIGBUS", "SIGTRAP", "SIGCHLD", "SIGSYS")
    if hasattr(host_signal, name)
}
_POLL = {1: "POLL_IN", 2: "POLL_OUT", 3: "POLL_MSG", 4: "POLL_ERR", 5: "POLL_PRI", 6: "POLL_HUP"}


def take_in(process: LinuxProcess) -> None:
    """Queue what the host has for the process."""
    for arrived in process.host.take_signals(process.notices):
        if arrived.signal == host_signal.SIGPIPE and arrived.pid == process.pid:
            continue  # a write's: the shim that wrote has queued it
        if _is_told(process, arrived):
            continue
        if arrived.code == _SI_TIMER:
            fired(process, arrived.number, arrived.overrun)
            continue
        pending = _pending(process, arrived)
        target = process.threads.get(arrived.error) if arrived.code < 0 else None
        if isinstance(target, LinuxThread):
            queue_for_thread(target, pending)
        else:
            queue_for_process(process, pending)


def _is_told(process: LinuxProcess, arrived: Arrived) -> bool:
    """Whether that a child has ended is told by another signal than the host's."""
    if arrived.signal != host_signal.SIGCHLD:
        return False
    usual = process.abi.signals.values["SIGCHLD"]
    if not process.departed and all(child.signal == usual for child in process.children.values()):
        return False
    from shims.linux.departures import tell_departures  # few programs need it

    return tell_departures(process, arrived)


def _pending(process: LinuxProcess, arrived: Arrived) -> Pending:
    number = from_host(process.abi, arrived.signal)
    sender: dict[str, object] = {"pid": arrived.pid, "uid": arrived.uid}
    if arrived.signal == host_signal.SIGCHLD and arrived.code in _CHILD:
        code = _CHILD[arrived.code]
        status = arrived.status if code == "CLD_EXITED" else from_host(process.abi, arrived.status)
        ticks = {"status": status, "utime": arrived.user_ticks, "stime": arrived.system_ticks}
        return Pending(number, code, "SiginfoChild", sender | ticks)
    code_of_file = _code_of_file(arrived)
    if code_of_file is not None:
        fields: dict[str, object] = {"band": arrived.band, "fd": _guest_descriptor(process, arrived.fd)}
        return Pending(number, code_of_file, "SiginfoPoll", fields)
    if arrived.code >= 0:
        return Pending(number, _GENERIC.get(arrived.code, arrived.code), "SiginfoKill", sender)
    if arrived.code == TO_THREAD:
        return Pending(number, "SI_TKILL", "SiginfoKill", sender)
    value = {"value": swap_value(process, arrived.value)}
    return Pending(number, _GENERIC.get(arrived.code, arrived.code), "SiginfoQueue", sender | value)


def _code_of_file(arrived: Arrived) -> str | None:
    """The name of si_code for a signal that tells of a file, which F_SETSIG may have chosen freely
    (kernel/signal.c, siginfo_layout())."""
    if arrived.code in _POLL and arrived.signal not in _OWN_CODES:
        return _POLL[arrived.code]
    return "SI_SIGIO" if _GENERIC.get(arrived.code) == "SI_SIGIO" else None


TO_THREAD = -0x7F
"""The si_code under which tkill travels between guest processes: the kernel lets nobody send SI_TKILL himself. As with
every queued signal for a single thread, si_errno holds the thread's id."""


def swap_value(process: LinuxProcess, value: int) -> int:
    """A sigval of the guest as the host's, or back: sival_int is the first half of it on both."""
    cpu = process.abi.cpu
    if cpu.bits == 64 and cpu.endian != sys.byteorder:
        return value >> 32 | (value & 0xFFFF_FFFF) << 32
    return value & cpu.mask


def _guest_descriptor(process: LinuxProcess, fd: int) -> int:
    return next((number for number, slot in process.files if slot.file.fd == fd), -1)
