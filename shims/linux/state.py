"""What only Linux keeps for a process and a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compat.abi.abi import Abi
from compat.host import Host
from compat.memory import AddressSpace
from compat.process import Options, Registers
from shims.posix.state import PosixProcess, PosixThread

if TYPE_CHECKING:
    from compat.sandbox.view import FileView

__all__ = ["LinuxProcess", "LinuxThread"]


class LinuxProcess(PosixProcess):
    """Adds the program break [*break_start*, *break_end*), the auxiliary vector, the *trampoline* page's addresses by
    name (`sigreturn`, `rt_sigreturn`), *personality*, *dumpable*, the child-subreaper flag and the x86 segments."""

    def __init__(self, abi: Abi, memory: AddressSpace, host: Host, options: Options, view: FileView) -> None:
        super().__init__(abi, memory, host, options, view)
        self.break_start = 0
        self.break_end = 0
        self.stack_top = 0
        self.auxv = b""
        self.trampolines: dict[str, int] = {}
        self.personality = 0
        self.dumpable = 1
        self.no_new_privileges = False
        self.keep_capabilities = False
        self.next_tid = 0
        self.function_descriptors = False  # PowerPC's first 64-bit ABI: a handler's address is that of a descriptor


class LinuxThread(PosixThread):
    """Adds *name* (comm), the address that CLONE_CHILD_CLEARTID clears and futex-wakes, the robust list head."""

    process: LinuxProcess

    def __init__(self, process: LinuxProcess, tid: int, registers: Registers) -> None:
        super().__init__(process, tid, registers)
        self.name = b""
        self.clear_tid = 0
        self.robust_list = 0
        self.parent_death_signal = 0
        self.timer_slack = 50000
