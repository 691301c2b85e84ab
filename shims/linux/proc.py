"""The guest's /proc: nodes that read the process's present state when they are opened (proc(5))."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from compat.sandbox.synthetic import Content, Directory, File, LateDirectory, Link, Node
from shims.linux import proc_machine
from shims.linux.proc_cpuinfo import cpuinfo
from shims.linux.proc_other import other_process
from shims.linux.proc_self import own_process
from shims.linux.proc_sys import kernel_settings
from shims.linux.state import LinuxProcess, LinuxThread
from shims.posix.family import is_visible, visible

__all__ = ["proc_tree"]


def proc_tree(process: LinuxProcess) -> Directory:
    """The tree at /proc as *process*, and after a fork its child, sees it."""
    fixed = _fixed(process)
    own = own_process(process)

    def find_process(name: bytes) -> Node | None:
        if not name.isdigit() or len(name) > 10 or name != b"%d" % int(name):
            return None
        pid = int(name)
        if pid == process.pid:
            return own
        return other_process(process, pid) if is_visible(process, pid) else None

    def entries() -> Mapping[bytes, Node]:
        found = dict(fixed)
        for pid in sorted({process.pid, *visible(process)}):
            node = own if pid == process.pid else other_process(process, pid)
            found[b"%d" % pid] = node
        return found

    def lookup(name: bytes) -> Node | None:
        return fixed.get(name) or find_process(name)

    return Directory(entries, lookup=lookup)


def _fixed(process: LinuxProcess) -> dict[bytes, Node]:
    """What does not belong to one process."""
    texts: dict[bytes, Content] = {
        b"cmdline": b"compat\n",
        b"cpuinfo": partial(cpuinfo, process),
        b"devices": lambda: proc_machine.DEVICES,
        b"filesystems": lambda: proc_machine.FILESYSTEMS,
        b"loadavg": partial(proc_machine.loadavg, process),
        b"locks": partial(_locks, process),
        b"meminfo": partial(proc_machine.meminfo, process),
        b"modules": lambda: b"",
        b"partitions": lambda: b"major minor  #blocks  name\n\n",
        b"stat": partial(proc_machine.stat, process),
        b"swaps": lambda: b"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n",
        b"uptime": partial(proc_machine.uptime, process),
        b"version": partial(proc_machine.version, process),
        b"vmstat": partial(proc_machine.vmstat, process),
    }
    found: dict[bytes, Node] = {name: File(text) for name, text in texts.items()}
    found[b"mounts"] = Link(b"self/mounts")
    found[b"net"] = Link(b"self/net")
    found[b"self"] = Link(lambda: b"%d" % process.pid)
    found[b"thread-self"] = Link(lambda: b"%d/task/%d" % (process.pid, _current(process)))
    found[b"sys"] = kernel_settings(process)
    found[b"sysvipc"] = LateDirectory(partial(_system_v, process))
    return found


def _locks(process: LinuxProcess) -> bytes:
    from shims.linux.proc_locks import locks  # rarely needed

    return locks(process)


def _system_v(process: LinuxProcess) -> Directory:
    from shims.linux.proc_sysvipc import system_v_tables  # rarely needed

    return system_v_tables(process)


def _current(process: LinuxProcess) -> int:
    """The id of the thread that looks."""
    thread = process.engine.current if process.engine is not None else None
    return thread.id if isinstance(thread, LinuxThread) else process.pid
