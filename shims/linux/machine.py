"""Calls that only one family of CPUs has."""

from __future__ import annotations

import errno

from compat.abi.flags import Constant, FlagSet
from compat.abi.handles import ArrayHandle, Pointer
from compat.abi.structs import Record
from shims.linux.segments import area_of, load_area
from shims.linux.state import LinuxThread

__all__ = ["set_thread_pointer"]


def set_thread_pointer(thread: LinuxThread, value: int) -> None:
    """What CLONE_SETTLS does with its argument: on x86 it is the address of a user_desc. Raises OSError(EINVAL)."""
    engine = thread.process.engine
    assert engine is not None
    if thread.abi.cpu.name == "x86":
        layout = thread.abi.layout("UserDesc")
        load_area(thread.registers, layout.unpack(thread.memory.read(value, layout.size)), may_choose=False)
    else:
        engine.set_tls(thread.registers, value)


# --- x86 ---

_BASES = {"ARCH_SET_FS": "fs_base", "ARCH_SET_GS": "gs_base", "ARCH_GET_FS": "fs_base", "ARCH_GET_GS": "gs_base"}


def arch_prctl(thread: LinuxThread, option: Constant, addr: int) -> int:
    """Segment bases of x86-64. CPUID never faults; there are no other features to ask for.

    Raises:
        OSError: EPERM for a base that is no user address, ENODEV for faulting CPUID, EINVAL for the rest.
    """
    cpu = thread.abi.cpu
    if option in _BASES and cpu.bits == 64:
        register = _BASES[option]
        if option.startswith("ARCH_GET"):
            thread.memory.write(addr, thread.abi.word_codec().pack(thread.registers.read(register)))
        elif addr >= thread.memory.top:
            raise OSError(errno.EPERM, "segment base beyond user addresses")
        else:
            thread.registers.write(register, addr)
        return 0
    if option == "ARCH_GET_CPUID":
        return 1
    if option == "ARCH_SET_CPUID":
        raise OSError(errno.ENODEV, "CPUID can't be made to fault")
    raise OSError(errno.EINVAL, f"arch_prctl {option}")


def set_thread_area(thread: LinuxThread, area: Pointer[Record]) -> None:
    """Put a segment into one of the three descriptors for thread-local storage; entry -1 takes a free one.

    Raises:
        OSError: EINVAL for another entry or a segment that may not be, ESRCH if all three are taken.
    """
    wanted = area.read()
    entry = load_area(thread.registers, wanted, may_choose=True)
    if wanted.int("entry_number") != entry:
        area.write({**wanted, "entry_number": entry})


def get_thread_area(thread: LinuxThread, area: Pointer[Record]) -> None:
    """Read one of the three descriptors. Raises OSError(EINVAL) for another entry."""
    area.write(area_of(thread.registers, area.read().int("entry_number")))


# --- arm ---


def set_tls(thread: LinuxThread, value: int) -> None:
    """Set the user's read-only thread register."""
    set_thread_pointer(thread, value)


def get_tls(thread: LinuxThread) -> int:
    """The user's read-only thread register."""
    return thread.registers.read("tpidruro")


def cacheflush_arm(thread: LinuxThread, start: int, end: int, flags: int) -> None:
    """Make stores to code seen. Raises OSError(EINVAL) for flags or a range that ends before it begins."""
    if flags or end < start:
        raise OSError(errno.EINVAL, "cacheflush")
    _forget_code(thread, start, end - start)


def _forget_code(thread: LinuxThread, start: int, size: int) -> None:
    assert thread.process.engine is not None
    thread.process.engine.invalidate(start, min(size, thread.memory.top))


# --- mips ---


def cacheflush_mips(thread: LinuxThread, addr: int, length: int, cache: FlagSet) -> None:
    """Make stores to code seen."""
    _forget_code(thread, addr, length)


def set_thread_area_mips(thread: LinuxThread, addr: int) -> None:
    """Set the thread pointer that `rdhwr` reads."""
    set_thread_pointer(thread, addr)


def sysmips(thread: LinuxThread, cmd: Constant, arg1: int, arg2: int) -> int:
    """MIPS_ATOMIC_SET swaps a word; MIPS_FIXADE says whether unaligned accesses are done for the program (bit 0) and
    logged (bit 1); FLUSH_CACHE needs no work here.

    Raises:
        OSError: EINVAL for an unaligned word, other bits, or another command.
    """
    if cmd == "MIPS_ATOMIC_SET":
        address = arg1 & thread.abi.cpu.mask
        if address % 4:
            raise OSError(errno.EINVAL, "word not aligned")
        old = thread.memory.read(address, 4)
        order = thread.abi.cpu.endian
        thread.memory.write(address, (arg2 & 0xFFFFFFFF).to_bytes(4, "little" if order == "little" else "big"))
        return int.from_bytes(old, "little" if order == "little" else "big", signed=True)
    if cmd == "FLUSH_CACHE":
        return 0
    if cmd == "MIPS_FIXADE" and not arg1 & ~3:
        thread.process.fixes_unaligned = bool(arg1 & 1)
        return 0
    raise OSError(errno.EINVAL, f"sysmips {cmd}")


# --- riscv ---


def riscv_flush_icache(thread: LinuxThread, start: int, end: int, flags: int) -> None:
    """Make stores to code seen; the flag only narrows it to this thread. Raises OSError(EINVAL) for other flags."""
    if flags & ~1:
        raise OSError(errno.EINVAL, "riscv_flush_icache flags")
    _forget_code(thread, start, max(0, end - start))


_BASE_BEHAVIOR, _IMA = 3, 1
_IMA_EXT_0, _FD_C = 4, 0b11
_CPUPERF_0, _SCALAR_PERF, _VECTOR_PERF, _FAST, _UNSUPPORTED = 5, 9, 10, 3, 4
_ZICBOZ_BLOCK, _HIGHEST_ADDRESS, _TIME_FREQUENCY = 6, 7, 8
_TICKS_PER_SECOND = 10_000_000
"""Of `rdtime`: compat/cpu/riscv.py."""
_UNKNOWN_IDS = (0, 1, 2)


def riscv_hwprobe(
    thread: LinuxThread, pairs: ArrayHandle[Record], count: int, size: int, cpus: int, flags: FlagSet
) -> None:
    """What the CPU can: IMA with F, D and C; an unknown key becomes -1 (Documentation/arch/riscv/hwprobe.rst).

    Raises:
        OSError: EINVAL for flags (asking which CPUs match is not supported) or more pairs than there could be keys.
    """
    if flags.value or count > 4096:
        raise OSError(errno.EINVAL, "riscv_hwprobe")
    known = {
        _BASE_BEHAVIOR: _IMA,
        _IMA_EXT_0: _FD_C,
        _CPUPERF_0: _FAST,
        _SCALAR_PERF: _FAST,
        _VECTOR_PERF: _UNSUPPORTED,
        _ZICBOZ_BLOCK: 0,
        _HIGHEST_ADDRESS: thread.abi.cpu.top - 1,
        _TIME_FREQUENCY: _TICKS_PER_SECOND,
        **dict.fromkeys(_UNKNOWN_IDS, 0),
    }
    answers = []
    for pair in pairs.read():
        key = pair.int("key")
        answers.append({"key": key, "value": known[key]} if key in known else {"key": -1, "value": 0})
    pairs.write(answers)
