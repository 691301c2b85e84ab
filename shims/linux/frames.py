"""Signal frames: laid on the stack before a handler runs, read back at sigreturn.

The layouts are tables (frames.abi, frames.tbl): a field whose last name is a register's holds that register.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from compat.abi.abi import Abi
from compat.abi.conventions import Cpu
from compat.abi.structs import Layout, Record
from compat.data import dataclass
from shims.linux.frames_x86 import push_fp_state, restore_fp_state
from shims.linux.state import LinuxThread
from shims.posix.siginfo import siginfo
from shims.posix.state import Action, AltStack, Pending

__all__ = ["Placement", "pop_frame", "push_frame"]

_CONSTANTS: Mapping[str, int] = {
    "vfp_magic": 0x56465001,  # arch/arm/include/asm/ucontext.h
    "vfp_size": 288,
    "fp_magic": 0x46508001,  # arch/arm64/include/uapi/asm/sigcontext.h
    "fp_size": 528,
    "used_math": 1,
}
_SELECTORS = ("cs", "ss", "ds", "es", "fs", "gs")
_X86_64_UC_FLAGS = 0x6  # UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS: this CPU has no XSAVE area


@dataclass(frozen=True)
class Placement:
    """One line of frames.tbl."""

    align: int
    skew: int
    redzone: int
    gap: tuple[int, int]
    back: tuple[int, int]

    @classmethod
    def of(cls, abi: Abi) -> Placement:
        for keys, cells, _ in abi.tables.grids["frames"].rows:
            if keys[0] == abi.cpu.kind:
                align, skew, redzone, gap, gap_rt, back, back_rt = (int(c, 0) for c in cells[:7])
                return cls(align, skew, redzone, (gap, gap_rt), (back, back_rt))
        raise LookupError(abi.cpu.kind)


def push_frame(thread: LinuxThread, pending: Pending, action: Action, mask: int) -> None:
    """Build the frame for *pending* and stand at the handler; *mask* is the signal mask that sigreturn restores.

    Raises MemoryFault if the stack has no room, ValueError without a way back from the handler.
    """
    abi, cpu, registers = thread.abi, thread.abi.cpu, thread.registers
    place = Placement.of(abi)
    rt = "SA_SIGINFO" in action.flags or "Frame" not in abi.tables.structs
    layout = abi.layout("RtFrame" if rt else "Frame")
    old_sp = registers.read(cpu.sp)
    sp = _stack_for(thread, action, old_sp - place.redzone & cpu.mask)
    values = _values(thread, pending, layout, mask, rt)
    if cpu.family == "x86":
        sp, addresses = push_fp_state(thread, sp)
        values |= addresses
    frame = ((sp - layout.size + (place.skew if cpu.bits == 32 else 0)) & -place.align) - place.skew
    link = _way_back(thread, action, rt)
    values |= _pointers(layout, frame, link, rt)
    if pending.layout == "SiginfoFault" or rt:
        values["info"] = siginfo(abi, pending)
    thread.memory.write(frame, layout.pack(values))
    new_sp = frame - place.gap[rt]
    if place.gap[rt]:
        thread.memory.write(new_sp, abi.word_codec().pack(old_sp))  # the back chain of PowerPC's ABI
    registers.write(cpu.sp, new_sp)
    if cpu.link != "-":
        registers.write(cpu.link, link)
    _set_arguments(thread, pending.number, layout, frame, rt)
    _enter_handler(thread, action.handler, layout, frame)


def _stack_for(thread: LinuxThread, action: Action, sp: int) -> int:
    """The handler's stack: the alternate one if it wants that and is not on it already."""
    alt = thread.altstack
    if "SA_ONSTACK" not in action.flags or not alt.size or alt.address < sp <= alt.address + alt.size:
        return sp
    return alt.address + alt.size


def _values(thread: LinuxThread, pending: Pending, layout: Layout, mask: int, rt: bool) -> dict[str, object]:
    """Field values that don't depend on where the frame lies."""
    cpu, state = thread.abi.cpu, thread.registers.save()
    order = _order(cpu)
    fault = pending.fields.get("addr", 0) if pending.layout == "SiginfoFault" else 0
    special: dict[str, object] = {
        **_CONSTANTS,
        "oldmask": mask & cpu.mask,
        "extramask": mask >> 32,
        "signal": pending.number,
        "cr2": fault,
        "dar": fault,
        "fault_address": fault,
        "handler": thread.process.actions[pending.number].handler,
        "frame_pointer": 0,
    }
    values: dict[str, object] = {}
    for leaf in layout.fields:
        last = leaf.name.rpartition(".")[2]
        if last in state:
            number = state[last]
            values[leaf.name] = number.to_bytes(leaf.size, order) if leaf.format.endswith("s") else number
        elif last in special:
            values[leaf.name] = special[last]
        elif last == "sigmask":
            values[leaf.name] = _mask_value(mask, leaf.format, leaf.size, cpu)
    if cpu.kind == "x86-64":
        values["uc.flags"] = _X86_64_UC_FLAGS
    if cpu.kind == "aarch64":
        values["frame_pointer"], values["frame_link"] = state["x29"], state["x30"]
    if "uc.stack.sp" in {leaf.name for leaf in layout.fields}:
        values |= _stack_fields(thread)
    return values


def _stack_fields(thread: LinuxThread) -> dict[str, object]:
    alt, sp = thread.altstack, thread.registers.read(thread.abi.cpu.sp)
    flags = thread.abi.flags("AltStackFlags")
    name = "SS_DISABLE" if not alt.size else "SS_ONSTACK" if alt.address < sp <= alt.address + alt.size else ""
    return {
        "uc.stack.sp": alt.address,
        "uc.stack.size": alt.size,
        "uc.stack.flags": flags.encode([name] if name else []),
    }


def _mask_value(mask: int, kind: str, size: int, cpu: Cpu) -> object:
    """A sigset_t: words of the CPU's width, the lowest signals first."""
    if kind == "I":
        return (mask & 0xFFFF_FFFF, mask >> 32)
    if kind == "Q":
        return mask
    words = [mask >> shift & cpu.mask for shift in range(0, 8 * size, cpu.bits)]
    return b"".join(w.to_bytes(cpu.word, _order(cpu)) for w in words).ljust(size, b"\0")


def _order(cpu: Cpu) -> Literal["little", "big"]:
    return "little" if cpu.endian == "little" else "big"


def _pointers(layout: Layout, frame: int, link: int, rt: bool) -> dict[str, object]:
    """Fields that hold addresses inside the frame."""
    known = {leaf.name for leaf in layout.fields}
    inside: dict[str, object] = {"restorer": link}
    if "info_pointer" in known:
        inside |= {"info_pointer": frame + layout.offset("info"), "uc_pointer": frame + _start_of(layout, "uc")}
    if "uc.registers" in known:
        inside["uc.registers"] = frame + _start_of(layout, "uc.mcontext")
    if "sc.registers" in known:
        inside["sc.registers"] = frame + _start_of(layout, "mctx" if "mctx.pc" in known else "sregs")
    if "uc.mcontext.v_regs" in known:
        inside["uc.mcontext.registers"] = frame + layout.offset("uc.mcontext.r0")
        inside["uc.mcontext.v_regs"] = frame + layout.offset("uc.mcontext.vs32")
    return inside


def _start_of(layout: Layout, prefix: str) -> int:
    return next(leaf.offset for leaf in layout.fields if leaf.name.startswith(prefix + "."))


def _way_back(thread: LinuxThread, action: Action, rt: bool) -> int:
    """The address that the handler returns to."""
    ignored = thread.abi.cpu.family == "ppc"  # arch/powerpc/kernel/signal_*.c never looks at sa_restorer
    if "SA_RESTORER" in action.flags and action.restorer and not ignored:
        return action.restorer
    found = thread.process.trampolines.get("rt_sigreturn" if rt else "sigreturn")
    if found is None:
        raise ValueError("no SA_RESTORER")  # x86-64 has no other way: the kernel sends SIGSEGV
    return found


def _set_arguments(thread: LinuxThread, number: int, layout: Layout, frame: int, rt: bool) -> None:
    """signal, siginfo, ucontext: in the CPU's first three argument registers."""
    cpu, registers = thread.abi.cpu, thread.registers
    if rt:
        values = (number, frame + layout.offset("info"), frame + _start_of(layout, "uc"))
    elif cpu.kind == "arm":
        values = (number, 0, 0)
    elif cpu.kind == "mips":
        values = (number, 0, frame + _start_of(layout, "sc"))
    else:
        values = (number, frame + _start_of(layout, "sc"), 0)
    names = ("eax", "edx", "ecx") if cpu.kind == "x86" else cpu.args
    for name, value in zip(names, values, strict=False):
        registers.write(name, value)


def _enter_handler(thread: LinuxThread, handler: int, layout: Layout, frame: int) -> None:
    cpu, registers = thread.abi.cpu, thread.registers
    if cpu.kind == "x86-64":
        registers.write("rax", 0)
    elif cpu.kind == "arm":
        cpsr = registers.read("cpsr") & ~0x0600_FC20  # neither Thumb nor inside an IT block
        registers.write("cpsr", cpsr | (0x20 if handler & 1 else 0))
        handler &= ~1
    elif cpu.kind == "aarch64":
        registers.write("x29", frame + layout.offset("frame_pointer"))
    elif cpu.family == "mips":
        registers.write("r25", handler)
    elif cpu.kind == "ppc64" and thread.process.function_descriptors:
        codec = thread.abi.word_codec()
        registers.write("r2", codec.unpack(thread.memory.read(handler + 8, 8)))
        handler = codec.unpack(thread.memory.read(handler, 8))
    elif cpu.kind == "ppc64":
        registers.write("r12", handler)
    if cpu.family == "ppc" and "uc.mcontext.pc" in {leaf.name for leaf in layout.fields}:
        registers.write("r6", frame)
    registers.write(cpu.pc, handler)


def pop_frame(thread: LinuxThread, rt: bool) -> int:
    """Restore the registers from the frame under the stack pointer; returns the signal mask to restore.

    Raises MemoryFault if the frame can't be read.
    """
    abi, cpu = thread.abi, thread.abi.cpu
    place = Placement.of(abi)
    layout = abi.layout("RtFrame" if rt else "Frame")
    frame = thread.registers.read(cpu.sp) + place.back[rt]
    record = layout.unpack(thread.memory.read(frame & cpu.mask, layout.size))
    restore_fp_state(thread, record)
    _restore_registers(thread, layout, record)
    if rt:
        _restore_altstack(thread, record)
    return _mask_in(record, cpu)


def _restore_registers(thread: LinuxThread, layout: Layout, record: Record) -> None:
    """Set every register that the frame holds; bits that no user program may change stay as they are."""
    cpu, registers = thread.abi.cpu, thread.registers
    order, state = _order(cpu), registers.save()
    numbers: dict[str, int] = {}
    for leaf in layout.fields:
        last = leaf.name.rpartition(".")[2]
        if last in state and not leaf.name.startswith("transact."):
            value = record[leaf.name]
            numbers[last] = int.from_bytes(value, order) if isinstance(value, bytes) else record.int(leaf.name)
    for name in _SELECTORS:
        if cpu.bits == 64 or numbers.get(name) == state.get(name):
            numbers.pop(name, None)
    registers.restore(numbers)


def _restore_altstack(thread: LinuxThread, record: Record) -> None:
    """sigreturn also restores sigaltstack's settings, which the handler may have changed in the frame."""
    flags = thread.abi.flags("AltStackFlags").decode(record.int("uc.stack.flags") & 0xFFFF_FFFF)
    if "SS_DISABLE" in flags:
        thread.altstack = AltStack()
    elif record.int("uc.stack.size"):
        thread.altstack = AltStack(record.int("uc.stack.sp"), record.int("uc.stack.size"))


def _mask_in(record: Record, cpu: Cpu) -> int:
    value = next((v for k, v in record.items() if k.endswith("sigmask")), None)
    if isinstance(value, tuple):
        return int(value[0]) | int(value[1]) << 32
    if isinstance(value, bytes):
        words = [int.from_bytes(value[k : k + cpu.word], _order(cpu)) for k in range(0, len(value), cpu.word)]
        return sum(word << cpu.bits * k for k, word in enumerate(words))
    if isinstance(value, int):
        return value
    low = next(v for k, v in record.items() if k.endswith("oldmask"))
    high = next((v for k, v in record.items() if k.endswith("extramask")), 0)
    assert isinstance(low, int)
    assert isinstance(high, int)
    return low | high << 32
