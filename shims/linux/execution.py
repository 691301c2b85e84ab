"""Mapping a program: what fs/binfmt_elf.c does between execve(2) and the first instruction."""

from __future__ import annotations

import errno
import os

from compat.abi.conventions import Cpu
from compat.data import dataclass
from compat.errors import BadFile
from compat.image import Image, Script, Segment
from compat.memory import PAGE, AddressSpace, Backing
from shims.linux.state import LinuxProcess

__all__ = ["Loaded", "OpenProgram", "map_image", "map_program", "open_program"]

_MOST_SCRIPTS = 5  # fs/exec.c: more nested interpreters are ELOOP


@dataclass(frozen=True)
class OpenProgram:
    """An image with the host descriptor it was read from (owned by whoever holds this), its canonical guest *path*,
    and its *name* as execve was given it."""

    image: Image
    fd: int
    path: bytes
    name: bytes


@dataclass(frozen=True)
class Loaded:
    """Where things came to lie: the first instruction *start* and the *bias* of the image it is in, the program's own
    entry, program headers and end, the interpreter's *base* (0 without one)."""

    start: int
    bias: int
    entry: int
    phdr: int
    end: int
    base: int


def open_program(
    process: LinuxProcess, fd: int, path: bytes, name: bytes, arguments: list[bytes]
) -> tuple[OpenProgram, list[bytes]]:
    """Read the program at host descriptor *fd*, following `#!` lines; returns it and the arguments as they then are.

    Raises CompatError for a file that compat can't run, OSError as execve(2) does.
    """
    for _ in range(_MOST_SCRIPTS):
        found = process.load_image(fd, path)
        if isinstance(found, Image):
            return OpenProgram(found, fd, path, name), arguments
        assert isinstance(found, Script)
        os.close(fd)
        extra = [found.interpreter] + ([found.argument] if found.argument is not None else [])
        arguments = [*extra, name, *arguments[1:]]
        path = name = found.interpreter
        fd = open_in_view(process, path)
    os.close(fd)
    raise OSError(errno.ELOOP, "too many interpreters")


def open_in_view(process: LinuxProcess, path: bytes) -> int:
    """A host descriptor for reading the guest's file *path*; raises OSError."""
    with process.view.resolve(path, process.directory) as place:
        return place.open(os.O_RDONLY).fd


def map_program(process: LinuxProcess, program: OpenProgram) -> Loaded:
    """Map *program* and its interpreter into an empty address space."""
    cpu, image = process.abi.cpu, program.image
    bias = _base(cpu, image) if image.relocatable else 0
    map_image(process.memory, program, bias)
    start, base = image.entry + bias, 0
    if image.interpreter is not None:
        start, base = _map_interpreter(process, image)
    phdr = image.phdr_address + bias if image.phdr_address else 0
    return Loaded(start, base or bias, image.entry + bias, phdr, image.highest + bias, base)


def _base(cpu: Cpu, image: Image) -> int:
    """ELF_ET_DYN_BASE: two thirds up the user addresses (arch/*/include/asm/elf.h); never randomised, so that two
    runs print the same trace."""
    wanted = cpu.top // 3 * 2
    align = max(image.alignment, PAGE)
    return (wanted // align * align) - (image.lowest // align * align)


def _map_interpreter(process: LinuxProcess, image: Image) -> tuple[int, int]:
    path = image.interpreter or b""
    try:
        fd = open_in_view(process, path)
    except OSError as error:
        name = os.fsdecode(path)
        raise BadFile(
            f"the program needs {name} (its dynamic loader): {error.strerror}; give --sysroot a folder that has it"
        ) from None
    try:
        found = process.load_image(fd, path)
        if not isinstance(found, Image) or found.cpu != image.cpu:
            raise BadFile(f"{os.fsdecode(path)} is no dynamic loader for {image.cpu}")
        bias = 0
        if found.relocatable:
            size = found.highest - (found.lowest & -PAGE)
            bias = process.memory.map(size, 0) - (found.lowest & -PAGE)
        map_image(process.memory, OpenProgram(found, fd, path, path), bias)
        return found.entry + bias, bias
    finally:
        os.close(fd)


def map_image(memory: AddressSpace, program: OpenProgram, bias: int) -> None:
    """Map every segment at its address plus *bias*; raises OSError(ENOMEM) without room."""
    backing = memory.backings.get(program.fd, program.path, writable=False)
    for segment in program.image.segments:
        _map_segment(memory, segment, bias, backing)


def _map_segment(memory: AddressSpace, segment: Segment, bias: int, backing: Backing) -> None:
    protection = segment.read | segment.write << 1 | segment.execute << 2
    start = (segment.address & -PAGE) + bias
    file_end = segment.address + bias + segment.file_size
    end = segment.address + bias + segment.memory_size
    pages_end = -(-file_end // PAGE) * PAGE
    if segment.file_size:
        offset = segment.offset & -PAGE
        memory.map(pages_end - start, protection, address=start, fixed=True, backing=backing, offset=offset)
        if segment.write and end > file_end:
            memory.write(file_end, bytes(min(pages_end, -(-end // PAGE) * PAGE) - file_end))
    else:
        pages_end = start
    if end > pages_end:
        memory.map(end - pages_end, protection, address=pages_end, fixed=True)
