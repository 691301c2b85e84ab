"""Mapping a program: what fs/binfmt_elf.c does between execve(2) and the first instruction."""

from __future__ import annotations

import errno
import fcntl
import os
import stat

from compat.abi.conventions import Cpu
from compat.data import dataclass
from compat.errors import BadFile, CompatError
from compat.image import Image, Segment
from compat.memory import PAGE, AddressSpace, Backing
from compat.sandbox.place import Opened
from shims.linux.state import LinuxProcess

__all__ = ["Loaded", "NoLoader", "OpenProgram", "map_image", "map_program", "open_executable", "open_program"]

_MOST_SCRIPTS = 5  # exec_binprm() of fs/exec.c: more are ELOOP


@dataclass(frozen=True)
class OpenProgram:
    """An image, the file it was read from (owned by whoever holds this), and its dynamic loader, if it wants one.
    *name* is what execve was given: for a script the script's own."""

    image: Image
    file: Opened
    name: bytes
    loader: OpenProgram | None = None

    def close(self) -> None:
        """Let go of the files."""
        os.close(self.file.fd)
        if self.loader is not None:
            self.loader.close()


class NoLoader(BadFile):
    """The program's dynamic loader can't be used; *number* is what execve says of it."""

    def __init__(self, number: int, sentence: str) -> None:
        super().__init__(sentence)
        self.number = number


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
    process: LinuxProcess, file: Opened, name: bytes, arguments: list[bytes], *, hidden: bool = False
) -> tuple[OpenProgram, list[bytes]]:
    """Read the program in *file*, following `#!` lines; returns it and the arguments as they then are.

    *file* is closed if there is an error. *hidden* tells that *name* will lead nowhere once the program runs.

    Raises:
        CompatError: a file that compat can't run.
        OSError: as execve(2): ELOOP for too many scripts, ENOENT for a hidden one, what is wrong with an interpreter.
    """
    known = name
    try:
        for _ in range(_MOST_SCRIPTS + 1):
            found = process.load_image(file.fd, file.guest_path)
            if isinstance(found, Image):
                return OpenProgram(found, file, name, _open_loader(process, found)), arguments
            if hidden:
                raise OSError(errno.ENOENT, "the interpreter could not open the script")
            extra = [found.interpreter] + ([found.argument] if found.argument is not None else [])
            arguments = [*extra, known, *arguments[1:]]
            known = found.interpreter
            following = open_executable(process, known, process.directory)
            os.close(file.fd)
            file = following
        raise OSError(errno.ELOOP, "too many interpreters")
    except (OSError, CompatError):
        os.close(file.fd)
        raise


def open_executable(process: LinuxProcess, path: bytes, base: Opened, flags: frozenset[str] = frozenset()) -> Opened:
    """Open what execveat(2) names from the folder *base*.

    Raises:
        OSError: EACCES for what is no executable file, ELOOP for a link that *flags* forbids to follow, ETXTBSY for
            one that is being written, what path resolution says.
    """
    if not path and "AT_EMPTY_PATH" in flags:
        place = process.view.held(base)
    else:
        place = process.view.resolve(path, base, follow="AT_SYMLINK_NOFOLLOW" not in flags)
    with place:
        state = place.stat()
        if stat.S_ISLNK(state.st_mode):
            raise OSError(errno.ELOOP, "symbolic link")
        if not stat.S_ISREG(state.st_mode) or not state.st_mode & 0o111:
            raise OSError(errno.EACCES, "not an executable file")
        place.access(os.X_OK, effective=True)
        opened = place.open(os.O_RDONLY)
    if _has_open_for_writing(process, state) or process.host.is_being_written(opened.fd):
        process.host.close(opened.fd)
        raise OSError(errno.ETXTBSY, "open for writing")
    return opened


def _has_open_for_writing(process: LinuxProcess, state: os.stat_result) -> bool:
    """Whether the process itself has the file open for writing."""
    for _, slot in process.files:
        file = slot.file
        if not (file.may_block or file.is_directory) and file.host.fcntl(file.fd, fcntl.F_GETFL) & os.O_ACCMODE:
            other = file.host.fstat(file.fd)
            if (other.st_dev, other.st_ino) == (state.st_dev, state.st_ino):
                return True
    return False


def _open_loader(process: LinuxProcess, image: Image) -> OpenProgram | None:
    """The dynamic loader that *image* asks for. Raises NoLoader."""
    path = image.interpreter
    if path is None:
        return None
    name = os.fsdecode(path)
    try:
        file = open_executable(process, path, process.directory)
    except OSError as error:
        sentence = f"the program needs {name} (its dynamic loader): {error.strerror}; give --sysroot a folder with it"
        raise NoLoader(error.errno or errno.ENOENT, sentence) from None
    try:
        found = process.load_image(file.fd, path)
        if not isinstance(found, Image) or found.cpu != image.cpu:
            raise NoLoader(errno.ELIBBAD, f"{name} is no dynamic loader for {image.cpu}")
    except CompatError as error:
        os.close(file.fd)
        raise error if isinstance(error, NoLoader) else NoLoader(errno.ELIBBAD, str(error)) from None
    return OpenProgram(found, file, path)


def map_program(process: LinuxProcess, program: OpenProgram) -> Loaded:
    """Map *program* and its interpreter into an empty address space."""
    cpu, image = process.abi.cpu, program.image
    bias = _base(cpu, image) if image.relocatable else 0
    map_image(process.memory, program, bias)
    start, base = image.entry + bias, 0
    if program.loader is not None:
        start, base = _map_loader(process, program.loader)
    phdr = image.phdr_address + bias if image.phdr_address else 0
    return Loaded(start, base or bias, image.entry + bias, phdr, image.highest + bias, base)


def _base(cpu: Cpu, image: Image) -> int:
    """ELF_ET_DYN_BASE: two thirds up the user addresses (arch/*/include/asm/elf.h); never randomised, so that two
    runs print the same trace."""
    wanted = cpu.top // 3 * 2
    align = max(image.alignment, PAGE)
    return (wanted // align * align) - (image.lowest // align * align)


def _map_loader(process: LinuxProcess, loader: OpenProgram) -> tuple[int, int]:
    """Map the dynamic loader; returns its entry and its bias."""
    found, bias = loader.image, 0
    if found.relocatable:
        size = found.highest - (found.lowest & -PAGE)
        bias = process.memory.map(size, 0) - (found.lowest & -PAGE)
    map_image(process.memory, loader, bias)
    return found.entry + bias, bias


def map_image(memory: AddressSpace, program: OpenProgram, bias: int) -> None:
    """Map every segment at its address plus *bias*; raises OSError(ENOMEM) without room."""
    backing = memory.backings.get(program.file.fd, program.file.guest_path, writable=False)
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
