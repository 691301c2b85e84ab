"""The floating-point half of a signal frame on x86: FXSAVE's area beside the frame, and FSAVE's before it on i386.

Layouts: struct _fpstate_32 and _fpstate_64 in arch/x86/include/uapi/asm/sigcontext.h.
"""

from __future__ import annotations

from compat.abi.structs import Record
from shims.linux.state import LinuxThread

__all__ = ["push_fp_state", "restore_fp_state"]

_MXCSR = 0xFFFF
"""The bits of MXCSR that exist; FXRSTOR faults on any other."""


def push_fp_state(thread: LinuxThread, sp: int) -> tuple[int, dict[str, object]]:
    """Write the floating-point registers below *sp*; returns the new stack pointer and the frame's fields that hold it.

    Raises MemoryFault if the stack has no room.
    """
    layout = thread.abi.layout("FpState")
    address = sp - layout.size & -64
    fields: dict[str, object] = {"mxcsr_mask": _MXCSR}
    for leaf in layout.fields:
        if thread.registers.has(leaf.name):
            number = thread.registers.read(leaf.name)
            fields[leaf.name] = number.to_bytes(leaf.size, "little") if leaf.format.endswith("s") else number
    tags = thread.registers.read("fptag")
    fields["tags"] = sum((tags >> 2 * k & 3 != 3) << k for k in range(8))
    if thread.abi.cpu.bits == 32:
        fields |= _fsave_fields(thread, tags)
    thread.memory.write(address, layout.pack(fields))
    fields_of_frame = (leaf.name for leaf in thread.abi.layout("RtFrame").fields)
    return address, {"sc.fpstate": address, **{name: address for name in fields_of_frame if name.endswith("fpstate")}}


def _fsave_fields(thread: LinuxThread, tags: int) -> dict[str, object]:
    """What FSAVE writes: i386 keeps it before FXSAVE's fields, each register widened by ones."""
    registers = thread.registers
    fields: dict[str, object] = {
        "cw": registers.read("fpcw") | 0xFFFF_0000,
        "sw": registers.read("fpsw") | 0xFFFF_0000,
        "tag": tags | 0xFFFF_0000,
        "status": registers.read("fpsw"),
    }
    for k in range(8):
        fields[f"reg{k}"] = registers.read(f"st{k}").to_bytes(10, "little")
    return fields


def restore_fp_state(thread: LinuxThread, record: Record) -> None:
    """Load the floating-point registers that the frame *record* points to, if it does (a handler may write NULL there).

    Raises MemoryFault if they can't be read.
    """
    address = next((v for k, v in record.items() if k.endswith("fpstate")), 0)
    if not isinstance(address, int) or not address:
        return
    layout = thread.abi.layout("FpState")
    fields = layout.unpack(thread.memory.read(address, layout.size))
    registers, tags = thread.registers, fields.int("tags")
    registers.write("fpcw", fields.int("fpcw"))
    registers.write("fpsw", fields.int("fpsw"))
    registers.write("fptag", sum((0 if tags >> k & 1 else 3) << 2 * k for k in range(8)))
    registers.write("mxcsr", fields.int("mxcsr") & _MXCSR)
    for name, value in fields.items():
        if isinstance(value, bytes) and registers.has(name):
            registers.write(name, int.from_bytes(value, "little"))
