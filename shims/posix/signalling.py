"""Signals that calls on files raise in their own thread."""

from __future__ import annotations

from shims.posix.state import Pending, PosixThread

__all__ = ["raise_signal"]


def raise_signal(thread: PosixThread, name: str) -> None:
    """Send the signal *name* to the calling thread, as send_sig(…, 0) of Linux's kernel/signal.c does: from itself."""
    sender: dict[str, object] = {"pid": thread.process.pid, "uid": thread.host.getuid()}
    thread.pending.append(Pending(thread.abi.signals.encode(name), "SI_USER", fields=sender))
    engine = thread.process.engine
    if engine is not None:
        engine.attend()
