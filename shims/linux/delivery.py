"""Delivery: what happens to pending signals when a thread goes on in guest code (kernel/signal.c, get_signal)."""

from __future__ import annotations

import errno

from compat.errors import MemoryFault
from shims.linux.faults import force
from shims.linux.frames import pop_frame, push_frame
from shims.linux.state import LinuxProcess, LinuxThread
from shims.posix.host_signals import to_host
from shims.posix.state import Action, Pending

__all__ = ["deliver", "sigreturn"]

_IGNORED = frozenset(("SIGCHLD", "SIGURG", "SIGWINCH", "SIGCONT"))
_STOPPING = frozenset(("SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU"))
_CORE = 0x80
_SYNCHRONOUS = ("SIGSEGV", "SIGBUS", "SIGILL", "SIGTRAP", "SIGFPE", "SIGSYS")
_DUMPING = (*_SYNCHRONOUS, "SIGQUIT", "SIGABRT", "SIGXCPU", "SIGXFSZ")


def deliver(thread: LinuxThread) -> None:
    """Take every deliverable signal of the running thread; settle the call that a signal interrupted."""
    process = thread.process
    process.attention = False
    process.gather()
    handled = False
    while process.status is None and (pending := _take(thread)) is not None:
        handled = _act(thread, pending) or handled
    if process.status is None and thread.restart is not None:
        goes_on = thread.restart == "no_handler"  # as restart_syscall(2): what has been waited for counts
        _settle(thread, restart=thread.restart != "never")
        if goes_on:
            thread.resume, thread.entered = thread.paused, True
    if thread.saved_mask is not None and not handled:
        thread.mask, thread.saved_mask = thread.saved_mask, None
        if _waiting(thread):
            deliver(thread)
    process.attention = process.attention or any(_waiting(t) for t in process.threads.values() if t is not thread)


def _waiting(thread: object) -> bool:
    assert isinstance(thread, LinuxThread)
    open_mask = ~thread.mask | thread.wanted
    return any(open_mask >> (p.number - 1) & 1 for p in (*thread.pending, *thread.process.pending))


def _take(thread: LinuxThread) -> Pending | None:
    """The next unblocked signal: faults first, then the lowest number, the thread's own before the process's."""
    first = [thread.abi.signals.values[name] for name in _SYNCHRONOUS]
    for queue in (thread.pending, thread.process.pending):
        open_ones = [p for p in queue if not thread.mask >> (p.number - 1) & 1]
        if open_ones:
            chosen = min(open_ones, key=lambda p: (p.number not in first, p.number))
            queue.remove(chosen)
            thread.process.pending_changed()
            return chosen
    return None


def _act(thread: LinuxThread, pending: Pending) -> bool:
    """Do what the signal's action says; True if a handler will run."""
    process = thread.process
    action = process.actions.get(pending.number, Action())
    name = str(thread.abi.signals.decode(pending.number))
    if process.on_signal is not None:
        process.on_signal(thread, name, str(pending.code), pending.fields)
    if action.handler == 1 or (action.handler == 0 and name in _IGNORED):
        return False
    if action.handler == 0:
        _default(process, name, pending.number)
        return False
    if thread.restart is not None:
        restart = thread.restart == "sa_restart" and "SA_RESTART" in action.flags
        _settle(thread, restart=restart)
    _run_handler(thread, pending, action)
    return True


def _settle(thread: LinuxThread, *, restart: bool) -> None:
    """End the interrupted call: enter it again, or EINTR."""
    assert thread.process.engine is not None
    thread.restart = None
    if restart:
        thread.process.engine.retry(thread)
    else:
        thread.process.engine.finish(thread, errno.EINTR)


def _run_handler(thread: LinuxThread, pending: Pending, action: Action) -> None:
    mask = thread.mask if thread.saved_mask is None else thread.saved_mask
    thread.saved_mask = None
    thread.leave()
    try:
        push_frame(thread, pending, action, mask)
    except (MemoryFault, ValueError):
        _force_segv(thread, pending.number)
        return
    if "SA_RESETHAND" in action.flags:
        thread.process.actions[pending.number] = Action()
    thread.mask |= action.mask
    if "SA_NODEFER" not in action.flags:
        thread.mask |= 1 << (pending.number - 1)
    thread.mask &= ~thread.process.unblockable


def _force_segv(thread: LinuxThread, failed: int) -> None:
    """The frame can't be built: SIGSEGV, which kills at once if SIGSEGV itself was the signal (force_sigsegv)."""
    number = thread.abi.signals.encode("SIGSEGV")
    if failed == number:
        thread.process.actions[number] = Action()
    force(thread, Pending(number, "SI_KERNEL"))


def _default(process: LinuxProcess, name: str, number: int) -> None:
    if name in _STOPPING:
        process.host.act_by_default(to_host(process.abi, number))
        return
    process.status = number | (_CORE if name in _DUMPING else 0)


def sigreturn(thread: LinuxThread, rt: bool) -> None:
    """Leave a handler: registers and mask come back from the frame; a frame that can't be read is SIGSEGV."""
    try:
        thread.mask = pop_frame(thread, rt) & ~thread.process.unblockable
    except MemoryFault:
        force(thread, Pending(thread.abi.signals.encode("SIGSEGV"), "SI_KERNEL"))
    if _waiting(thread):
        thread.process.attention = True
