"""What only Linux keeps for a process and a thread."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from compat.abi.abi import Abi
from compat.host import Host
from compat.memory import AddressSpace
from compat.process import Options, Registers
from shims.posix.state import PosixProcess, PosixThread

__all__ = ["QUEUES", "LinuxProcess", "LinuxThread", "Waiter"]


if TYPE_CHECKING:
    from shims.linux.seccomp import Filter

QUEUES: Final = b"queues"
"""The run's private folder that lists the message queues it made."""


class LinuxProcess(PosixProcess):
    """Adds the program break [*break_start*, *break_end*), the auxiliary vector, the *trampoline* page's addresses by
    name (`sigreturn`, `rt_sigreturn`), *personality*, *dumpable*, futex queues by address,
    the registered memory *barriers*, the first thread's exit status, and the host descriptor whose closing ends the
    parent's vfork (*parent_gate*)."""

    def __init__(self, abi: Abi, memory: AddressSpace, host: Host, options: Options) -> None:
        super().__init__(abi, memory, host, options)
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
        self.leader_status = 0
        self.parent_gate = -1
        self.thp_disabled = False
        self.futexes: dict[int, deque[Waiter]] = {}
        self.barriers: set[str] = set()
        self.fixes_unaligned = True  # sysmips(MIPS_FIXADE)
        self.function_descriptors = False  # PowerPC's first 64-bit ABI: a handler's address is that of a descriptor

    def release_parent(self) -> None:
        """Let the parent go on that waits in vfork; execve must call this, the end of the process does it by itself."""
        if self.parent_gate >= 0:
            self.host.close(self.parent_gate)
            self.parent_gate = -1

    def become_child(self, thread: PosixThread) -> None:
        assert isinstance(thread, LinuxThread)
        self.release_parent()
        self.futexes = {}
        self.leader_status = 0
        thread.clear_tid = 0
        thread.robust_list = 0
        thread.parent_death_signal = 0
        super().become_child(thread)

    @property
    def read_implies_exec(self) -> bool:
        return bool(self.personality & self.abi.flags("Personality").values["READ_IMPLIES_EXEC"])


class Waiter:
    """One thread in a futex queue; it is its own key, so that it may move to another queue. *until* as in Wait."""

    __slots__ = ("address", "mask", "until", "value")

    def __init__(self, address: int, value: int, mask: int, until: float | None) -> None:
        self.address = address
        self.value = value
        self.mask = mask
        self.until = until


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
        self.filters: Filter | None = None  # of seccomp
        self.strict = False
