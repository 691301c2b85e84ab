"""What only Linux keeps for a process and a thread."""

from __future__ import annotations

from collections import deque

from compat.abi.abi import Abi
from compat.host import Host
from compat.host.census import Entry
from compat.memory import AddressSpace
from compat.process import Options, Registers
from shims.posix.state import PosixProcess, PosixThread

__all__ = ["LinuxProcess", "LinuxThread", "Waiter"]


class LinuxProcess(PosixProcess):
    """Adds the program break [*break_start*, *break_end*), the auxiliary vector, the *trampoline* page's addresses by
    name (`sigreturn`, `rt_sigreturn`), *personality*, *dumpable*, futex queues by address, the registered memory
    *barriers*, whether it has *executed* a program since its birth, the first thread's exit status, and the host
    descriptor whose closing ends the parent's vfork (*parent_gate*)."""

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
        self.executed = True
        self.thp_disabled = False
        self.futexes: dict[int, deque[Waiter]] = {}
        self.barriers: set[str] = set()
        self.fixes_unaligned = True  # sysmips(MIPS_FIXADE)
        self.function_descriptors = False  # PowerPC's first 64-bit ABI: a handler's address is that of a descriptor

    def declare(self) -> None:
        """Tell the other processes of the run what this one is now."""
        if self.census is None:
            return
        leader = self.threads.get(self.pid) or next(iter(self.threads.values()), None)
        name = leader.name if isinstance(leader, LinuxThread) else b""
        arguments = b"".join(argument + b"\0" for argument in self.arguments)
        born = self.host.relation(self.pid).born
        program = self.executable.guest_path
        self.census.enter(self.pid, Entry(born, self.executed, name, program, arguments, self.memory.mapped))

    def become_child(self, thread: PosixThread, *, borrows: bool = False) -> None:
        assert isinstance(thread, LinuxThread)
        if self.parent_gate >= 0:  # it is the parent's own parent that waits there
            self.host.close(self.parent_gate)
            self.parent_gate = -1
        self.futexes = {}
        self.leader_status = 0
        thread.clear_tid = 0
        thread.robust_list = 0
        thread.parent_death_signal = 0
        self.executed = False
        super().become_child(thread, borrows=borrows)
        if not borrows:  # else it will soon be another program
            self.declare()

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
