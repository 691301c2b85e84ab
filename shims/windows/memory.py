"""Virtual memory: reserved, committed, protected and asked about page by page."""

from __future__ import annotations

import errno
from typing import Final

from compat.abi.flags import FlagSet
from compat.abi.handles import Pointer
from compat.abi.structs import Record
from compat.memory import PAGE, Area
from shims.windows.threads import WindowsThread

__all__ = ["virtual_alloc", "virtual_free", "virtual_protect", "virtual_query"]

_GRANULARITY: Final = 0x10000
_PROTECTIONS: Final = (
    ("PAGE_NOACCESS", 0),
    ("PAGE_READONLY", 1),
    ("PAGE_READWRITE", 3),
    ("PAGE_WRITECOPY", 3),
    ("PAGE_EXECUTE", 5),
    ("PAGE_EXECUTE_READ", 5),
    ("PAGE_EXECUTE_READWRITE", 7),
    ("PAGE_EXECUTE_WRITECOPY", 7),
)
_NAMES: Final = ("NOACCESS", "READONLY", "READWRITE", "READWRITE") + ("EXECUTE_READ",) * 2 + ("EXECUTE_READWRITE",) * 2


def virtual_alloc(thread: WindowsThread, addr: int, size: int, type: FlagSet, protect: FlagSet) -> int:
    """VirtualAlloc. Raises OSError: EINVAL for flags or a size that can't be, ENOMEM without room, EFAULT where the
    range to commit is not reserved."""
    rights = _rights(protect)
    if not size or not {"MEM_COMMIT", "MEM_RESERVE", "MEM_RESET"} & type:
        raise OSError(errno.EINVAL, "allocation type")
    start = addr & -PAGE
    length = -(-(addr + size - start) // PAGE) * PAGE
    if "MEM_RESERVE" in type or not addr:
        length += start % _GRANULARITY
        return _reserve(thread, start & -_GRANULARITY, length, rights if "MEM_COMMIT" in type else 0)
    if not thread.memory.areas.covers(start, start + length):
        raise OSError(errno.EFAULT, "not reserved")
    if "MEM_COMMIT" in type:
        thread.memory.protect(start, length, rights)
    return start


def _reserve(thread: WindowsThread, address: int, size: int, rights: int) -> int:
    """*size* bytes at *address*, or anywhere for 0, where addresses are multiples of 64 KiB."""
    memory = thread.memory
    if address:
        try:
            memory.map(size, rights, address=address, fixed=True, replace=False)
        except OSError as error:
            raise OSError(errno.EFAULT if error.errno == errno.EEXIST else error.errno, "address") from None
    else:
        found = memory.map(size + _GRANULARITY, 0)
        address = -(-found // _GRANULARITY) * _GRANULARITY
        memory.unmap(found, size + _GRANULARITY)
        memory.map(size, rights, address=address, fixed=True)
    thread.process.allocations[address] = size
    return address


def virtual_free(thread: WindowsThread, addr: int, size: int, type: FlagSet) -> int:
    """VirtualFree. Raises OSError(EINVAL) for what is no whole allocation."""
    allocations = thread.process.allocations
    if "MEM_RELEASE" in type:
        if size or addr not in allocations:
            raise OSError(errno.EINVAL, "not an allocation")
        thread.memory.unmap(addr, allocations.pop(addr))
        return 1
    if "MEM_DECOMMIT" not in type:
        raise OSError(errno.EINVAL, "free type")
    start = addr & -PAGE
    length = (addr + size - start + PAGE - 1) & -PAGE if size else allocations.get(addr, 0)
    if not thread.memory.areas.covers(start, start + length):
        raise OSError(errno.EFAULT, "not reserved")
    thread.memory.discard(start, length)
    thread.memory.protect(start, length, 0)
    return 1


def virtual_protect(thread: WindowsThread, addr: int, size: int, protect: FlagSet, old: Pointer[int]) -> int:
    """VirtualProtect. Raises OSError: EINVAL for a protection that is none, EFAULT where nothing is mapped."""
    rights = _rights(protect)
    start = addr & -PAGE
    end = -(-(addr + max(size, 1)) // PAGE) * PAGE
    if not thread.memory.areas.covers(start, end):
        raise OSError(errno.EFAULT, "not mapped")
    old.write(_number(thread, thread.memory.rights(start)))
    thread.memory.protect(start, end - start, rights)
    return 1


def virtual_query(thread: WindowsThread, addr: int, info: Pointer[Record], size: int) -> int:
    """VirtualQuery: how many bytes it wrote. Raises OSError: EINVAL beyond user addresses or without room."""
    memory, process = thread.memory, thread.process
    page = addr & -PAGE
    if size < info.size or page >= memory.top:
        raise OSError(errno.EINVAL, "address or size")
    area = memory.areas.find(page)
    state = process.windows.constants("MemoryState").values
    if area is None:
        above = memory.areas.around(page)[1]
        end = above.start if above is not None else memory.top
        info.write({"base": page, "size": end - page, "state": state["MEM_FREE"], "protect": 1})
        return info.size
    base, kind = _allocation(thread, area)
    protect = _number(thread, area.protection)
    fields = {"base": page, "allocation_base": base, "allocation_protect": protect, "size": area.end - page}
    fields |= {"type": process.windows.constants("MemoryType").values[kind]}
    committed = bool(area.protection)
    fields |= {"state": state["MEM_COMMIT" if committed else "MEM_RESERVE"], "protect": protect if committed else 0}
    info.write(fields)
    return info.size


def _allocation(thread: WindowsThread, area: Area) -> tuple[int, str]:
    """The base of what *area* was mapped with, and its kind."""
    for base, (size, _) in thread.process.modules.items():
        if base <= area.start < base + size:
            return base, "MEM_IMAGE"
    for base, size in thread.process.allocations.items():
        if base <= area.start < base + size:
            return base, "MEM_PRIVATE"
    return area.start, "MEM_MAPPED" if area.backing is not None else "MEM_PRIVATE"


def _rights(protect: FlagSet) -> int:
    for name, rights in _PROTECTIONS:
        if name in protect:
            return rights
    raise OSError(errno.EINVAL, "protection")


def _number(thread: WindowsThread, rights: int) -> int:
    return thread.process.windows.flags("PageProtection").values[f"PAGE_{_NAMES[rights]}"]
