"""Many messages in one call: sendmmsg and recvmmsg."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from compat.abi.flags import FlagSet
from compat.abi.handles import ArrayHandle, Pointer, ScalarCodec
from compat.abi.structs import Record
from compat.data import dataclass
from compat.errors import Interrupted, MemoryFault, Wait
from shims.linux.state import LinuxThread
from shims.posix.clock import SECOND, nanoseconds
from shims.posix.messages import send_message, take_message
from shims.posix.socketfiles import Paused, find_socket

__all__ = ["recvmmsg", "sendmmsg"]

_MOST_MESSAGES: Final = 1024  # UIO_MAXIOV of include/uapi/linux/uio.h


@dataclass(frozen=True)
class _Several(Paused):
    """Kept while one of the messages waits: *count* are done, *end* is recvmmsg's own deadline."""

    count: int = 0
    end: float | None = None


def sendmmsg(thread: LinuxThread, fd: int, messages: ArrayHandle[Record], count: int, flags: FlagSet) -> int:
    """sendmmsg(2)."""
    file, kind = find_socket(thread, fd)

    def send(place: int) -> bool:
        size = send_message(thread, file, kind, _header(messages, place), flags)
        _tell_size(thread, messages, place, size)
        return True

    return _each(thread, min(count, _MOST_MESSAGES), None, send)


def recvmmsg(
    thread: LinuxThread,
    fd: int,
    messages: ArrayHandle[Record],
    count: int,
    flags: FlagSet,
    timeout: Pointer[Record] | None,
) -> int:
    """recvmmsg(2); as there, the timeout is looked at after each message only."""
    end = _end(thread, timeout)
    file, kind = find_socket(thread, fd)
    impatient = FlagSet.make(flags | {"MSG_DONTWAIT"}, flags.value, flags.unknown)

    def take(place: int) -> bool:
        now = impatient if place and "MSG_WAITFORONE" in flags else flags
        size, header = take_message(thread, file, kind, _header(messages, place), now)
        messages.at(place).write({f"hdr.{name}": value for name, value in header.items()} | {"len": size})
        out_of_band = thread.abi.flags("MessageFlags").values["MSG_OOB"]
        return not header.int("flags") & out_of_band and (end is None or time.monotonic() < end)

    taken = _each(thread, min(count, _MOST_MESSAGES), end, take)
    if timeout is not None and taken and end is not None:
        left = max(0, int((end - time.monotonic()) * SECOND))
        timeout.write({"sec": left // SECOND, "nsec": left % SECOND})
    return taken


def _end(thread: LinuxThread, timeout: Pointer[Record] | None) -> float | None:
    """The deadline of the call under way; raises OSError EINVAL for a time that is none."""
    if timeout is None:
        return None
    if isinstance(thread.resume, _Several):
        return thread.resume.end
    return time.monotonic() + nanoseconds(thread, timeout.read()) / SECOND


def _each(thread: LinuxThread, count: int, end: float | None, act: Callable[[int], bool]) -> int:
    """*act* on each message until it says no, or one fails; returns how many are done, unless the first failed."""
    done = thread.resume.count if isinstance(thread.resume, _Several) else 0
    while done < count:
        try:
            more = act(done)
        except Wait as wait:
            kept = wait.resume if isinstance(wait.resume, Paused) else Paused(0, None)
            wait.resume = _Several(kept.done, kept.until, kept.control, done, end)
            raise
        except (OSError, MemoryFault, Interrupted):
            if not done:
                raise
            break
        thread.resume = None
        done += 1
        if not more:
            break
    return done


def _header(messages: ArrayHandle[Record], place: int) -> Record:
    record = messages.at(place).read()
    return Record({name.removeprefix("hdr."): value for name, value in record.items() if name != "len"})


def _tell_size(thread: LinuxThread, messages: ArrayHandle[Record], place: int, size: int) -> None:
    codec = ScalarCodec(4, thread.abi.cpu.endian, signed=False)
    thread.memory.write(messages.at(place).address + thread.abi.layout("Mmsghdr").offset("len"), codec.pack(size))
