"""/proc/<pid> of the guest's own process, and its threads (proc(5))."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from functools import partial

from compat.sandbox.mount_list import mounts_text
from compat.sandbox.synthetic import Directory, File, Link, Node
from shims.linux import proc_maps, proc_status
from shims.linux.proc_files import descriptor_infos, descriptors
from shims.linux.proc_mounts import mountinfo
from shims.linux.proc_net import network_tables
from shims.linux.state import LinuxProcess, LinuxThread

__all__ = ["own_process"]

Nodes = dict[bytes, Node]
_MOST_NAME = 15  # TASK_COMM_LEN - 1
_MOST_ADJUSTMENT = 1000  # OOM_SCORE_ADJ_MAX, include/uapi/linux/oom.h


def own_process(process: LinuxProcess) -> Directory:
    """The folder of *process* itself."""
    shared = _shared(process)

    def first() -> LinuxThread:
        return _leader(process)

    return Directory({**shared, **_of_thread(process, first), b"task": _tasks(process, shared)})


def _leader(process: LinuxProcess) -> LinuxThread:
    """The thread that stands for the process: the first, or what is left."""
    thread = process.threads.get(process.pid) or next(iter(process.threads.values()))
    assert isinstance(thread, LinuxThread)
    return thread


def _tasks(process: LinuxProcess, shared: Nodes) -> Directory:
    def folder(tid: int) -> Directory:
        def find() -> LinuxThread:
            thread = process.threads.get(tid)
            if not isinstance(thread, LinuxThread):
                raise OSError(errno.ESRCH, "the thread has ended")
            return thread

        return Directory({**shared, **_of_thread(process, find)})

    def entries() -> Mapping[bytes, Node]:
        return {b"%d" % tid: folder(tid) for tid in sorted(process.threads)}

    return Directory(entries)


def _of_thread(process: LinuxProcess, find: Callable[[], LinuxThread]) -> Nodes:
    """What differs from thread to thread."""

    def rename(data: bytes) -> None:
        find().name = data.removesuffix(b"\n").split(b"\0")[0][:_MOST_NAME]
        process.declare()

    return {
        b"comm": File(lambda: proc_status.comm(find()), mode=0o644, on_write=rename),
        b"stat": File(lambda: proc_status.stat(process, find())),
        b"status": File(lambda: proc_status.status(process, find())),
        b"syscall": File(lambda: b"running\n", mode=0o400),
    }


def _shared(process: LinuxProcess) -> Nodes:
    """What all threads have in common."""
    adjustment = [b"0\n"]

    def adjust(data: bytes) -> None:
        """Kept and shown, but without effect: who is killed for memory is the host's choice."""
        digits = data.strip().removeprefix(b"-")
        if not digits.isdigit() or len(digits) > 4 or int(digits) > _MOST_ADJUSTMENT:
            raise OSError(errno.EINVAL, "oom_score_adj")
        adjustment[0] = b"%d\n" % int(data)

    texts: dict[bytes, Callable[[], bytes]] = {
        b"auxv": lambda: process.auxv,
        b"cgroup": lambda: b"0::/\n",
        b"cmdline": lambda: b"".join(argument + b"\0" for argument in process.arguments),
        b"environ": lambda: b"".join(variable + b"\0" for variable in process.environment),
        b"gid_map": lambda: b"         0          0 4294967295\n",
        b"io": lambda: _IO,
        b"limits": partial(proc_status.limits, process),
        b"loginuid": lambda: b"4294967295",
        b"maps": partial(proc_maps.maps, process),
        b"mountinfo": lambda: mountinfo(process.view),
        b"mounts": lambda: mounts_text(process.view),
        b"mountstats": lambda: b"",
        b"oom_score": lambda: b"0\n",
        b"personality": lambda: b"%08x\n" % process.personality,
        b"schedstat": lambda: b"0 0 0\n",
        b"sessionid": lambda: b"4294967295",
        b"setgroups": lambda: b"allow\n",
        b"smaps": partial(proc_maps.smaps, process),
        b"smaps_rollup": partial(proc_maps.smaps_rollup, process),
        b"statm": partial(proc_maps.statm, process),
        b"timerslack_ns": lambda: b"50000\n",
        b"uid_map": lambda: b"         0          0 4294967295\n",
        b"wchan": lambda: b"0",
    }
    private = {b"auxv", b"environ", b"io", b"personality"}
    nodes: Nodes = {name: File(text, mode=0o400 if name in private else 0o444) for name, text in texts.items()}
    nodes[b"oom_score_adj"] = File(lambda: adjustment[0], mode=0o644, on_write=adjust)
    nodes[b"cwd"] = Link(lambda: process.view.name(process.directory), magic=lambda: process.directory)
    nodes[b"exe"] = Link(lambda: _program(process), magic=lambda: process.executable)
    nodes[b"root"] = Link(b"/")
    nodes[b"fd"] = descriptors(process)
    nodes[b"fdinfo"] = descriptor_infos(process)
    nodes[b"net"] = network_tables(process)
    nodes[b"ns"] = Directory({name: Link(b"%s:[%d]" % (name, number)) for name, number in _NAMESPACES.items()})
    return nodes


def _program(process: LinuxProcess) -> bytes:
    """Where the program's file is now; the first program was opened by its path on the host."""
    file = process.executable
    return file.guest_path if file.mount is None else process.view.name(file)


_IO = b"rchar: 0\nwchar: 0\nsyscr: 0\nsyscw: 0\nread_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n"
_NAMESPACES = {  # the first of each kind (include/linux/proc_ns.h)
    b"cgroup": 0xEFFFFFFB,
    b"ipc": 0xEFFFFFFF,
    b"mnt": 0xEFFFFFF8,
    b"net": 0xEFFFFFF7,
    b"pid": 0xEFFFFFFC,
    b"time": 0xEFFFFFFA,
    b"user": 0xEFFFFFFD,
    b"uts": 0xEFFFFFFE,
}
