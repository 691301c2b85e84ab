"""A thread at the first instruction of a program: what execve leaves behind."""

from __future__ import annotations

import os
from collections.abc import Sequence

from compat.abi.abi import Abi
from compat.abi.conventions import Cpu
from compat.image import Image
from shims.linux.execution import Loaded, OpenProgram, map_program
from shims.linux.hwcap import hardware
from shims.linux.stack import argument_limit, initial_stack
from shims.linux.state import LinuxProcess, LinuxThread
from shims.linux.trampolines import map_kernel_pages
from shims.posix.limits import current

__all__ = ["enter", "string_limit"]

_PAGE = 4096
_THUMB = 0x20  # CPSR.T: an odd entry point is Thumb code
_STACK_GAP = 1 << 20  # between the stack's lowest page and the first mapping below it


def enter(thread: LinuxThread, program: OpenProgram, arguments: Sequence[bytes], environment: Sequence[bytes]) -> None:
    """Replace whatever *thread*'s process runs by *program*, whose file the process keeps; the loader's is closed.

    Raises OSError or CompatError where there is no room for it."""
    process = thread.process
    stack = process.options.stack
    memory, cpu = process.memory, process.abi.cpu
    top = cpu.top - _PAGE
    memory.mmap_top = (top - stack - _STACK_GAP) & -_PAGE
    memory.clear()
    process.locks_future = False
    if process.ipc is not None:
        process.ipc.recount()
    loaded = map_program(process, program)
    if program.loader is not None:
        program.loader.close()
    map_kernel_pages(process)
    executable = program.image.stack_executable
    protection = 7 if executable or (executable is None and _executable_by_default(cpu)) else 3
    memory.map(stack, protection, address=top - stack, fixed=True, name=b"[stack]")
    traits = hardware(process.abi)
    made = initial_stack(
        top,
        bits=cpu.bits,
        order="little" if cpu.endian == "little" else "big",
        argv=arguments,
        envp=environment,
        execfn=program.name,
        random=os.urandom(16),
        auxv=traits.auxv | _auxiliary_vector(program.image, loaded) | _least_stack(process.abi),
        tags=process.abi.constants("AuxTag").values,
        platform=traits.platform,
        base_platform=traits.base_platform,
        limit=string_limit(process),
    )
    memory.store(made.pointer, made.data)
    process.stack_top, process.auxv = made.pointer, made.auxv
    process.break_start = process.break_end = -(-loaded.end // _PAGE) * _PAGE
    process.executable = program.file
    process.function_descriptors = program.image.elf.abi == "elfv1"
    process.arguments, process.environment = list(arguments), list(environment)
    thread.name = _short_name(program)
    _set_registers(thread, loaded, made.pointer)
    process.executed = True
    process.declare()


def string_limit(process: LinuxProcess) -> int:
    """The most bytes of argument and environment strings that a new program may be given."""
    return argument_limit(min(current(process)["RLIMIT_STACK"][0], process.options.stack))


def _is_descriptor(name: bytes) -> bool:
    return name.startswith(b"/dev/fd/") and name.removeprefix(b"/dev/fd/").isdigit()


def _short_name(program: OpenProgram) -> bytes:
    """comm: the last part of the name that was asked for; of a bare descriptor's, that of its file (fs/exec.c)."""
    named = program.file.guest_path if _is_descriptor(program.name) else program.name
    return os.path.basename(named)[:15]


def _executable_by_default(cpu: Cpu) -> bool:
    """Whether a file without PT_GNU_STACK gets an executable stack (elf_read_implies_exec of each CPU)."""
    return cpu.kind in ("x86", "arm", "mips", "ppc")


def _least_stack(abi: Abi) -> dict[str, int]:
    """What a signal frame takes, where Linux tells it."""
    size = abi.tables.grids["frames"].column("least").get(abi.cpu.kind)
    return {} if size is None else {"AT_MINSIGSTKSZ": size}


def _auxiliary_vector(image: Image, loaded: Loaded) -> dict[str, int]:
    return {
        "AT_PAGESZ": _PAGE,
        "AT_CLKTCK": 100,
        "AT_PHDR": loaded.phdr,
        "AT_PHENT": image.phdr_size,
        "AT_PHNUM": image.phdr_count,
        "AT_BASE": loaded.base,
        "AT_FLAGS": 0,
        "AT_ENTRY": loaded.entry,
        "AT_UID": os.getuid(),
        "AT_EUID": os.geteuid(),
        "AT_GID": os.getgid(),
        "AT_EGID": os.getegid(),
        "AT_SECURE": 0,
    }


def _set_registers(thread: LinuxThread, loaded: Loaded, sp: int) -> None:
    """Every register 0 but the stack pointer and the program counter (start_thread and ELF_PLAT_INIT of each CPU)."""
    cpu, registers = thread.abi.cpu, thread.registers
    start = loaded.start
    if cpu.kind == "ppc64" and thread.process.function_descriptors:
        codec, memory = thread.abi.word_codec(), thread.memory
        start = codec.unpack(memory.read(loaded.start, 8)) + loaded.bias
        registers.write("r2", codec.unpack(memory.read(loaded.start + 8, 8)) + loaded.bias)
    elif cpu.kind == "ppc64":
        registers.write("r12", start)
    if cpu.family == "mips":
        registers.write("r25", start)
    if cpu.kind == "arm":
        registers.write("cpsr", registers.read("cpsr") & ~_THUMB | (_THUMB if start & 1 else 0))
        start &= ~1
    registers.write(cpu.sp, sp)
    registers.write(cpu.pc, start)
