"""vfork: a child that borrows its parent's memory until it has another program or ends (vfork(2), mm_release()).

The child is a host child with a copy. What it did to the copy goes through a pipe, the gate, to the parent, whose call
returns then. A child that the host kills in between gives nothing back: its private pages can't be seen from outside
after its end, and sharing them for the time of the loan would cost every fork and vfork a copy. Of signals that is
SIGKILL alone where the program blocks all others around vfork, as the C libraries do.
"""

from __future__ import annotations

import marshal
import select
from collections.abc import Callable

from compat.data import dataclass, field
from compat.host import Host
from shims.linux.state import LinuxProcess, LinuxThread

__all__ = ["fork_and_wait", "give_back"]

_MOST = 1 << 16


@dataclass
class _Loan:
    """What a thread in vfork keeps: the child, the gate's host descriptor, what came through it, the program break."""

    pid: int
    gate: int
    break_end: int
    received: bytearray = field(default_factory=bytearray)

    def read(self, host: Host) -> bool:
        """Take what is there; True when all has come."""
        while host.poll([(self.gate, select.POLLIN)], 0):
            data = host.read(self.gate, _MOST)
            if not data:
                return True
            self.received += data
        return False


def fork_and_wait(thread: LinuxThread, fork: Callable[[], int]) -> int:
    """Call *fork*, and wait until the child gives back the memory; the child's pid, or 0 in the child."""
    host, process = thread.host, thread.process
    loan = thread.resume
    if not isinstance(loan, _Loan):
        gate, end = host.pipe2()
        try:
            pid = fork()
        except OSError:
            host.close(end)
            host.close(gate)
            raise
        if pid == 0:
            host.close(gate)
            process.parent_gate = end
            return 0
        host.close(end)
        loan = _Loan(pid, gate, process.break_end)
    while not loan.read(host):
        if not thread.interrupted:
            thread.wait(descriptors={loan.gate: select.POLLIN}, resume=loan)
        host.poll([(loan.gate, select.POLLIN)], None)  # no signal handler ends this wait: wait_for_vfork_done()
    host.close(loan.gate)
    _take_back(process, loan)
    return loan.pid


def _take_back(process: LinuxProcess, loan: _Loan) -> None:
    from compat.memory.changes import Difference

    try:
        break_end, *parts = marshal.loads(loan.received)
    except (EOFError, ValueError, TypeError):
        return  # killed, or it had a copy only
    Difference(*parts).put_into(process.memory)
    if break_end != loan.break_end:
        process.break_end = break_end


def give_back(process: LinuxProcess) -> None:
    """Let the parent go on that waits in vfork, with the memory that it lent."""
    gate, process.parent_gate = process.parent_gate, -1
    changes, process.memory.changes = process.memory.changes, None
    if gate < 0:
        return
    try:
        if changes is not None:
            left = memoryview(marshal.dumps((process.break_end, *changes.difference())))
            while left:
                left = left[process.host.write(gate, left) :]
    except OSError:
        pass  # the parent is gone
    process.host.close(gate)
