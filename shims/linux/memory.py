"""The address space: what Linux adds."""

from __future__ import annotations

import errno
from typing import Final

from compat.abi.flags import FlagSet
from compat.abi.handles import Pointer
from compat.abi.structs import Record
from compat.memory import PAGE, Area, Mark
from shims.linux.state import LinuxProcess, LinuxThread
from shims.posix.mapping import Request, check_locked, host_protection, limit, map_request, rounded
from shims.posix.memory import lock, mprotect

__all__ = [
    "brk",
    "map_shadow_stack",
    "mlock2",
    "mmap2",
    "mremap",
    "mseal",
    "old_mmap",
    "pkey_alloc",
    "pkey_free",
    "pkey_mprotect",
    "remap_file_pages",
]

_MMAP2_UNIT: Final = 4096
_NO_KEY: Final = -1
_MOST_VECTORS: Final = 1024  # UIO_MAXIOV, include/uapi/linux/uio.h
_HEAP_GAP: Final = 256 * PAGE  # a heap keeps this far from a stack that grows down to it (stack_guard_gap)


def brk(thread: LinuxThread, addr: int) -> int:
    """brk(2) as the kernel has it: the new end of the heap, or the old one where it can't move."""
    process = thread.process
    if addr >= process.break_start and _move_break(process, addr):
        process.break_end = addr
    return process.break_end


def _move_break(process: LinuxProcess, wanted: int) -> bool:
    memory = process.memory
    old, new = rounded(process.break_end), rounded(wanted)
    if wanted - process.break_start > limit(process, "RLIMIT_DATA"):
        return False
    try:
        if new < old:
            memory.unmap(new, old - new)
        elif new > old:
            _check_heap_room(process, old, new)
            protection = host_protection(process, ("PROT_READ", "PROT_WRITE"))
            marks = Mark.LOCKED if process.locks_future else 0
            memory.map(new - old, protection, address=old, fixed=True, replace=False, name=b"[heap]", marks=marks)
    except OSError:
        return False
    return True


def _check_heap_room(process: LinuxProcess, old: int, new: int) -> None:
    if new - old > limit(process, "RLIMIT_AS") - process.memory.mapped:
        raise OSError(errno.ENOMEM, "RLIMIT_AS")
    if process.locks_future:
        check_locked(process, new - old, errno.ENOMEM)
    above = process.memory.areas.around(old)[1]
    if above is not None and above.marks & Mark.GROWS_DOWN and above.start - new < _HEAP_GAP:
        raise OSError(errno.ENOMEM, "a stack is near")


def old_mmap(thread: LinuxThread, args: Pointer[Record]) -> int:
    """mmap of x86 and s390x, whose arguments lie in memory (sys_old_mmap, mm/mmap.c)."""
    given = args.read()
    prot, flags = thread.abi.flags("MapProt"), thread.abi.flags("MapFlags")
    offset = given.int("offset")
    if offset % PAGE:
        raise OSError(errno.EINVAL, "offset not on a page")
    rights = prot.decode(given.int("prot"))
    fd = _as_int(given.int("fd"))
    request = Request(given.int("addr"), given.int("length"), rights, flags.decode(given.int("flags")), fd, offset)
    return map_request(thread, request)


def _as_int(value: int) -> int:
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


def mmap2(thread: LinuxThread, addr: int, length: int, prot: FlagSet, flags: FlagSet, fd: int, page: int) -> int:
    """mmap2(2): the offset in units of 4096 bytes."""
    return map_request(thread, Request(addr, length, prot, flags, fd, page * _MMAP2_UNIT))


def mremap(thread: LinuxThread, addr: int, length: int, new_length: int, flags: FlagSet, new_addr: int) -> int:
    """mremap(2)."""
    fixed, may_move, keep = (f"MREMAP_{name}" in flags for name in ("FIXED", "MAYMOVE", "DONTUNMAP"))
    old, new = rounded(length), rounded(new_length)
    if flags.unknown or ((fixed or keep) and not may_move) or (keep and old != new) or addr % PAGE or new == 0:
        raise OSError(errno.EINVAL, "flags, address or length")
    area = thread.memory.areas.find(addr)
    if area is None:
        raise OSError(errno.EFAULT, "nothing mapped")
    if fixed:
        _check_target(thread.process, addr, old, new_addr, new)
    if old == 0:
        return _map_again(thread.process, area, addr, new, new_addr if fixed else None)
    _check_growth(thread.process, area, new - old)
    return thread.memory.move(addr, old, new, new_addr if fixed else None, may_move=may_move, keep=keep)


def _check_target(process: LinuxProcess, address: int, old: int, target: int, new: int) -> None:
    top = process.memory.top
    if target % PAGE or new > top or target > top - new or (address < target + new and target < address + old):
        raise OSError(errno.EINVAL, "new address")


def _check_growth(process: LinuxProcess, area: Area, more: int) -> None:
    if more <= 0:
        return
    if more > limit(process, "RLIMIT_AS") - process.memory.mapped:
        raise OSError(errno.ENOMEM, "RLIMIT_AS")
    if area.marks & Mark.LOCKED:
        check_locked(process, more, errno.EAGAIN)


def _map_again(process: LinuxProcess, area: Area, address: int, size: int, target: int | None) -> int:
    """An old length of 0 maps what is shared a second time; only a file can be found again here."""
    if not area.shared or area.backing is None:
        raise OSError(errno.EINVAL, "nothing to map a second time")
    return process.memory.map(
        size,
        area.protection,
        address=target or 0,
        fixed=target is not None,
        shared=True,
        backing=area.backing,
        offset=area.offset + address - area.start,
    )


def remap_file_pages(thread: LinuxThread, addr: int, length: int, prot: FlagSet, page: int, flags: FlagSet) -> None:
    """remap_file_pages(2), which Linux too emulates by mapping the file once more (mm/mmap.c)."""
    start, size = addr // PAGE * PAGE, length // PAGE * PAGE
    bits = thread.abi.cpu.bits
    if prot.value or size == 0 or start + size > 1 << bits or page + size // PAGE >= 1 << bits:
        raise OSError(errno.EINVAL, "range or protection")
    area = thread.memory.areas.find(start)
    if area is None or not area.shared or area.backing is None or start + size > area.end:
        raise OSError(errno.EINVAL, "not one shared mapping of a file")
    offset = page * PAGE
    thread.memory.map(
        size, area.protection, address=start, fixed=True, shared=True, backing=area.backing, offset=offset
    )


def mlock2(thread: LinuxThread, addr: int, length: int, flags: FlagSet) -> None:
    """mlock2(2)."""
    if flags.unknown:
        raise OSError(errno.EINVAL, "flags")
    lock(thread, addr, length)


def mseal(thread: LinuxThread, addr: int, length: int, flags: int) -> None:
    """mseal(2), which 32-bit kernels don't have."""
    if thread.abi.cpu.bits == 32:
        raise OSError(errno.ENOSYS, "only on 64-bit CPUs")
    size = rounded(length)
    if flags or addr % PAGE or addr + size > 1 << 64:
        raise OSError(errno.EINVAL, "flags or range")
    if not thread.memory.areas.covers(addr, addr + size):
        raise OSError(errno.ENOMEM, "hole in the range")
    thread.memory.mark(addr, size, add=Mark.SEALED)


# --- protection keys and shadow stacks: a CPU without them ---


def pkey_alloc(thread: LinuxThread, flags: int, access: FlagSet) -> int:
    """pkey_alloc(2): there is no key to be had."""
    if flags or access.unknown:
        raise OSError(errno.EINVAL, "flags")
    raise OSError(errno.ENOSPC, "no protection keys")


def pkey_free(thread: LinuxThread, key: int) -> None:
    """pkey_free(2)."""
    raise OSError(errno.EINVAL, "no such key")


def pkey_mprotect(thread: LinuxThread, addr: int, length: int, prot: FlagSet, key: int) -> None:
    """pkey_mprotect(2): without a key, mprotect."""
    if key != _NO_KEY:
        raise OSError(errno.EINVAL, "no such key")
    mprotect(thread, addr, length, prot)


def map_shadow_stack(thread: LinuxThread, addr: int, length: int, flags: FlagSet) -> int:
    """map_shadow_stack(2)."""
    raise OSError(errno.EOPNOTSUPP, "no shadow stacks")
