"""The guest's own mappings as fs/proc/task_mmu.c shows them: maps, smaps, statm."""

from __future__ import annotations

import os
from collections.abc import Iterator

from compat.data import dataclass, replace
from compat.memory import PAGE, Area, Mark
from shims.linux.state import LinuxProcess

__all__ = ["Totals", "maps", "smaps", "smaps_rollup", "statm", "totals"]

_WRITE, _EXECUTE = 2, 4


def mappings(process: LinuxProcess) -> Iterator[Area]:
    """The areas, those joined that look like one mapping wherever they lie in RAM."""
    last: Area | None = None
    for area in process.memory.areas:
        if last is not None and last.alike(area):
            last = replace(last, end=area.end)
            continue
        if last is not None:
            yield last
        last = area
    if last is not None:
        yield last


def maps(process: LinuxProcess) -> bytes:
    """/proc/self/maps."""
    return b"".join(_line(process, area) for area in mappings(process))


def _line(process: LinuxProcess, area: Area) -> bytes:
    rights = bytes(letter if area.protection & bit else 0x2D for letter, bit in zip(b"rwx", (1, 2, 4), strict=True))
    device, inode = _file(area)
    major, minor = os.major(device), os.minor(device)
    text = b"%08x-%08x %s%s %08x %02x:%02x %d " % (
        area.start,
        area.end,
        rights,
        b"s" if area.shared else b"p",
        area.offset if area.backing else 0,
        major,
        minor,
        inode,
    )
    name = _name(process, area)
    if not name:
        return text + b"\n"
    width = 25 + 6 * process.abi.cpu.word  # show_vma_header_prefix pads to this column
    return text.ljust(width) + name.replace(b"\n", b"\\012") + b"\n"


def _file(area: Area) -> tuple[int, int]:
    """Device and inode; memory shared without a file lies in a file system of the kernel's own."""
    if area.backing is not None:
        return area.backing.device, area.backing.inode
    return (os.makedev(0, 1), area.start // PAGE) if area.shared else (0, 0)


def _name(process: LinuxProcess, area: Area) -> bytes:
    if area.backing is not None:
        gone = os.fstat(area.backing.fd).st_nlink == 0
        return area.backing.path + (b" (deleted)" if gone else b"")
    if area.shared:
        return (area.name or b"/dev/zero") + b" (deleted)"
    return area.name


# --- sizes ---


@dataclass
class Totals:
    """Bytes of the address space by kind, as /proc/self/status adds them up."""

    size: int = 0
    locked: int = 0
    resident: int = 0
    resident_file: int = 0
    resident_shared: int = 0
    data: int = 0
    stack: int = 0
    code: int = 0
    library: int = 0


def totals(process: LinuxProcess) -> Totals:
    """Add up all areas; what is resident is what the host has in core."""
    found = Totals()
    for area in process.memory.areas:
        found.size += area.size
        found.locked += area.size if area.marks & Mark.LOCKED else 0
        _add_kind(process, area, found)
        resident = _resident(process, area)
        found.resident += resident
        if area.backing is not None:
            found.resident_file += resident
        elif area.shared:
            found.resident_shared += resident
    return found


def _add_kind(process: LinuxProcess, area: Area, found: Totals) -> None:
    if area.name == b"[stack]":
        found.stack += area.size
    elif area.protection & _WRITE and not area.shared:
        found.data += area.size
    elif area.protection & _EXECUTE and area.backing is not None:
        if area.backing.path == process.executable.guest_path:
            found.code += area.size
        else:
            found.library += area.size


def _resident(process: LinuxProcess, area: Area) -> int:
    if area.frame is None:
        return 0
    try:
        vector = process.memory.ram.resident(area.frame, area.size)
    except OSError:
        return 0
    return PAGE * sum(vector.translate(_LOW_BIT))


def _shared(process: LinuxProcess, area: Area) -> int:
    """Bytes of private memory that a parent or child has not written since the fork."""
    if area.frame is None or area.backing is not None or area.shared:
        return 0
    return PAGE * process.memory.ram.shared_pages(area.frame, area.size)


_LOW_BIT = bytes(n & 1 for n in range(256))


def statm(process: LinuxProcess) -> bytes:
    """/proc/self/statm, in pages: size resident shared text lib data dt."""
    found = totals(process)
    shared = found.resident_file + found.resident_shared
    numbers = (found.size, found.resident, shared, found.code, 0, found.data + found.stack, 0)
    return b" ".join(b"%d" % (number // PAGE) for number in numbers) + b"\n"


def smaps(process: LinuxProcess) -> bytes:
    """/proc/self/smaps."""
    return b"".join(_line(process, area) + _details(process, [area]) + _flags(area) for area in mappings(process))


def smaps_rollup(process: LinuxProcess) -> bytes:
    """/proc/self/smaps_rollup."""
    areas = list(process.memory.areas)
    if not areas:
        return b""
    head = b"%08x-%08x ---p 00000000 00:00 0 " % (areas[0].start, areas[-1].end)
    width = 25 + 6 * process.abi.cpu.word
    sizes = _details(process, areas).split(b"\n", 3)[3]  # without Size and the two page sizes
    return head.ljust(width) + b"[rollup]\n" + sizes


def _details(process: LinuxProcess, areas: list[Area]) -> bytes:
    size = sum(area.size for area in areas)
    pieces = [piece for area in areas for piece in process.memory.areas.between(area.start, area.end)]
    resident = sum(_resident(process, piece) for piece in pieces)
    own = sum(_resident(process, piece) for piece in pieces if piece.backing is None)
    shared = sum(_shared(process, piece) for piece in pieces)
    locked = sum(area.size for area in areas if area.marks & Mark.LOCKED)
    lines = [
        (b"Size", size),
        (b"KernelPageSize", PAGE),
        (b"MMUPageSize", PAGE),
        (b"Rss", resident),
        (b"Pss", resident),
        (b"Pss_Dirty", own),
        (b"Shared_Clean", 0),
        (b"Shared_Dirty", shared),
        (b"Private_Clean", resident - own),
        (b"Private_Dirty", own - shared),
        (b"Referenced", resident),
        (b"Anonymous", own),
        (b"KSM", 0),
        (b"LazyFree", 0),
        (b"AnonHugePages", 0),
        (b"ShmemPmdMapped", 0),
        (b"FilePmdMapped", 0),
        (b"Shared_Hugetlb", 0),
        (b"Private_Hugetlb", 0),
        (b"Swap", 0),
        (b"SwapPss", 0),
        (b"Locked", locked),
    ]
    return b"".join(b"%-16s%8d kB\n" % (name + b":", number // 1024) for name, number in lines)


def _flags(area: Area) -> bytes:
    """THPeligible and VmFlags: show_smap_vma_flags()."""
    names = [name for name, bit in ((b"rd", 1), (b"wr", 2), (b"ex", 4)) if area.protection & bit]
    names += [b"sh"] if area.shared else []
    names += [b"mr", b"mw", b"me"] + ([b"ms"] if area.shared else [])
    marks = (
        (b"gd", Mark.GROWS_DOWN),
        (b"lo", Mark.LOCKED),
        (b"dc", Mark.NOT_FORKED),
        (b"wf", Mark.WIPED_BY_FORK),
        (b"dd", Mark.NOT_DUMPED),
        (b"sl", Mark.SEALED),
    )
    names += [name for name, mark in marks if area.marks & mark]
    return b"THPeligible:           0\nVmFlags: %s \n" % b" ".join(names)
