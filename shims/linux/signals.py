"""Signal actions, masks and waits. Source: sigaction(2) and its kin, kernel/signal.c."""

from __future__ import annotations

import errno
import time

from compat.abi.flags import Constant
from compat.abi.handles import Pointer
from compat.abi.structs import Record
from shims.linux.catching import catch_blocked, set_disposition
from shims.linux.delivery import sigreturn as leave_handler
from shims.linux.state import LinuxThread
from shims.posix.siginfo import siginfo
from shims.posix.state import Action, AltStack, Pending

__all__: list[str] = []

_MINSIGSTKSZ = {"aarch64": 5120, "ppc64": 8192}
"""Where it is not 2048 (arch/*/include/uapi/asm/signal.h)."""
_MASK64 = (1 << 64) - 1


def rt_sigaction(
    thread: LinuxThread,
    signal: Constant,
    action: Pointer[Record] | None,
    old_action: Pointer[Record] | None,
    size: int,
) -> None:
    """sigaction(2). Raises EINVAL for a wrong set size, a signal that does not exist or can't be caught."""
    _check_size(thread, size)
    new = _read_action(thread, action.read()) if action else None
    old = _exchange(thread, signal, new)
    if old_action:
        old_action.write(_action_fields(thread, old))


def sigaction(
    thread: LinuxThread, signal: Constant, action: Pointer[Record] | None, old_action: Pointer[Record] | None
) -> None:
    """The call before sets had 64 bits: the upper half of the mask stays 0."""
    new = _read_action(thread, action.read()) if action else None
    old = _exchange(thread, signal, new)
    if old_action:
        old_action.write(_action_fields(thread, old))


def signal(thread: LinuxThread, signal: Constant, handler: int) -> int:
    """signal(2) as the kernel has it: SA_ONESHOT | SA_NOMASK."""
    return _exchange(thread, signal, Action(handler, 0, frozenset(("SA_RESETHAND", "SA_NODEFER")))).handler


def _exchange(thread: LinuxThread, signal: Constant, new: Action | None) -> Action:
    process = thread.process
    number = signal.value
    if not 1 <= number <= process.most_signals or (new and process.unblockable >> (number - 1) & 1):
        raise OSError(errno.EINVAL, "signal")
    old = process.actions.get(number, Action())
    if new is not None:
        process.actions[number] = new
        set_disposition(process, number, new, old)
    return old


def _read_action(thread: LinuxThread, record: Record) -> Action:
    flags = thread.abi.flags("SigActionFlags").decode(record.int("flags") & 0xFFFF_FFFF)
    restorer = record.get("restorer", 0)
    assert isinstance(restorer, int)
    words = record.get("mask.bits", (record.get("mask", 0),))
    mask = _mask_of_words(thread, words) & ~thread.process.unblockable
    return Action(record.int("handler"), mask, frozenset(flags), restorer)


def _action_fields(thread: LinuxThread, action: Action) -> dict[str, object]:
    words = _words_of_mask(thread, action.mask)
    return {
        "handler": action.handler,
        "flags": thread.abi.flags("SigActionFlags").encode(action.flags),
        "restorer": action.restorer,
        "mask.bits": words,
        "mask": words[0],
    }


def rt_sigprocmask(
    thread: LinuxThread, how: Constant, set: Pointer[Record] | None, old_set: Pointer[Record] | None, size: int
) -> None:
    """sigprocmask(2) for one thread."""
    _check_size(thread, size)
    old = thread.mask
    if set:
        _change_mask(thread, how, read_set(thread, set))
    if old_set:
        write_set(thread, old_set, old)


def sigprocmask(thread: LinuxThread, how: Constant, set: Pointer[int] | None, old_set: Pointer[int] | None) -> None:
    """The old call: only the first word of the mask."""
    old, word = thread.mask, thread.abi.cpu.mask
    if set:
        keep = 0 if how != "SIG_SETMASK" else old & ~word
        _change_mask(thread, how, set.read() | keep)
    if old_set:
        old_set.write(old & word)


def _change_mask(thread: LinuxThread, how: Constant, value: int) -> None:
    changes = {"SIG_BLOCK": thread.mask | value, "SIG_UNBLOCK": thread.mask & ~value, "SIG_SETMASK": value}
    if str(how) not in changes:
        raise OSError(errno.EINVAL, "how")
    set_mask(thread, changes[str(how)])


def set_mask(thread: LinuxThread, mask: int) -> None:
    """Change the mask; a signal that it no longer blocks is delivered at the end of the call."""
    thread.mask = mask & ~thread.process.unblockable
    catch_blocked(thread.process, thread.mask)
    if thread.pending or thread.process.pending:
        thread.process.attention = True


def sgetmask(thread: LinuxThread) -> int:
    return thread.mask & thread.abi.cpu.mask


def ssetmask(thread: LinuxThread, set: int) -> int:
    old = thread.mask & thread.abi.cpu.mask
    set_mask(thread, set)
    return old


def rt_sigpending(thread: LinuxThread, set: Pointer[Record], size: int) -> None:
    """sigpending(2): what is blocked and waiting."""
    if size > _set_size(thread):
        raise OSError(errno.EINVAL, "set size")
    write_set(thread, set, _pending_mask(thread) & thread.mask)


def sigpending(thread: LinuxThread, set: Pointer[int]) -> None:
    set.write(_pending_mask(thread) & thread.mask & thread.abi.cpu.mask)


def _pending_mask(thread: LinuxThread) -> int:
    thread.process.gather()
    mask = 0
    for pending in (*thread.pending, *thread.process.pending):
        mask |= 1 << (pending.number - 1)
    return mask


def rt_sigsuspend(thread: LinuxThread, set: Pointer[Record], size: int) -> None:
    """Wait with another mask until a handler has run; always ends with EINTR."""
    _check_size(thread, size)
    _suspend(thread, read_set(thread, set))


def sigsuspend(thread: LinuxThread, unused1: int, unused2: int, set: int) -> None:
    _suspend(thread, set)


def sigsuspend_mask(thread: LinuxThread, set: int) -> None:
    """PowerPC's form: the set itself."""
    _suspend(thread, set)


def sigsuspend_set(thread: LinuxThread, set: Pointer[Record]) -> None:
    """MIPS's form: a pointer to the set."""
    _suspend(thread, read_set(thread, set))


def _suspend(thread: LinuxThread, mask: int) -> None:
    if not thread.entered:
        thread.saved_mask = thread.mask
        set_mask(thread, mask)
    thread.process.engine.listen() if thread.process.engine else None
    thread.wait(restart="no_handler")


def pause(thread: LinuxThread) -> int:
    """pause(2)."""
    thread.process.engine.listen() if thread.process.engine else None
    thread.wait(restart="no_handler")


def rt_sigtimedwait(
    thread: LinuxThread,
    set: Pointer[Record],
    info: Pointer[Record] | None,
    timeout: Pointer[Record] | None,
    size: int,
) -> int:
    """sigtimedwait(2): take a pending signal of *set*, waiting for one; EAGAIN when the time is over."""
    _check_size(thread, size)
    wanted = read_set(thread, set)
    deadline = thread.resume if isinstance(thread.resume, float) else _deadline(timeout)
    thread.process.gather()
    pending = take_from(thread, wanted)
    if pending is None:
        if deadline is not None and time.monotonic() >= deadline:
            raise OSError(errno.EAGAIN, "no signal came")
        thread.wanted = wanted
        catch_blocked(thread.process, wanted)
        thread.wait(until=deadline, resume=deadline, restart="never")
    if info:
        info.memory.write(info.address, siginfo(thread.abi, pending))
    return pending.number


def _deadline(timeout: Pointer[Record] | None) -> float | None:
    if timeout is None:
        return None
    record = timeout.read()
    seconds, nanoseconds = record.int("sec"), record.int("nsec")
    if not 0 <= nanoseconds < 1_000_000_000 or seconds < 0:
        raise OSError(errno.EINVAL, "timeout")
    return time.monotonic() + seconds + nanoseconds / 1e9


def take_from(thread: LinuxThread, wanted: int) -> Pending | None:
    """The first pending signal of the mask *wanted*: the thread's own before the process's, the lowest number first."""
    for queue in (thread.pending, thread.process.pending):
        found = [p for p in queue if wanted >> (p.number - 1) & 1]
        if found:
            chosen = min(found, key=lambda p: p.number)
            queue.remove(chosen)
            thread.process.pending_changed()
            return chosen
    return None


def rt_sigreturn(thread: LinuxThread) -> None:
    thread.jump = lambda: leave_handler(thread, True)


def sigreturn(thread: LinuxThread) -> None:
    thread.jump = lambda: leave_handler(thread, False)


def sigaltstack(thread: LinuxThread, stack: Pointer[Record] | None, old_stack: Pointer[Record] | None) -> None:
    """sigaltstack(2). Raises EPERM while on the alternate stack, ENOMEM below MINSIGSTKSZ, EINVAL for other flags."""
    alt, sp = thread.altstack, thread.registers.read(thread.abi.cpu.sp)
    on_it = bool(alt.size) and alt.address < sp <= alt.address + alt.size
    if stack:
        record = stack.read()
        if on_it:
            raise OSError(errno.EPERM, "on the alternate stack")
        new = _new_altstack(thread, record)
    if old_stack:
        flags = ["SS_DISABLE"] if not alt.size else ["SS_ONSTACK"] if on_it else []
        number = thread.abi.flags("AltStackFlags").encode(flags)
        old_stack.write({"sp": alt.address, "flags": number, "size": alt.size})
    if stack:
        thread.altstack = new


def _new_altstack(thread: LinuxThread, record: Record) -> AltStack:
    flags = thread.abi.flags("AltStackFlags").decode(record.int("flags") & 0xFFFF_FFFF)
    if flags - {"SS_DISABLE", "SS_ONSTACK", "SS_AUTODISARM"} or flags.unknown or len(flags - {"SS_AUTODISARM"}) > 1:
        raise OSError(errno.EINVAL, "flags")
    if "SS_DISABLE" in flags:
        return AltStack()
    if record.int("size") < _MINSIGSTKSZ.get(thread.abi.cpu.kind, 2048):
        raise OSError(errno.ENOMEM, "stack too small")
    return AltStack(record.int("sp"), record.int("size"), "SS_AUTODISARM" in flags)


# --- sets in memory ---


def _set_size(thread: LinuxThread) -> int:
    return thread.process.most_signals // 8


def _check_size(thread: LinuxThread, size: int) -> None:
    if size != _set_size(thread):
        raise OSError(errno.EINVAL, "set size")


def read_set(thread: LinuxThread, handle: Pointer[Record]) -> int:
    """The set at *handle* as a mask: words of the CPU's width, the lowest signals first."""
    return _mask_of_words(thread, handle.read()["bits"])


def write_set(thread: LinuxThread, handle: Pointer[Record], mask: int) -> None:
    """Store *mask* as a set."""
    handle.write({"bits": _words_of_mask(thread, mask)})


def _mask_of_words(thread: LinuxThread, words: object) -> int:
    assert isinstance(words, tuple)
    return sum(int(word) << thread.abi.cpu.bits * k for k, word in enumerate(words))


def _words_of_mask(thread: LinuxThread, mask: int) -> tuple[int, ...]:
    cpu = thread.abi.cpu
    return tuple(mask >> shift & cpu.mask for shift in range(0, thread.process.most_signals, cpu.bits))
