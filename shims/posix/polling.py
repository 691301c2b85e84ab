"""Waiting for descriptors: poll and select."""

from __future__ import annotations

import errno
import select as host_select
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal

from compat.abi.handles import ArrayHandle, Pointer
from compat.abi.structs import Record
from compat.data import dataclass
from compat.errors import Interrupted, MemoryFault, Restart
from shims.posix.state import PosixThread

__all__ = ["HOST_EVENTS", "Deadline", "after", "poll", "poll_until", "select", "select_until"]

HOST_EVENTS: Final[dict[str, int]] = {
    name: getattr(host_select, name)
    for name in (
        "POLLIN", "POLLPRI", "POLLOUT", "POLLERR", "POLLHUP", "POLLNVAL", "POLLRDNORM", "POLLRDBAND", "POLLWRNORM",
        "POLLWRBAND", "POLLMSG", "POLLRDHUP",
    )
    if hasattr(host_select, name)
}  # fmt: skip
_ALWAYS: Final = host_select.POLLERR | host_select.POLLHUP | host_select.POLLNVAL
_READABLE: Final = host_select.POLLIN | host_select.POLLRDNORM | host_select.POLLRDBAND
_WRITABLE: Final = host_select.POLLOUT | host_select.POLLWRNORM | host_select.POLLWRBAND
_MOST_SELECTED: Final = 1 << 20


@dataclass(frozen=True)
class Deadline:
    """Kept while poll or select waits: *until* is a time.monotonic() value, None to wait for ever."""

    until: float | None


def after(thread: PosixThread, seconds: float | None) -> float | None:
    """The deadline of the call under way, which stays the same when it is entered again."""
    if isinstance(thread.resume, Deadline):
        return thread.resume.until
    return None if seconds is None else time.monotonic() + seconds


def poll(thread: PosixThread, fds: ArrayHandle[Record], count: int, timeout: int) -> int:
    """poll(2); a signal without a handler lets it go on."""
    return poll_until(thread, fds, after(thread, None if timeout < 0 else timeout / 1000), "no_handler")


def poll_until(thread: PosixThread, fds: ArrayHandle[Record], until: float | None, restart: Restart) -> int:
    """Fill in revents and count the files that have some; raises OSError(EINVAL) for more than RLIMIT_NOFILE."""
    if fds.count > thread.process.files.limit:
        raise OSError(errno.EINVAL, "count")
    records = fds.read() if fds.count else []
    kinds = thread.abi.flags("PollEvents")
    wanted = {
        index: kinds.decode(record.int("events")).host(HOST_EVENTS) | _ALWAYS
        for index, record in enumerate(records)
        if record.int("fd") >= 0
    }
    descriptors = {index: host_descriptor(thread, records[index].int("fd")) for index in wanted}
    found = look(thread, [(fd, wanted[index]) for index, fd in descriptors.items() if fd is not None])
    results = [0] * len(records)
    for index, fd in descriptors.items():
        events = host_select.POLLNVAL if fd is None else found.get(fd, 0) & wanted[index]
        results[index] = kinds.from_host(events, HOST_EVENTS)
    if not any(results):
        waited = join((fd, wanted[index]) for index, fd in descriptors.items() if fd is not None)
        wait_unless_over(thread, waited, until, restart)
    fds.write([{**record, "revents": result} for record, result in zip(records, results, strict=True)])
    return sum(map(bool, results))


def host_descriptor(thread: PosixThread, fd: int) -> int | None:
    """The host's descriptor to wait for; None where the guest's is not open, or names a file only (O_PATH)."""
    try:
        file = thread.process.files.get(fd)
    except OSError:
        return None
    return None if "O_PATH" in file.flags else file.fd


def join(pairs: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Masks by descriptor: several guest numbers may share a host's."""
    masks: dict[int, int] = {}
    for fd, mask in pairs:
        masks[fd] = masks.get(fd, 0) | mask
    return masks


def look(thread: PosixThread, pairs: Iterable[tuple[int, int]]) -> Mapping[int, int]:
    """What holds now, by host descriptor."""
    return dict(thread.host.poll(pairs, 0))


def wait_unless_over(
    thread: PosixThread, descriptors: Mapping[int, int], until: float | None, restart: Restart
) -> None:
    """Wait, or return where the deadline has passed."""
    if until is not None and time.monotonic() >= until:
        return
    thread.wait(descriptors=descriptors, until=until, resume=Deadline(until), restart=restart)


# --- select ---


def select(
    thread: PosixThread,
    count: int,
    readable: int,
    writable: int,
    exceptional: int,
    timeout: Pointer[Record] | None,
) -> int:
    """select(2); the timeout comes back with what is left of it."""
    seconds = None
    if timeout is not None:
        record = timeout.read()
        seconds = record.int("sec") + record.int("usec") / 1_000_000
        if record.int("sec") < 0 or record.int("usec") < 0:
            raise OSError(errno.EINVAL, "timeout")
    until = after(thread, seconds)

    def store(left: float) -> None:
        assert timeout is not None
        timeout.write({"sec": int(left), "usec": int(left % 1 * 1_000_000)})

    return with_rest(
        until, store if seconds else None, lambda: select_until(thread, count, (readable, writable, exceptional), until)
    )


def with_rest(until: float | None, store: Callable[[float], None] | None, call: Callable[[], int]) -> int:
    """*call*, after which *store* writes the seconds that are left, also where a signal ended it.

    As poll_select_finish() of Linux's fs/select.c: a timeout of zero is left alone, and so is one in memory that
    can't be written.
    """
    try:
        result = call()
    except Interrupted:
        _store_rest(until, store)
        raise
    _store_rest(until, store)
    return result


def _store_rest(until: float | None, store: Callable[[float], None] | None) -> None:
    if until is None or store is None:
        return
    try:
        store(max(0.0, until - time.monotonic()))
    except MemoryFault:
        pass


def select_until(thread: PosixThread, count: int, sets: tuple[int, int, int], until: float | None) -> int:
    """The three sets hold what is ready afterwards; returns the number of bits.

    *sets* are guest addresses, or 0. Raises OSError EINVAL, EBADF.
    """
    if count < 0:
        raise OSError(errno.EINVAL, "count")
    count = min(count, _MOST_SELECTED)
    masks = (_READABLE, _WRITABLE, host_select.POLLPRI)
    edges = (host_select.POLLHUP | host_select.POLLERR, host_select.POLLERR, 0)
    asked = [read_set(thread, address, count) for address in sets]
    descriptors: dict[int, int] = {}
    for fd in set().union(*asked):
        host_fd = host_descriptor(thread, fd)
        if host_fd is None:
            raise OSError(errno.EBADF, "fd")
        descriptors[fd] = host_fd
    pairs = [(descriptors[fd], mask) for chosen, mask in zip(asked, masks, strict=True) for fd in chosen]
    found = look(thread, pairs)
    ready = [
        {fd for fd in chosen if found.get(descriptors[fd], 0) & (mask | edge)}
        for chosen, mask, edge in zip(asked, masks, edges, strict=True)
    ]
    if not any(ready):
        wait_unless_over(thread, join(pairs), until, "no_handler")
    for address, chosen in zip(sets, ready, strict=True):
        write_set(thread, address, count, chosen)
    return sum(map(len, ready))


def read_set(thread: PosixThread, address: int, count: int) -> set[int]:
    """The numbers below *count* in an fd_set: words of the guest's long, least significant bit first."""
    if not address or not count:
        return set()
    cpu = thread.abi.cpu
    words = -(-count // cpu.bits)
    data = thread.memory.read(address, words * cpu.word)
    whole = 0
    for index in range(words):
        word = int.from_bytes(data[index * cpu.word : (index + 1) * cpu.word], _order(thread))
        whole |= word << (index * cpu.bits)
    return {fd for fd in range(count) if whole >> fd & 1}


def write_set(thread: PosixThread, address: int, count: int, chosen: set[int]) -> None:
    if not address or not count:
        return
    cpu = thread.abi.cpu
    words = [0] * -(-count // cpu.bits)
    for fd in chosen:
        words[fd // cpu.bits] |= 1 << fd % cpu.bits
    thread.memory.write(address, b"".join(word.to_bytes(cpu.word, _order(thread)) for word in words))


def _order(thread: PosixThread) -> Literal["little", "big"]:
    return "big" if thread.abi.cpu.endian == "big" else "little"
