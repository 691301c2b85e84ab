"""Classic BPF on sockets: socket(7), "SO_ATTACH_FILTER". The host's kernel checks and runs the guest's programs."""

from __future__ import annotations

import errno
import struct
from collections.abc import Mapping
from typing import Final

from compat.abi.handles import Buffer, Pointer
from shims.posix.openfiles import OpenFile
from shims.posix.state import PosixThread

__all__ = ["ATTACHING", "attach", "get_filter"]

ATTACHING: Final[Mapping[str, int]] = {"SO_ATTACH_FILTER": 26, "SO_ATTACH_REUSEPORT_CBPF": 51}
"""Options that take a struct sock_fprog: asm-generic/socket.h."""

_INSTRUCTION: Final = "HBBI"  # struct sock_filter: code, jt, jf, k
_SIZE: Final = 8
_MOST: Final = 4096  # BPF_MAXINSNS of linux/bpf_common.h


def attach(thread: PosixThread, file: OpenFile, name: str, value: Buffer) -> None:
    """Give the host the filter that a struct sock_fprog tells of.

    Raises OSError: EINVAL for its size, its length, or a program that the host refuses; EPERM for one that is locked.
    """
    layout = thread.abi.layout("SockFprog")
    if value.size != layout.size:
        raise OSError(errno.EINVAL, "size of struct sock_fprog")
    given = layout.unpack(value.read(layout.size))
    if not 0 < given.int("len") <= _MOST:
        raise OSError(errno.EINVAL, "length of the filter")
    program = thread.memory.read(given.int("filter"), given.int("len") * _SIZE)
    thread.host.attach_filter(file.fd, ATTACHING[name], _swap(program, thread.abi.cpu.order, "="))


def _swap(program: bytes, order: str, other: str) -> bytes:
    """Packets are in network order on every CPU, so that only the instructions themselves differ."""
    return b"".join(
        struct.pack(other + _INSTRUCTION, *each) for each in struct.iter_unpack(order + _INSTRUCTION, program)
    )


def get_filter(thread: PosixThread, file: OpenFile, value: int, size: Pointer[int]) -> None:
    """SO_GET_FILTER: *size* counts instructions; 0 asks for their number alone (sk_get_filter() of net/core/filter.c).

    Raises OSError EINVAL for too little room.
    """
    program, room = thread.host.attached_filter(file.fd), size.read()
    count = len(program) // _SIZE
    if room and room < count:
        raise OSError(errno.EINVAL, "fewer instructions than the filter has")
    if room:
        thread.memory.write(value, _swap(program, "=", thread.abi.cpu.order))
    size.write(count)
